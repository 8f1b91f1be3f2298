#include "snapshot/smile_internal.h"

#include "base/json_number.h"

#include <inttypes.h>
#include <math.h>

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

static struct str big_integer(struct rd *rd, struct arena *mem)
{
	struct str bytes = smile_packed_bytes(rd, JSON_NUMBER_BYTES_MAX, mem);

	return bytes.ptr ? json_number_of_integer(mem, bytes) : STR_NONE;
}

static struct str big_decimal(struct rd *rd, struct arena *mem)
{
	int64_t scale = rd_zigzag(smile_vint(rd));
	struct str digits = big_integer(rd, mem);

	if (!digits.ptr)
		return digits;
	if (scale < INT32_MIN || scale > INT32_MAX) {
		rd->failed = true;
		return STR_NONE;
	}
	return json_number_of_decimal(mem, digits, (int32_t)scale);
}

/* Seven bits a byte, right-aligned: 5 bytes for 32 bits, 10 for 64. */
static uint64_t float_bits(struct rd *rd, size_t bytes)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < bytes; i++)
		bits = bits << 7 | (rd_u8(rd) & 0x7f);
	return bits;
}

static struct str single_float(struct rd *rd, struct arena *mem, bool *quoted)
{
	uint32_t bits = (uint32_t)float_bits(rd, 5);
	float value;

	memcpy(&value, &bits, sizeof(value));
	*quoted = !isfinite(value);
	return json_number_of_float(mem, value);
}

static struct str double_float(struct rd *rd, struct arena *mem, bool *quoted)
{
	uint64_t bits = float_bits(rd, 10);
	double value;

	memcpy(&value, &bits, sizeof(value));
	*quoted = !isfinite(value);
	return json_number_of_double(mem, value);
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
