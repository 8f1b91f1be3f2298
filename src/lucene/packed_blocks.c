/* A block in lanes. Numbers are first laid beside one another: number i of lane l is l * n + i of
 * all, n being the numbers of a lane. Then the words are filled from the top of each lane:
 *
 *   a lane of 8, numbers of 3 bits, w words: | i | w + i | rest |     i < w
 *
 * and what is left of the numbers goes to the rests, one behind the other, as a stream of bits.
 *
 * Source: ForUtil, ForDeltaUtil, PForUtil of lucene84 (8.11.3), lucene912 (9.12.1), lucene101
 * (10.2.1), lucene104 (10.5.0); lucene41 and lucene50 ForUtil, util/packed/BulkOperationPacked
 * and BulkOperationPackedSingleBlock (5.5.5). */
#include "lucene/packed_blocks.h"

#define PLAIN_COUNT 128
/* Of the numbers of a block, in bytes: 256 of 32 bits. */
#define BLOCK_BYTES (PACKED_BLOCK_MOST * 4)

static void fill(uint32_t *out, unsigned count, uint32_t value)
{
	for (unsigned i = 0; i < count; i++)
		out[i] = value;
}

static uint32_t mask(unsigned bits)
{
	return bits >= 32 ? UINT32_MAX : (1U << bits) - 1;
}

static void plain_single(struct byte_stream *s, unsigned bits, uint32_t *out)
{
	unsigned each = 64 / bits;

	for (unsigned i = 0; i < PLAIN_COUNT;) {
		uint64_t word = byte_stream_64(s);

		for (unsigned k = 0; k < each && i < PLAIN_COUNT; k++)
			out[i++] = (uint32_t)(word >> k * bits) & mask(bits);
	}
}

static void plain_stream(struct byte_stream *s, unsigned bits, uint32_t *out)
{
	uint64_t held = 0;
	unsigned have = 0;

	for (unsigned i = 0; i < PLAIN_COUNT; i++) {
		for (; have < bits; have += 8)
			held = held << 8 | byte_stream_u8(s);
		have -= bits;
		out[i] = (uint32_t)(held >> have) & mask(bits);
	}
}

void packed_block_plain(struct byte_stream *s, uint64_t single, uint32_t *out)
{
	unsigned bits = byte_stream_u8(s);

	if (bits == 0)
		fill(out, PLAIN_COUNT, byte_stream_vint(s));
	else if (bits > 32)
		s->failed = true;
	else if (single >> bits & 1)
		plain_single(s, bits, out);
	else
		plain_stream(s, bits, out);
}

struct lane {
	const uint64_t *words;
	unsigned count;  /* of words */
	unsigned shift;  /* of the lane in a word */
	unsigned width;  /* of the lane */
	unsigned bits;   /* of a number */
	unsigned values; /* of the lane */
};

static void unpack_lane(const struct lane *lane, uint32_t *out)
{
	unsigned rest = lane->width % lane->bits, full = lane->width / lane->bits, n = 0, have = 0;
	uint64_t held = 0;

	for (unsigned row = 1; row <= full; row++)
		for (unsigned i = 0; i < lane->count && n < lane->values; i++)
			out[n++] = (uint32_t)(lane->words[i] >>
					      (lane->shift + lane->width - row * lane->bits)) &
				   mask(lane->bits);
	for (unsigned i = 0; n < lane->values && i < lane->count; i++) {
		held = held << rest | ((lane->words[i] >> lane->shift) & mask(rest));
		have += rest;
		if (have < lane->bits)
			continue;
		have -= lane->bits;
		out[n++] = (uint32_t)(held >> have) & mask(lane->bits);
	}
}

void packed_block_lanes(struct byte_stream *s, const struct packed_lanes *lanes, unsigned bits,
			uint32_t *out)
{
	unsigned width = bits <= lanes->narrow ? 8 : bits <= lanes->middle ? 16 : 32;
	unsigned count = bits * lanes->count / lanes->word, each = lanes->word / width;
	uint64_t words[BLOCK_BYTES / 4];

	if (bits == 0 || bits > 32) {
		s->failed = true;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		words[i] = lanes->word == 64 ? byte_stream_64(s) : byte_stream_32(s);
	for (unsigned l = 0; l < each; l++) {
		const struct lane lane = {.words = words,
					  .count = count,
					  .shift = lanes->word - (l + 1) * width,
					  .width = width,
					  .bits = bits,
					  .values = lanes->count / each};

		unpack_lane(&lane, out + (size_t)l * lane.values);
	}
}

void packed_block_patched(struct byte_stream *s, const struct packed_lanes *lanes, uint32_t *out)
{
	unsigned token = byte_stream_u8(s), bits = token & 0x1f;

	if (bits == 0)
		fill(out, lanes->count, byte_stream_vint(s));
	else
		packed_block_lanes(s, lanes, bits, out);
	for (unsigned i = 0; i < token >> 5; i++) {
		unsigned which = byte_stream_u8(s);
		uint32_t upper = byte_stream_u8(s);

		if (which < lanes->count)
			out[which] |= upper << bits;
	}
}
