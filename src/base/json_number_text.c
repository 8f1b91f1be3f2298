#include "base/json_number_text.h"

#include <string.h>

#define EXPONENT_DIGITS_MAX 17

/* The number behind an 'e'; false when it is too long to be counted with. */
static bool read_exponent(struct str text, int64_t *out)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	uint64_t value;

	if (text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+'))
		text = str_from_offset(text, 1);
	while (text.len > 1 && text.ptr[0] == '0')
		text = str_from_offset(text, 1);
	if (text.len > EXPONENT_DIGITS_MAX || !str_to_u64(text, &value))
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool is_idle(char c)
{
	return c == '0' || c == '.';
}

/* The first of two bytes, or the end. */
static size_t find_either(struct str text, char a, char b)
{
	size_t at = 0;

	while (at < text.len && text.ptr[at] != a && text.ptr[at] != b)
		at++;
	return at;
}

/* The digits that count of a mantissa such as 0012.340, and what they are to be multiplied by. */
static void take_digits(struct json_decimal *d, struct str mantissa)
{
	size_t point = find_either(mantissa, '.', '.'), from = 0, to = mantissa.len;

	while (to > 0 && is_idle(mantissa.ptr[to - 1]))
		to--;
	while (from < to && is_idle(mantissa.ptr[from]))
		from++;
	/* The last digit that counts stands `to` from the start, the point at `point`. */
	d->exponent += to > point ? -(int64_t)(to - point - 1) : (int64_t)(point - to);
	d->digits = str_of(mantissa.ptr + from, to - from);
	d->point = point > from && point < to ? point - from : d->digits.len;
}

struct json_decimal json_decimal_of(struct str text)
{
	struct json_decimal d = {.exact = true};
	size_t mantissa;

	d.negative = text.len > 0 && text.ptr[0] == '-';
	if (d.negative)
		text = str_from_offset(text, 1);
	mantissa = find_either(text, 'e', 'E');
	if (mantissa < text.len)
		d.exact = read_exponent(str_from_offset(text, mantissa + 1), &d.exponent);
	take_digits(&d, str_of(text.ptr, mantissa));
	if (d.digits.len == 0) {
		d.negative = false;
		d.exponent = 0;
		d.exact = true;
	}
	return d;
}

/* The i-th digit, the point passed over; '\0' at the end. */
static char digit_at(const struct json_decimal *d, size_t i)
{
	i += i >= d->point;
	return i < d->digits.len ? d->digits.ptr[i] : '\0';
}

bool json_numbers_equal(struct str a, struct str b)
{
	struct json_decimal x, y;

	if (str_eq(a, b))
		return true;
	x = json_decimal_of(a);
	y = json_decimal_of(b);
	if (!x.exact || !y.exact || x.negative != y.negative || x.exponent != y.exponent)
		return false;
	for (size_t i = 0;; i++) {
		char c = digit_at(&x, i);

		if (c != digit_at(&y, i))
			return false;
		if (!c)
			return true;
	}
}
