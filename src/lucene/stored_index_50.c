/* Index of Lucene 4.1 to 8.4: "Lucene41StoredFieldsIndex", "Lucene50StoredFieldsFastIndex" and
 * "...HighIndex".
 *
 *   header | vInt packed ints version | blocks | vInt 0 | vLong end of the chunks | footer
 *                                       (end and footer not in Lucene41… before version 2)
 *   block:  vInt chunks, up to 1024
 *           vInt first document | vInt documents a chunk | vInt bits | deltas
 *           vLong first start   | vLong bytes a chunk    | vInt bits | deltas
 *
 * Chunk i of a block starts at first + i * average + delta i. Deltas are zigzag, each of that many
 * bits, most significant bit first, padded at the end to a byte (packed ints of version 0: to 8).
 *
 * Source: Lucene 4.1.0, 4.10.4 and 5.5.5 CompressingStoredFieldsIndexReader and -Writer. */
#include "lucene/stored_index_internal.h"

#define BLOCK_MAX 65536u

/* One of the two columns of a block. */
struct column {
	uint64_t first, average;
	unsigned bits;
	const uint8_t *deltas; /* those not yet taken */
	unsigned used;         /* bits of the first of these bytes */
};

static struct column read_column(struct rd *rd, uint32_t count, unsigned bits_max, uint32_t align)
{
	struct column column = {.first = rd_vlong(rd), .average = rd_vlong(rd)};
	size_t length;

	column.bits = rd_vint(rd);
	if (column.bits > bits_max)
		rd->failed = true;
	length = ((size_t)count * column.bits + 7) / 8;
	column.deltas = rd_bytes(rd, (length + align - 1) / align * align);
	return column;
}

static uint64_t take_delta(struct column *column)
{
	uint64_t delta = 0;

	for (unsigned left = column->bits; left > 0;) {
		unsigned n = MIN(left, 8 - column->used);

		delta = delta << n | (uint8_t)(*column->deltas << column->used) >> (8 - n);
		column->used += n;
		column->deltas += column->used / 8;
		column->used %= 8;
		left -= n;
	}
	return delta;
}

/* Of value i; they are asked for one after the other. */
static uint64_t take_value(struct column *column, uint32_t i)
{
	uint64_t delta = take_delta(column);

	return column->first + column->average * i + (uint64_t)rd_zigzag(delta);
}

static int read_block(struct rd *rd, uint32_t count, uint32_t align,
		      struct stored_index_builder *builder, struct err *err)
{
	struct column docs, positions;

	if (count > BLOCK_MAX)
		return err_set(err, ERR_FORMAT, "a block of %u chunks", count);
	docs = read_column(rd, count, 32, align);
	positions = read_column(rd, count, 64, align);
	if (rd_check(rd, "a block of chunks", err) < 0)
		return -(int)err->kind;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t doc = take_value(&docs, i);

		/* What is no document at all becomes one that is refused. */
		if (stored_index_add(builder, doc > INT32_MAX ? INT32_MAX : (int32_t)doc,
				     take_value(&positions, i), err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

int stored_index_decode_50(struct rd *rd, bool has_end, struct stored_index_builder *builder,
			   struct err *err)
{
	uint32_t packed_version = rd_vint(rd), count;
	uint64_t end = builder->index.file_length;

	if (!rd->failed && packed_version > 2)
		return err_set(err, ERR_UNSUPPORTED, "packed ints of version %u", packed_version);
	while ((count = rd_vint(rd)) != 0)
		if (read_block(rd, count, packed_version == 0 ? 8 : 1, builder, err) < 0)
			return -(int)err->kind;
	if (has_end)
		end = rd_vlong(rd);
	if (rd_check(rd, "the index", err) < 0)
		return -(int)err->kind;
	if (rd_left(rd) > 0)
		return err_set(err, ERR_FORMAT, "%zu bytes lie behind the index", rd_left(rd));
	return stored_index_finish(builder, end, err);
}
