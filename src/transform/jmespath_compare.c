#include "transform/jmespath_internal.h"

#include <ctype.h>

/* A number as its significant digits: 0.<digits> times 10 to the power of `exponent`. */
struct decimal {
	bool negative;
	struct str digits; /* without leading zeros of the number; a point may be among them */
	int64_t exponent;
};

#define EXPONENT_MAX 1000000000000

static int64_t read_exponent(struct str text)
{
	bool negative = str_starts(text, STR("-"));
	int64_t value = 0;

	for (size_t i = negative || str_starts(text, STR("+")); i < text.len; i++)
		value = MIN(value * 10 + (text.ptr[i] - '0'), EXPONENT_MAX);
	return negative ? -value : value;
}

static struct decimal read_decimal(struct str text)
{
	struct decimal d = {.negative = str_starts(text, STR("-"))};
	size_t end = d.negative, point, first;

	while (end < text.len && (isdigit((unsigned char)text.ptr[end]) || text.ptr[end] == '.'))
		end++;
	if (end < text.len)
		d.exponent = read_exponent(str_from_offset(text, end + 1));
	point = end;
	for (size_t i = 0; i < end; i++)
		if (text.ptr[i] == '.')
			point = i;
	for (first = d.negative; first < end; first++)
		if (text.ptr[first] != '0' && text.ptr[first] != '.')
			break;
	d.digits = str_of(text.ptr + first, end - first);
	/* Digits before the point count up, zeros behind it down. */
	if (first < point)
		d.exponent += (int64_t)(point - first);
	else
		d.exponent -= (int64_t)(first - point - 1);
	if (!d.digits.len)
		d = (struct decimal){0};
	return d;
}

/* The next digit; '0' behind the last. */
static char next_digit(struct str digits, size_t *at)
{
	if (*at < digits.len && digits.ptr[*at] == '.')
		++*at;
	return *at < digits.len ? digits.ptr[(*at)++] : '0';
}

static int digits_order(struct str a, struct str b)
{
	size_t i = 0, j = 0;
	char x, y;

	while (i < a.len || j < b.len) {
		x = next_digit(a, &i);
		y = next_digit(b, &j);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static int numbers_order(struct str a, struct str b)
{
	struct decimal x = read_decimal(a), y = read_decimal(b);
	int order;

	if (!x.digits.len || !y.digits.len)
		return x.digits.len ? (x.negative ? -1 : 1)
				    : (y.digits.len ? (y.negative ? 1 : -1) : 0);
	if (x.negative != y.negative)
		return x.negative ? -1 : 1;
	if (x.exponent != y.exponent)
		order = x.exponent < y.exponent ? -1 : 1;
	else
		order = digits_order(x.digits, y.digits);
	return x.negative ? -order : order;
}

int jmespath_order(const struct json *a, const struct json *b)
{
	if (a->type == JSON_NUMBER)
		return numbers_order(a->text, b->text);
	return str_cmp(a->text, b->text);
}

static bool equal_arrays(struct jmespath_run *run, const struct json *a, const struct json *b)
{
	const struct json *other = b->first;

	for (const struct json *one = a->first; one; one = one->next, other = other->next)
		if (!jmespath_equal(run, one, other))
			return false;
	return true;
}

static bool equal_objects(struct jmespath_run *run, const struct json *a, const struct json *b)
{
	json_each (member, a) {
		const struct json *other = json_get_str(b, member->key);

		if (!other || !jmespath_equal(run, member, other))
			return false;
	}
	return true;
}

bool jmespath_equal(struct jmespath_run *run, const struct json *a, const struct json *b)
{
	if (!jmespath_step(run) || a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		return true;
	case JSON_NUMBER:
		return str_eq(a->text, b->text) || numbers_order(a->text, b->text) == 0;
	case JSON_STRING:
	case JSON_BINARY:
		return str_eq(a->text, b->text);
	case JSON_ARRAY:
		return equal_arrays(run, a, b);
	case JSON_OBJECT:
		return equal_objects(run, a, b);
	}
	BUG("no type of JSON");
}
