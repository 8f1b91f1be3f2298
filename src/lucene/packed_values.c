/* Packed values: a stream of `bits` bits each, without gaps. Up to Lucene 8 value i stands at bit
 * i * bits counted from the top of the first byte, from 9 on counted from its bottom.
 *
 * Source: Lucene 9.12.1 util/packed/DirectReader, codecs/lucene90/Lucene90DocValuesProducer;
 * 4.10.4 util/packed/BlockPackedReader. */
#include "lucene/packed_values.h"

#define BLOCK_HEADER_MOST 13 /* u8, i64, i32 */
#define MIN_IS_ZERO 1u

static uint64_t bits_from_top(const uint8_t *bytes, unsigned bit, unsigned count)
{
	uint64_t value = 0;

	while (count > 0) {
		unsigned there = 8 - (bit & 7), take = MIN(there, count);

		value = value << (take & 15) |
			(*bytes++ >> (there - take) & ((1u << (take & 15)) - 1));
		count -= take;
		bit = 0;
	}
	return value;
}

static uint64_t bits_from_bottom(const uint8_t *bytes, unsigned bit, unsigned count)
{
	uint64_t value = 0;
	unsigned shift = 0;

	while (shift < count) {
		unsigned take = MIN(8 - (bit & 7), count - shift);

		value |= (uint64_t)(*bytes++ >> bit & ((1u << (take & 15)) - 1)) << shift;
		shift += take;
		bit = 0;
	}
	return value;
}

int packed_bits_read(struct range_window *window, bool little, uint64_t data, uint8_t bits,
		     uint64_t i, uint64_t *out, struct err *err)
{
	uint64_t first = i * bits;
	unsigned bit = first & 7;
	size_t len = (bit + bits + 7) / 8;
	const uint8_t *bytes;

	*out = 0;
	if (bits == 0)
		return 0;
	if (range_window_need(window, data + first / 8, len, &bytes, err) < 0)
		return -(int)err->kind;
	*out = little ? bits_from_bottom(bytes, bit, bits) : bits_from_top(bytes, bit, bits);
	return 0;
}

static void read_header_70(struct rd *rd, struct packed_block *block)
{
	uint32_t length;

	block->bits = rd_u8(rd);
	block->min = rd_i64(rd);
	length = block->bits ? (uint32_t)rd_i32(rd) : 0;
	block->next = length;
}

static void read_header_45(struct rd *rd, struct packed_block *block)
{
	uint8_t token = rd_u8(rd);

	block->bits = token >> 1;
	block->min = token & MIN_IS_ZERO ? 0 : rd_zigzag(1 + rd_vlong_of_nine(rd));
	block->next = (block->size * block->bits + 7) / 8;
}

/* The block that starts at `at`, the one after the block at hand. */
static int enter_block(struct packed_values *values, int64_t number, uint64_t at, struct err *err)
{
	const struct numeric_values *meta = values->meta;
	struct packed_block *block = &values->block;
	size_t len = BLOCK_HEADER_MOST;
	const uint8_t *bytes;
	struct rd rd;

	if (range_window_want(&values->window, at, &len, &bytes, err) < 0)
		return -(int)err->kind;
	rd = rd_over(str_of(bytes, len));
	rd.little = values->little;
	block->number = number;
	block->size =
		MIN(meta->block_size, (uint64_t)(meta->count - number * (int64_t)meta->block_size));
	if (meta->layout == NUMERIC_BLOCKS_70)
		read_header_70(&rd, block);
	else
		read_header_45(&rd, block);
	if (block->bits > 64)
		rd.failed = true;
	block->data = at + rd.pos;
	block->next += block->data;
	return rd_check(&rd, "block of numbers", err);
}

static int find_block(struct packed_values *values, int64_t number, struct err *err)
{
	struct packed_block *block = &values->block;

	if (block->size == 0 || number < block->number) {
		if (enter_block(values, 0, (uint64_t)values->meta->offset, err) < 0)
			return -(int)err->kind;
	}
	while (block->number < number)
		if (enter_block(values, block->number + 1, block->next, err) < 0) {
			block->size = 0;
			return -(int)err->kind;
		}
	return 0;
}

static int get_from_block(struct packed_values *values, int64_t index, int64_t *out,
			  struct err *err)
{
	const struct numeric_values *meta = values->meta;
	const struct packed_block *block = &values->block;
	uint64_t min, gcd = (uint64_t)meta->gcd, packed;

	if (find_block(values, index / (int64_t)meta->block_size, err) < 0 ||
	    packed_bits_read(&values->window, values->little, block->data, block->bits,
			     (uint64_t)index & (meta->block_size - 1), &packed, err) < 0)
		return -(int)err->kind;
	min = (uint64_t)block->min;
	if (meta->layout == NUMERIC_BLOCKS_70)
		*out = (int64_t)(min + gcd * packed);
	else
		*out = (int64_t)((uint64_t)meta->min + gcd * (min + packed));
	return 0;
}

int packed_values_get(struct packed_values *values, int64_t index, int64_t *out, struct err *err)
{
	const struct numeric_values *meta = values->meta;
	uint64_t packed;

	if (index < 0 || index >= meta->count)
		return err_set(err, ERR_FORMAT,
			       "has %lld numbers of a field, and number %lld is "
			       "asked for",
			       (long long)meta->count, (long long)index);
	if (meta->layout != NUMERIC_WHOLE)
		return get_from_block(values, index, out, err);
	if (packed_bits_read(&values->window, values->little, (uint64_t)meta->offset, meta->bits,
			     (uint64_t)index, &packed, err) < 0)
		return -(int)err->kind;
	if (meta->table_size == 0 || meta->bits == 0) {
		*out = (int64_t)((uint64_t)meta->min + (uint64_t)meta->gcd * packed);
		return 0;
	}
	if (packed >= (uint64_t)meta->table_size)
		return err_set(err, ERR_FORMAT, "has entry %llu of a table of %d numbers",
			       (unsigned long long)packed, meta->table_size);
	*out = meta->table[packed];
	return 0;
}

/* Where the values end; they may say nothing of it. False: they cannot lie there. */
static bool find_end(const struct numeric_values *meta, uint64_t content_end, uint64_t *end)
{
	uint64_t offset = (uint64_t)meta->offset, length = (uint64_t)meta->length;

	*end = content_end;
	if (meta->offset < 0 || offset > content_end)
		return false;
	if (meta->length == -1)
		return true;
	*end = offset + length;
	return meta->length >= 0 && length <= content_end - offset;
}

int packed_values_init(struct packed_values *values, const struct numeric_values *meta, bool little,
		       struct bytes_source *source, uint64_t end, struct err *err)
{
	*values = (struct packed_values){.meta = meta, .little = little};
	if (meta->layout == NUMERIC_WHOLE && meta->bits == 0)
		return 0;
	if (!find_end(meta, end, &values->end) ||
	    (meta->layout == NUMERIC_WHOLE && meta->bits > 64) || meta->count < 0 ||
	    meta->count > NUMBERS_MOST)
		return err_set(err, ERR_FORMAT,
			       "is said to have %lld numbers of a field, of %u bits, at %lld with "
			       "%lld bytes; its content has %llu bytes",
			       (long long)meta->count, meta->bits, (long long)meta->offset,
			       (long long)meta->length, (unsigned long long)end);
	range_window_init(&values->window, source, values->end);
	return 0;
}

void packed_values_release(struct packed_values *values)
{
	range_window_release(&values->window);
}
