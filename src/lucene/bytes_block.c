/* Blocks of byte strings, the n entries of one:
 *
 *   TERMS_70    first; each other: u8 suffix - 1 << 4 | prefix, 15: + vInt each, suffix
 *   TERMS_LZ4   first; n > 1: vInt length, LZ4 of what TERMS_70 has behind the first term, whose
 *               bytes matches may reach back into
 *   TERMS_410   first; lengths: 15 times u8, or 0xFF and 15 times i16; each other: u8 prefix,
 *               suffix of its length + 1
 *   TERMS_45    each: vInt prefix, vInt suffix length, suffix
 *   CHUNKS_80   vInt length << 1 | all are of that length; else vInt each; LZ4 of all values
 *
 *   first: vInt length, bytes. A prefix is the previous term's, in TERMS_410 the first one's.
 *
 * Source: Lucene 10.5.0 codecs/lucene90, 8.11.3 codecs/lucene80/Lucene80DocValuesProducer, 6.6.6
 * codecs/lucene54/Lucene54DocValuesProducer, 4.9.1 codecs/lucene45/Lucene45DocValuesProducer. */
#include "base/lz4_block.h"
#include "lucene/bytes_values.h"

#define LENGTHS_410 15
#define WIDE_LENGTHS 0xff

/* Entry i: `prefix` bytes of entry `from`, and `length` bytes off the cursor. */
static void add_entry(struct bytes_values *values, struct rd *rd, uint32_t i, uint32_t from,
		      uint64_t prefix, uint64_t length)
{
	const uint8_t *bytes = rd_bytes(rd, (size_t)MIN(length, SIZE_MAX));
	uint32_t shared = i ? values->starts[from + 1] - values->starts[from] : 0;

	values->starts[i] = (uint32_t)values->entries.len;
	values->starts[i + 1] = values->starts[i];
	if (rd->failed || prefix > shared || prefix + length > (uint64_t)values->meta->max_length) {
		rd->failed = true;
		return;
	}
	/* Room first: what is copied lies in the same memory. */
	if (!buf_reserve(&values->entries, (size_t)(prefix + length)))
		return;
	if (prefix)
		buf_append(&values->entries, values->entries.ptr + values->starts[from],
			   (size_t)prefix);
	if (length)
		buf_append(&values->entries, bytes, (size_t)length);
	values->starts[i + 1] = (uint32_t)values->entries.len;
}

static void add_first(struct bytes_values *values, struct rd *rd)
{
	add_entry(values, rd, 0, 0, 0, rd_vint(rd));
}

/* Terms 1 to count - 1. */
static void add_with_tokens(struct bytes_values *values, struct rd *rd, uint32_t count)
{
	for (uint32_t i = 1; i < count && !rd->failed; i++) {
		uint8_t token = rd_u8(rd);
		uint64_t prefix = token & 15, suffix = 1 + (uint64_t)(token >> 4);

		if (prefix == 15)
			prefix += rd_vint(rd);
		if (suffix == 16)
			suffix += rd_vint(rd);
		add_entry(values, rd, i, i - 1, prefix, suffix);
	}
}

/* Decompresses `length` bytes behind what `inflated` holds. */
static int inflate(struct bytes_values *values, struct rd *rd, uint64_t length, struct err *err)
{
	struct buf *out = &values->inflated;
	size_t prefix = out->len, consumed;
	uint8_t *room;

	if (length > LIMIT_COLUMN_BLOCK || (int64_t)length > values->meta->block_most)
		return err_set(err, ERR_FORMAT,
			       "has a block of %llu bytes in a field of up to %lld bytes",
			       (unsigned long long)length, (long long)values->meta->block_most);
	room = buf_reserve(out, (size_t)length + LZ4_BLOCK_SLACK);
	if (!room)
		return buf_check(out, "a block of doc values", err);
	if (lz4_block_decode(rd->bytes + rd->pos, rd_left(rd), room, prefix, (size_t)length,
			     &consumed, err) < 0)
		return -(int)err->kind;
	out->len += (size_t)length;
	return 0;
}

static int decode_lz4_terms(struct bytes_values *values, struct rd *rd, uint32_t count,
			    struct err *err)
{
	struct rd tokens;
	size_t first;

	add_first(values, rd);
	if (count == 1 || rd->failed)
		return 0;
	first = values->entries.len;
	buf_reset(&values->inflated);
	if (first)
		buf_append(&values->inflated, values->entries.ptr, first);
	if (inflate(values, rd, rd_vint(rd), err) < 0)
		return -(int)err->kind;
	tokens = rd_over(str_from_offset(buf_str(&values->inflated), first));
	add_with_tokens(values, &tokens, count);
	rd->failed |= tokens.failed;
	return 0;
}

static void decode_410(struct bytes_values *values, struct rd *rd, uint32_t count)
{
	uint32_t lengths[LENGTHS_410];
	bool wide;

	add_first(values, rd);
	if (count == 1)
		return;
	wide = rd_left(rd) > 0 && rd->bytes[rd->pos] == WIDE_LENGTHS;
	if (wide)
		rd_u8(rd);
	for (size_t i = 0; i < LENGTHS_410; i++)
		lengths[i] = 1 + (wide ? (uint32_t)rd_be16(rd) : rd_u8(rd));
	for (uint32_t i = 1; i < count && i <= LENGTHS_410 && !rd->failed; i++) {
		uint8_t prefix = rd_u8(rd);

		add_entry(values, rd, i, 0, prefix, lengths[i - 1]);
	}
}

static void decode_45(struct bytes_values *values, struct rd *rd, uint32_t count)
{
	for (uint32_t i = 0; i < count && !rd->failed; i++) {
		uint64_t prefix = rd_vint(rd);
		uint64_t suffix = rd_vint(rd);

		add_entry(values, rd, i, i ? i - 1 : 0, prefix, suffix);
	}
}

/* The lengths of 2^block_shift values, as the starts of `count` of them; the rest are 0. */
static uint64_t read_lengths(struct bytes_values *values, struct rd *rd, uint32_t count)
{
	uint32_t all = (uint32_t)1 << values->meta->block_shift, first = rd_vint(rd);
	uint64_t total = 0;

	for (uint32_t i = 0; i < all && !rd->failed; i++) {
		uint32_t length = i == 0 || first & 1 ? first >> 1 : rd_vint(rd);

		if (i < count)
			values->starts[i] = (uint32_t)total;
		total += length;
		if (total > LIMIT_COLUMN_BLOCK)
			rd->failed = true;
		if (i < count)
			values->starts[i + 1] = (uint32_t)total;
	}
	return total;
}

static int decode_chunk(struct bytes_values *values, struct rd *rd, uint32_t count, struct err *err)
{
	uint64_t total = read_lengths(values, rd, count);

	if (rd->failed)
		return 0;
	buf_reset(&values->inflated);
	if (total > 0 && inflate(values, rd, total, err) < 0)
		return -(int)err->kind;
	if (total > 0)
		buf_append_str(&values->entries, buf_str(&values->inflated));
	return 0;
}

static int decode(struct bytes_values *values, struct rd *rd, uint32_t count, struct err *err)
{
	switch (values->meta->layout) {
	case BYTES_CHUNKS_80:
		return decode_chunk(values, rd, count, err);
	case TERMS_LZ4:
		return decode_lz4_terms(values, rd, count, err);
	case TERMS_70:
		add_first(values, rd);
		add_with_tokens(values, rd, count);
		return 0;
	case TERMS_410:
		decode_410(values, rd, count);
		return 0;
	case TERMS_45:
		decode_45(values, rd, count);
		return 0;
	case BYTES_FIXED:
	case BYTES_VARIABLE:
	default:
		BUG("no blocks in this layout");
	}
}

int bytes_block_decode(struct bytes_values *values, struct str raw, uint32_t count, struct err *err)
{
	struct rd rd = rd_over(raw);

	buf_reset(&values->entries);
	values->starts[0] = 0;
	if (decode(values, &rd, count, err) < 0 ||
	    buf_check(&values->entries, "a block of doc values", err) < 0)
		return -(int)err->kind;
	return rd_check(&rd, "block of values", err);
}
