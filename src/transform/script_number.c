#include "transform/script_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Up to so many digits, no two decimals are the same double, and a double is written with them. */
#define SURE_DIGITS 15
/* JavaScript writes smaller fractions with an exponent. */
#define PLAIN_PLACES 6

/* What a number without exponent is made of. */
struct shape {
	size_t digits, point, first; /* first: where the first digit but 0 is; SIZE_MAX: none */
	bool plain;                  /* no exponent */
};

static struct shape shape_of(struct str text)
{
	struct shape shape = {.point = SIZE_MAX, .first = SIZE_MAX, .plain = true};

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '.')
			shape.point = i;
		else if (c >= '0' && c <= '9')
			shape.digits++;
		else if (c != '-')
			shape.plain = false;
		if (shape.first == SIZE_MAX && c >= '1' && c <= '9')
			shape.first = i;
	}
	return shape;
}

bool script_number_is_kept(struct str text)
{
	struct shape shape = shape_of(text);
	bool is_zero = shape.first == SIZE_MAX;

	if (!shape.plain || shape.digits > SURE_DIGITS || (is_zero && text.ptr[0] == '-'))
		return false;
	if (shape.point == SIZE_MAX)
		return true;
	return !is_zero && text.ptr[text.len - 1] != '0' &&
	       (shape.first < shape.point || shape.first - shape.point <= PLAIN_PLACES);
}

double script_number_value(struct str text)
{
	char small[64], *copy = text.len < sizeof(small) ? small : mem_alloc(text.len + 1);
	double value;

	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	value = strtod(copy, NULL);
	if (copy != small)
		free(copy);
	/* -0 is the same number as 0, and comes back as it. */
	return isinf(value) ? copysign(DBL_MAX, value) : value + 0.0;
}

/* A decimal without what does not change its value: 0.0120e1 is the digits 12 with exponent -2. */
struct decimal {
	char digits[40];
	size_t count;
	bool too_long;
	int64_t exponent; /* of the last digit */
};

static int64_t exponent_in(struct str text)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	int64_t value = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= '0' && text.ptr[i] <= '9' && value < INT32_MAX)
			value = value * 10 + (text.ptr[i] - '0');
	return negative ? -value : value;
}

static struct decimal decimal_of(struct str text)
{
	struct decimal d = {0};
	int64_t zeros = 0; /* seen, and maybe trailing */
	bool fraction = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == 'e' || c == 'E') {
			d.exponent += exponent_in(str_from_offset(text, i + 1));
			break;
		}
		fraction |= c == '.';
		if (c < '0' || c > '9')
			continue;
		d.exponent -= fraction;
		if (c == '0') {
			zeros += d.count > 0;
			continue;
		}
		for (; zeros > 0 && d.count < sizeof(d.digits); zeros--)
			d.digits[d.count++] = '0';
		d.too_long |= d.count >= sizeof(d.digits);
		if (!d.too_long)
			d.digits[d.count++] = c;
	}
	d.exponent += zeros;
	return d;
}

static bool same_decimal(const struct decimal *a, const struct decimal *b)
{
	if (a->too_long || b->too_long)
		return false;
	if (a->count == 0 || b->count == 0)
		return a->count == b->count;
	return a->count == b->count && a->exponent == b->exponent &&
	       memcmp(a->digits, b->digits, a->count) == 0;
}

bool script_number_is_inexact(struct str text, double value)
{
	struct shape shape = shape_of(text);
	struct decimal given, shortest;
	char shown[40];

	if (shape.plain && shape.digits <= SURE_DIGITS)
		return false;
	given = decimal_of(text);
	for (int places = SURE_DIGITS - 1; places < 17; places++) {
		snprintf(shown, sizeof(shown), "%.*e", places, value);
		if (strtod(shown, NULL) == value)
			break;
	}
	shortest = decimal_of(str_from(shown));
	return !same_decimal(&given, &shortest);
}
