#include "lucene/monotonic_values.h"

#include "lucene/packed_values.h"

#include <stdlib.h>

#define HEADER_LEAST 6u /* bytes: vLong, i32, vInt */
#define HEADER_MOST 19u
/* Beyond what a float can be on the way to an i64. */
#define TOO_LARGE 9.2e18f

static uint64_t block_count(const struct monotonic_meta *meta)
{
	return (meta->count >> meta->shift) +
	       ((meta->count & ((UINT64_C(1) << meta->shift) - 1)) != 0);
}

static struct monotonic_block read_header(struct rd *rd, bool zigzag_values)
{
	struct monotonic_block block = {0};
	uint64_t min = rd_vlong(rd);
	uint32_t average = rd_be32(rd), bits = rd_vint(rd);

	block.min = zigzag_values ? (int64_t)min : rd_zigzag(min);
	memcpy(&block.average, &average, sizeof(average));
	if (bits > 64)
		rd->failed = true;
	block.bits = (uint8_t)bits;
	return block;
}

/* The beginnings of all blocks, each found behind the one before it. */
static int read_blocks(struct monotonic_values *values, uint64_t blocks, struct err *err)
{
	const struct monotonic_meta *meta = values->meta;
	uint64_t at = (uint64_t)meta->offset, left = meta->count;

	if (blocks > (values->end - at) / HEADER_LEAST)
		return err_set(err, ERR_FORMAT,
			       "is said to have %llu addresses at %lld, and its content ends at "
			       "%llu",
			       (unsigned long long)meta->count, (long long)meta->offset,
			       (unsigned long long)values->end);
	if (blocks > LIMIT_COLUMN_BLOCK / sizeof(*values->own))
		return err_set(err, ERR_LIMIT,
			       "has %llu blocks of addresses, more than are held in memory",
			       (unsigned long long)blocks);
	values->own = mem_alloc((size_t)blocks * sizeof(*values->own));
	values->blocks = values->own;
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t size = MIN(left, UINT64_C(1) << meta->shift);
		size_t len = HEADER_MOST;
		const uint8_t *bytes;
		struct rd rd;

		if (range_window_want(&values->window, at, &len, &bytes, err) < 0)
			return -(int)err->kind;
		rd = rd_over(str_of(bytes, len));
		values->own[i] = read_header(&rd, meta->zigzag);
		if (rd_check(&rd, "block of addresses", err) < 0)
			return -(int)err->kind;
		values->own[i].data = at + rd.pos;
		at += rd.pos + (size * values->own[i].bits + 7) / 8;
		left -= size;
	}
	return 0;
}

int monotonic_values_init(struct monotonic_values *values, const struct monotonic_meta *meta,
			  bool little, struct bytes_source *source, uint64_t end, struct err *err)
{
	uint64_t blocks = block_count(meta);

	*values = (struct monotonic_values){.meta = meta, .little = little, .end = end};
	if (blocks > 0 && (meta->offset < 0 || (uint64_t)meta->offset > end))
		return err_set(err, ERR_FORMAT,
			       "is said to have addresses at %lld, and its content ends at %llu",
			       (long long)meta->offset, (unsigned long long)end);
	range_window_init(&values->window, source, end);
	if (meta->in_data)
		return blocks ? read_blocks(values, blocks, err) : 0;
	values->base = (uint64_t)meta->offset;
	values->blocks = meta->blocks;
	return 0;
}

void monotonic_values_release(struct monotonic_values *values)
{
	range_window_release(&values->window);
	free(values->own);
	values->own = NULL;
}

int monotonic_values_get(struct monotonic_values *values, uint64_t i, int64_t *out, struct err *err)
{
	const struct monotonic_meta *meta = values->meta;
	const struct monotonic_block *block;
	uint64_t index, packed;
	float product;

	*out = 0;
	if (meta->zero_left_out && i-- == 0)
		return 0;
	if (i >= meta->count)
		return err_set(err, ERR_FORMAT, "has %llu addresses, and number %llu is asked for",
			       (unsigned long long)meta->count, (unsigned long long)i);
	block = &values->blocks[i >> meta->shift];
	index = i & ((UINT64_C(1) << meta->shift) - 1);
	product = block->average * (float)index;
	if (!(product > -TOO_LARGE && product < TOO_LARGE) || block->bits > 64 ||
	    block->data > values->end - values->base)
		return err_set(err, ERR_FORMAT, "has a damaged block of addresses, at %llu",
			       (unsigned long long)(values->base + block->data));
	if (packed_bits_read(&values->window, values->little, values->base + block->data,
			     block->bits, index, &packed, err) < 0)
		return -(int)err->kind;
	if (meta->zigzag)
		packed = (uint64_t)rd_zigzag(packed);
	*out = (int64_t)((uint64_t)block->min + (uint64_t)(int64_t)product + packed);
	return 0;
}

size_t monotonic_values_memory(const struct monotonic_values *values)
{
	return (values->window.bytes ? RANGE_WINDOW_SIZE : 0) +
	       (values->own ? block_count(values->meta) * sizeof(*values->own) : 0);
}
