#include "snapshot/smile_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_INT32 0x24
#define TOKEN_INT64 0x25
#define TOKEN_BIG_INTEGER 0x26
#define TOKEN_FLOAT 0x28
#define TOKEN_DOUBLE 0x29
#define TOKEN_BIG_DECIMAL 0x2a

uint64_t smile_vint(struct rd *rd)
{
	uint64_t value = 0;

	for (int i = 0; i < 10; i++) {
		uint8_t b = rd_u8(rd);
		unsigned bits = b & 0x80 ? 6 : 7;

		if (value >> (64 - bits))
			break;
		value = value << bits | (b & ((1u << bits) - 1));
		if (b & 0x80)
			return value;
	}
	rd->failed = true;
	return 0;
}

/* 8 bytes of input give 7 of output, most significant bits first; the last, shorter group has its
 * bits at the right end of its last byte. */
struct str smile_packed_bytes(struct rd *rd, size_t limit, struct arena *mem)
{
	uint64_t length = smile_vint(rd);
	uint64_t packed = length + length / 7 + (length % 7 != 0);
	const uint8_t *in;
	uint8_t *out;

	if (length > limit || !(in = rd_bytes(rd, (size_t)packed))) {
		rd->failed = true;
		return STR_NONE;
	}
	out = arena_alloc(mem, (size_t)length);
	for (size_t done = 0; out && done < length; done += 7) {
		size_t group = MIN((size_t)length - done, (size_t)7);
		uint64_t bits = 0;

		for (size_t i = 0; i < group; i++)
			bits = bits << 7 | (*in++ & 0x7f);
		bits = bits << group | (*in++ & (0x7fu >> (7 - group)));
		for (size_t i = 0; i < group; i++)
			out[done + i] = (uint8_t)(bits >> (8 * (group - 1 - i)));
	}
	return str_of(out, (size_t)length);
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

/* A big-endian two's complement integer (overwritten) as decimal digits. */
static struct str decimal_of(uint8_t *bytes, size_t len, struct arena *mem)
{
	/* 256^n has fewer than 2.41 n digits, here in groups of nine; a sign and a NUL. */
	size_t groups = len * 3 / 10 + 2, size = 9 * groups + 2, at = size - 1;
	char *text = arena_alloc(mem, size);
	bool negative = negate_if_negative(bytes, len);

	if (!text)
		return STR_NONE;
	text[at] = '\0';
	for (size_t group = 0; group < groups; group++) {
		uint32_t rest = divide_by_billion(bytes, len);

		for (int digit = 0; digit < 9; digit++, rest /= 10)
			text[--at] = (char)('0' + rest % 10);
	}
	while (text[at] == '0' && at < size - 2)
		at++;
	if (negative)
		text[--at] = '-';
	return str_of(text + at, size - 1 - at);
}

static struct str big_integer(struct rd *rd, struct arena *mem)
{
	struct str packed = smile_packed_bytes(rd, SMILE_BIG_NUMBER_MAX, mem);
	uint8_t bytes[SMILE_BIG_NUMBER_MAX];

	if (!packed.ptr)
		return STR_NONE;
	memcpy(bytes, packed.ptr, packed.len);
	return decimal_of(bytes, packed.len, mem);
}

static struct str big_decimal(struct rd *rd, struct arena *mem)
{
	int64_t scale = rd_zigzag(smile_vint(rd));
	struct str digits = big_integer(rd, mem);

	if (!digits.ptr || scale == 0)
		return digits;
	if (scale < INT32_MIN || scale > INT32_MAX) {
		rd->failed = true;
		return STR_NONE;
	}
	return arena_printf(mem, STR_FMT "e%" PRId64, STR_ARG(digits), -scale);
}

/* Seven bits a byte, right-aligned: 5 bytes for 32 bits, 10 for 64. */
static uint64_t float_bits(struct rd *rd, size_t bytes)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < bytes; i++)
		bits = bits << 7 | (rd_u8(rd) & 0x7f);
	return bits;
}

/* Prints the value with the fewest digits that read back the same; returns how many they are, and
 * the decimal exponent. */
static int shortest(double value, bool single, char text[static 48], int *exponent)
{
	int digits = 0;

	do
		snprintf(text, 48, "%.*e", digits++, value);
	while (digits < 17 &&
	       (single ? strtof(text, NULL) != (float)value : strtod(text, NULL) != value));
	*exponent = atoi(strchr(text, 'e') + 1);
	return digits;
}

/* As the servers print it, so that what they say of themselves compares equal: 100.0, 0.001,
 * 1.0E7. */
static struct str float_text(double value, bool single, struct arena *mem, bool *quoted)
{
	char text[48];
	int digits, exponent;

	*quoted = !isfinite(value);
	if (*quoted)
		return arena_str(mem, isnan(value) ? STR("NaN")
				      : value > 0  ? STR("Infinity")
						   : STR("-Infinity"));
	digits = shortest(value, single, text, &exponent);
	if (exponent >= -3 && exponent < 7)
		return arena_printf(mem, "%.*f", MAX(1, digits - 1 - exponent), value);
	*strchr(text, 'e') = '\0';
	return arena_printf(mem, "%s%sE%d", text, strchr(text, '.') ? "" : ".0", exponent);
}

static struct str single_float(struct rd *rd, struct arena *mem, bool *quoted)
{
	uint32_t bits = (uint32_t)float_bits(rd, 5);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return float_text((double)value, true, mem, quoted);
}

static struct str double_float(struct rd *rd, struct arena *mem, bool *quoted)
{
	uint64_t bits = float_bits(rd, 10);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return float_text(value, false, mem, quoted);
}

struct str smile_number(uint8_t token, struct rd *rd, struct arena *mem, bool *quoted)
{
	*quoted = false;
	switch (token) {
	case TOKEN_INT32:
	case TOKEN_INT64:
		return arena_printf(mem, "%" PRId64, rd_zigzag(smile_vint(rd)));
	case TOKEN_BIG_INTEGER:
		return big_integer(rd, mem);
	case TOKEN_FLOAT:
		return single_float(rd, mem, quoted);
	case TOKEN_DOUBLE:
		return double_float(rd, mem, quoted);
	case TOKEN_BIG_DECIMAL:
		return big_decimal(rd, mem);
	default:
		rd->failed = true;
		return STR_NONE;
	}
}
