#include "lucene/direct_monotonic.h"

/* Beyond what a float can be on the way to an i64. */
#define TOO_LARGE 9.2e18f

struct direct_monotonic rd_direct_monotonic(struct rd *rd, uint64_t count, unsigned shift)
{
	struct direct_monotonic values = {.count = count, .shift = shift, .little = rd->little};
	uint64_t blocks;

	if (shift < 1 || shift > 30 || count > (uint64_t)INT64_MAX / 2) {
		rd->failed = true;
		return values;
	}
	blocks = (count + (UINT64_C(1) << shift) - 1) >> shift;
	if (blocks > rd_left(rd) / DIRECT_MONOTONIC_META_LENGTH)
		rd->failed = true;
	else
		values.meta = rd_bytes(rd, (size_t)blocks * DIRECT_MONOTONIC_META_LENGTH);
	return values;
}

static bool bits_are_known(unsigned bits)
{
	switch (bits) {
	case 1:
	case 2:
	case 4:
	case 12:
	case 20:
	case 28:
		return true;
	default:
		return bits % 8 == 0 && bits >= 8 && bits <= 64;
	}
}

/* The value of `bits` bits at index i of a stream; it never spans more than 8 bytes. */
static uint64_t unpack(const uint8_t *bytes, uint64_t i, unsigned bits, bool little)
{
	uint64_t bit = i * bits, held = 0;
	unsigned skip = (unsigned)(bit % 8), count = (skip + bits + 7) / 8;

	bytes += bit / 8;
	for (unsigned n = 0; n < count; n++)
		held = little ? held | (uint64_t)bytes[n] << 8 * n : held << 8 | bytes[n];
	held >>= little ? skip : count * 8 - skip - bits;
	return bits == 64 ? held : held & ((UINT64_C(1) << bits) - 1);
}

bool direct_monotonic_get(const struct direct_monotonic *values, uint64_t i, int64_t *out)
{
	struct rd rd =
		rd_over(str_of(values->meta + (i >> values->shift) * DIRECT_MONOTONIC_META_LENGTH,
			       DIRECT_MONOTONIC_META_LENGTH));
	uint64_t min, offset, sum, index = i & ((UINT64_C(1) << values->shift) - 1);
	uint32_t average_bits;
	float average, product;
	unsigned bits;

	rd.little = values->little;
	min = (uint64_t)rd_i64(&rd);
	average_bits = (uint32_t)rd_i32(&rd);
	offset = (uint64_t)rd_i64(&rd);
	bits = rd_u8(&rd);
	memcpy(&average, &average_bits, sizeof(average));
	product = average * (float)index;
	if (!(product > -TOO_LARGE && product < TOO_LARGE))
		return false;
	sum = min + (uint64_t)(int64_t)product;
	if (bits > 0) {
		struct str data = values->data;

		if (!bits_are_known(bits) || offset > data.len ||
		    (index + 1) * bits > (data.len - offset) * 8)
			return false;
		sum += unpack((const uint8_t *)data.ptr + offset, index, bits, values->little);
	}
	*out = (int64_t)sum;
	return true;
}
