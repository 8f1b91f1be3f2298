#include "base/json_number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Java's bounds for the plain form, as powers of ten of the first digit. */
#define PLAIN_FROM (-3)
#define PLAIN_BELOW 7

/* -d.ddddE-300 as printf's %e gives it, taken apart. */
struct decimal {
	bool negative;
	char digits[20]; /* without trailing zeros, at least one */
	int count;
	int exponent; /* power of ten of the first digit */
};

static bool reads_back(const char *text, double value, bool single)
{
	return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* A decimal that has as few digits as `sure` comes back from printf with zeros behind it, so few
 * lengths need to be tried; subnormal numbers alone have fewer digits than that to begin with. */
static struct decimal shortest(double value, bool single)
{
	int sure = single ? 6 : 15, most = single ? 9 : 17;
	bool subnormal = fabs(value) < (single ? 0x1p-126 : 0x1p-1022);
	struct decimal d = {.negative = signbit(value)};
	const char *at;
	char text[40];

	for (int digits = subnormal ? 2 : sure; digits <= most; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
		if (reads_back(text, value, single))
			break;
	}
	for (at = text + d.negative; *at != 'e'; at++)
		if (*at != '.')
			d.digits[d.count++] = *at;
	d.exponent = (int)strtol(at + 1, NULL, 10);
	while (d.count > 1 && d.digits[d.count - 1] == '0')
		d.count--;
	return d;
}

static struct str print(struct arena *mem, const struct decimal *d)
{
	const char *sign = d->negative ? "-" : "", *digits = d->digits;
	int whole = d->exponent + 1; /* digits before the point */
	static const char zeros[] = "0000000";

	if (d->exponent < PLAIN_FROM || d->exponent >= PLAIN_BELOW)
		return arena_printf(mem, "%s%c.%.*sE%d", sign, digits[0], MAX(d->count - 1, 1),
				    d->count > 1 ? digits + 1 : "0", d->exponent);
	if (whole <= 0)
		return arena_printf(mem, "%s0.%.*s%.*s", sign, -whole, zeros, d->count, digits);
	if (d->count <= whole)
		return arena_printf(mem, "%s%.*s%.*s.0", sign, d->count, digits, whole - d->count,
				    zeros);
	return arena_printf(mem, "%s%.*s.%.*s", sign, whole, digits, d->count - whole,
			    digits + whole);
}

static struct str floating(struct arena *mem, double value, bool single)
{
	struct decimal d;

	if (!isfinite(value))
		return arena_str(mem, isnan(value) ? STR("NaN")
				      : value > 0  ? STR("Infinity")
						   : STR("-Infinity"));
	d = shortest(value, single);
	return print(mem, &d);
}

struct str json_number_of_double(struct arena *mem, double value)
{
	return floating(mem, value, false);
}

struct str json_number_of_float(struct arena *mem, float value)
{
	return floating(mem, (double)value, true);
}

/* Divides the big-endian magnitude by 10^9 in place and returns the remainder. */
static uint32_t divide_by_billion(uint8_t *magnitude, size_t len)
{
	uint64_t remainder = 0;

	for (size_t i = 0; i < len; i++) {
		remainder = remainder << 8 | magnitude[i];
		magnitude[i] = (uint8_t)(remainder / 1000000000);
		remainder %= 1000000000;
	}
	return (uint32_t)remainder;
}

/* Two's complement to magnitude, in place; true if it was negative. */
static bool negate_if_negative(uint8_t *bytes, size_t len)
{
	unsigned carry = 1;

	if (len == 0 || !(bytes[0] & 0x80))
		return false;
	for (size_t i = len; i-- > 0;) {
		carry += (uint8_t)~bytes[i];
		bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return true;
}

struct str json_number_of_integer(struct arena *mem, struct str bytes)
{
	/* 256^n has fewer than 2.41 n digits, here in groups of nine; a sign and a NUL. */
	size_t groups = bytes.len * 3 / 10 + 2, size = 9 * groups + 2, at = size - 1;
	uint8_t magnitude[JSON_NUMBER_BYTES_MAX];
	char *text = arena_alloc(mem, size);
	bool negative;

	if (!text)
		return STR_NONE;
	if (bytes.len > sizeof(magnitude))
		BUG("an integer of too many bytes");
	if (bytes.len > 0)
		memcpy(magnitude, bytes.ptr, bytes.len);
	negative = negate_if_negative(magnitude, bytes.len);
	text[at] = '\0';
	for (size_t group = 0; group < groups; group++) {
		uint32_t rest = divide_by_billion(magnitude, bytes.len);

		for (int digit = 0; digit < 9; digit++, rest /= 10)
			text[--at] = (char)('0' + rest % 10);
	}
	while (text[at] == '0' && at < size - 2)
		at++;
	if (negative)
		text[--at] = '-';
	return str_of(text + at, size - 1 - at);
}

struct str json_number_of_decimal(struct arena *mem, struct str digits, int32_t scale)
{
	bool negative = digits.len > 0 && digits.ptr[0] == '-';
	struct str d = str_from_offset(digits, negative);
	int64_t whole = (int64_t)d.len - scale; /* digits before the point */
	const char *sign = negative ? "-" : "";

	if (scale == 0 || d.len == 0)
		return digits;
	if (scale > 0 && whole > 0)
		return arena_printf(mem, "%s%.*s.%.*s", sign, (int)whole, d.ptr, scale,
				    d.ptr + whole);
	if (scale > 0 && whole > -6)
		return arena_printf(mem, "%s0.%.*s" STR_FMT, sign, (int)-whole, "000000",
				    STR_ARG(d));
	return arena_printf(mem, "%s%c%s" STR_FMT "E%+" PRId64, sign, d.ptr[0],
			    d.len > 1 ? "." : "", STR_ARG(str_from_offset(d, 1)), whole - 1);
}
