/* Stored fields of Lucene 8.7 to 8.11, "Lucene87StoredFieldsFastData" and "...HighData": sub-blocks
 * compressed on their own, all with the start of the unit as their dictionary. Lucene 9 kept it.
 *
 *   unit:  vInt dictionary length | vInt block length
 *   Fast:  vInt compressed length of the dictionary and of each block | all these LZ4 blocks
 *   High:  vInt compressed length, raw DEFLATE: of the dictionary, then of each block
 *
 *   decoded:   [dictionary][block 1][block 2] ... [last block, shorter]
 *
 * A decoder is quickest when the dictionary lies right before the block. It does for the first
 * one, and is made to for the others by going from the last block to the first: what lies before
 * a block is not decoded yet and can hold the dictionary meanwhile.
 *
 * Source: Lucene 8.11.3 LZ4WithPresetDictCompressionMode, DeflateWithPresetDictCompressionMode. */
#include "base/lz4_block.h"
#include "lucene/stored_fields_internal.h"

/* Writers make 10. */
#define MAX_BLOCKS 256u

struct layout {
	uint32_t dictionary, block; /* bytes, decoded */
	uint32_t blocks;
};

static int read_layout(struct stored_fields *fields, size_t length, struct layout *out,
		       struct err *err)
{
	struct stored_window *w = &fields->window;
	uint64_t rest;

	if (stored_window_vint(w, &out->dictionary, err) < 0 ||
	    stored_window_vint(w, &out->block, err) < 0)
		return -(int)err->kind;
	if (out->dictionary > length)
		return err_set(err, ERR_FORMAT, "a dictionary of %u bytes in %zu bytes",
			       out->dictionary, length);
	rest = length - out->dictionary;
	/* No writer does; and it is what makes room for the dictionary between the blocks. */
	if (rest > out->block && out->block < out->dictionary)
		return err_set(err, ERR_FORMAT, "a dictionary of %u bytes for blocks of %u",
			       out->dictionary, out->block);
	if (rest > (uint64_t)out->block * MAX_BLOCKS)
		return err_set(err, ERR_FORMAT, "%zu bytes in blocks of %u are too many blocks",
			       length, out->block);
	out->blocks = rest ? (uint32_t)((rest + out->block - 1) / out->block) : 0;
	return 0;
}

/* Where block i starts once decoded. */
static size_t block_start(const struct layout *layout, uint32_t i)
{
	return layout->dictionary + (size_t)i * layout->block;
}

static size_t block_length(const struct layout *layout, uint32_t i, size_t length)
{
	return MIN(layout->block, length - block_start(layout, i));
}

static int decode_lz4(const uint8_t *src, uint32_t src_len, uint8_t *dst, size_t prefix,
		      size_t length, struct err *err)
{
	uint8_t kept[LZ4_BLOCK_SLACK];
	size_t consumed;
	int rc;

	/* The block behind this one is there already, and the decoder scribbles over its start. */
	memcpy(kept, dst + length, sizeof(kept));
	rc = lz4_block_decode(src, src_len, dst, prefix, length, &consumed, err);
	memcpy(dst + length, kept, sizeof(kept));
	if (rc == 0 && consumed != src_len)
		return err_set(err, ERR_FORMAT, "an LZ4 block of %u bytes ends after %zu", src_len,
			       consumed);
	return rc;
}

int stored_decode_lz4_preset(struct stored_fields *fields, uint8_t *dst, size_t length,
			     struct err *err)
{
	struct stored_window *w = &fields->window;
	uint32_t compressed[MAX_BLOCKS + 1];
	struct layout layout;
	const uint8_t *src;
	uint64_t sum = 0;

	if (read_layout(fields, length, &layout, err) < 0)
		return -(int)err->kind;
	for (uint32_t i = 0; i <= layout.blocks; i++) {
		size_t n = i ? block_length(&layout, i - 1, length) : layout.dictionary;

		if (stored_read_compressed_length(fields, n, &compressed[i], err) < 0)
			return -(int)err->kind;
		sum += compressed[i];
	}
	if (!dst)
		return stored_window_skip(w, sum, err);
	if (stored_window_need(w, sum, err) < 0)
		return -(int)err->kind;
	src = stored_window_at(w);
	if (decode_lz4(src, compressed[0], dst, 0, layout.dictionary, err) < 0)
		return -(int)err->kind;
	src += sum;
	for (uint32_t i = layout.blocks; i-- > 0;) {
		uint8_t *to = dst + block_start(&layout, i);

		src -= compressed[i + 1];
		if (i > 0)
			memcpy(to - layout.dictionary, dst, layout.dictionary);
		if (decode_lz4(src, compressed[i + 1], to, layout.dictionary,
			       block_length(&layout, i, length), err) < 0)
			return -(int)err->kind;
	}
	w->pos += (size_t)sum;
	return 0;
}

/* Where each compressed part lies, from the window's position on; *total: all of it. */
static int find_parts(struct stored_fields *fields, const struct layout *layout, size_t length,
		      size_t at[], uint32_t compressed[], size_t *total, struct err *err)
{
	struct stored_window *w = &fields->window;
	size_t end = 0;

	for (uint32_t i = 0; i <= layout->blocks; i++) {
		size_t n = i ? block_length(layout, i - 1, length) : layout->dictionary;
		struct rd rd;

		if (stored_window_want(w, end + 5, err) < 0)
			return -(int)err->kind;
		rd = rd_over(stored_window_str(w));
		rd_skip(&rd, end);
		compressed[i] = rd_vint(&rd);
		if (rd_check(&rd, "a compressed length", err) < 0 ||
		    stored_check_compressed_length(compressed[i], n, err) < 0)
			return -(int)err->kind;
		at[i] = rd.pos;
		end = rd.pos + compressed[i];
		if (stored_window_need(w, end, err) < 0)
			return -(int)err->kind;
	}
	*total = end;
	return 0;
}

static int skip_parts(struct stored_fields *fields, const struct layout *layout, size_t length,
		      struct err *err)
{
	for (uint32_t i = 0; i <= layout->blocks; i++) {
		size_t n = i ? block_length(layout, i - 1, length) : layout->dictionary;
		uint32_t compressed;

		if (stored_read_compressed_length(fields, n, &compressed, err) < 0 ||
		    stored_window_skip(&fields->window, compressed, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* libdeflate takes no dictionary; so it gets one as stored blocks in front of the block's own:
 *   u8 0 | LE16 n | LE16 ~n | n bytes
 * Returns their length; they decode to the dictionary, and the window then holds it. */
static size_t store_dictionary(uint8_t *to, const uint8_t *dictionary, size_t length)
{
	uint8_t *start = to;

	while (length > 0) {
		uint16_t n = (uint16_t)MIN(length, 65535u);
		uint8_t head[5] = {0, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n,
				   (uint8_t)(~n >> 8)};

		memcpy(to, head, sizeof(head));
		memcpy(to + sizeof(head), dictionary, n);
		to += sizeof(head) + n;
		dictionary += n;
		length -= n;
	}
	return (size_t)(to - start);
}

static int decode_deflate_blocks(struct stored_fields *fields, const struct layout *layout,
				 const size_t at[], const uint32_t compressed[], uint8_t *dst,
				 size_t length, struct err *err)
{
	const uint8_t *src = stored_window_at(&fields->window);
	size_t dictionary = layout->dictionary, longest = 0, prefix;
	uint8_t *scratch;

	for (uint32_t i = 1; i <= layout->blocks; i++)
		longest = MAX(longest, compressed[i]);
	scratch = stored_scratch(fields, dictionary + 5 * (dictionary / 65535 + 1) + longest);
	prefix = store_dictionary(scratch, dst, dictionary);
	for (uint32_t i = layout->blocks; i-- > 0;) {
		uint8_t *to = dst + block_start(layout, i) - dictionary;
		size_t to_length = dictionary + block_length(layout, i, length);

		memcpy(scratch + prefix, src + at[i + 1], compressed[i + 1]);
		if (stored_inflate(fields, scratch, prefix + compressed[i + 1], to, to_length,
				   err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

int stored_decode_deflate_preset(struct stored_fields *fields, uint8_t *dst, size_t length,
				 struct err *err)
{
	struct stored_window *w = &fields->window;
	size_t at[MAX_BLOCKS + 1], total = 0;
	uint32_t compressed[MAX_BLOCKS + 1];
	struct layout layout;

	if (read_layout(fields, length, &layout, err) < 0)
		return -(int)err->kind;
	if (!dst)
		return skip_parts(fields, &layout, length, err);
	if (find_parts(fields, &layout, length, at, compressed, &total, err) < 0)
		return -(int)err->kind;
	/* A dictionary of no bytes is no bytes of DEFLATE, either. */
	if (layout.dictionary > 0 && stored_inflate(fields, stored_window_at(w) + at[0],
						    compressed[0], dst, layout.dictionary, err) < 0)
		return -(int)err->kind;
	if (decode_deflate_blocks(fields, &layout, at, compressed, dst, length, err) < 0)
		return -(int)err->kind;
	w->pos += total;
	return 0;
}

const struct stored_format stored_format_87_fast = {
	.codec = "Lucene87StoredFieldsFastData",
	.min_version = 3,
	.max_version = 4,
	.index_version = 2,
	.meta_version = 3,
	.dirty_version = 4,
	.packed_ints = true,
	.index_codec = "Lucene85FieldsIndexMeta",
	.expansion = 255,
	.read_ints = stored_read_packed_ints,
	.decode = stored_decode_lz4_preset,
};

const struct stored_format stored_format_87_high = {
	.codec = "Lucene87StoredFieldsHighData",
	.min_version = 3,
	.max_version = 4,
	.index_version = 2,
	.meta_version = 3,
	.dirty_version = 4,
	.packed_ints = true,
	.index_codec = "Lucene85FieldsIndexMeta",
	.expansion = 1032,
	.read_ints = stored_read_packed_ints,
	.decode = stored_decode_deflate_preset,
};
