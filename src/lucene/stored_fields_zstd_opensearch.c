/* Stored fields of OpenSearch's custom-codecs plugin, `index.codec` zstd and zstd_no_dict:
 * "CustomStoredFieldsZstd" and "CustomStoredFieldsZstdNoDict", the same from Lucene 9.5 to 10.4.
 * The framing is that of Lucene 9; a unit is cut into blocks, and each is compressed on its own:
 *
 *   zstd:          vInt dictionary length | vInt block length
 *                  | vInt compressed length, frame: of the dictionary, then of each block
 *   zstd_no_dict:  vInt block length | vInt compressed length, frame: of each block
 *
 *   decoded:   [dictionary][block 1][block 2] ... [last block, shorter]
 *
 * The dictionary is the start of the unit; the decoded bytes are the raw dictionary of every block.
 * A part of no bytes has the compressed length 0 and no frame. Writers make 10 blocks, and a
 * dictionary of a 60th.
 *
 * "CustomStoredFieldsLz4", of drafts of the plugin that were never released, is zstd_no_dict with
 * bare LZ4 blocks for frames.
 *
 * Source: custom-codecs 3.8 ZstdCompressionMode, ZstdNoDictCompressionMode,
 * Lucene104CustomStoredFieldsFormat; its draft for Lucene 9.2 Lz4CompressionMode. */
#include "base/lz4_block.h"
#include "lucene/stored_fields_internal.h"

#define MAX_BLOCKS 256u

typedef int decode_part(struct stored_fields *fields, struct str packed, struct str dictionary,
			uint8_t *dst, size_t length, struct err *err);

static int decode_lz4(struct stored_fields *fields, struct str packed, struct str dictionary,
		      uint8_t *dst, size_t length, struct err *err)
{
	size_t consumed;

	(void)fields;
	(void)dictionary;
	if (lz4_block_decode((const uint8_t *)packed.ptr, packed.len, dst, 0, length, &consumed,
			     err) < 0)
		return -(int)err->kind;
	if (consumed != packed.len)
		return err_set(err, ERR_FORMAT, "an LZ4 block of %zu bytes ends after %zu",
			       packed.len, consumed);
	return 0;
}

/* Reads a part that decodes to `length` bytes at dst; NULL: passes over it. */
static int read_part(struct stored_fields *fields, decode_part *decode, struct str dictionary,
		     uint8_t *dst, size_t length, struct err *err)
{
	struct stored_window *w = &fields->window;
	uint32_t packed;

	if (stored_read_compressed_length(fields, length, &packed, err) < 0)
		return -(int)err->kind;
	if (length == 0 && packed != 0)
		return err_set(err, ERR_FORMAT, "%u compressed bytes for none", packed);
	if (!dst || length == 0)
		return stored_window_skip(w, packed, err);
	if (stored_window_need(w, packed, err) < 0 ||
	    decode(fields, str_of(stored_window_at(w), packed), dictionary, dst, length, err) < 0)
		return -(int)err->kind;
	w->pos += packed;
	return 0;
}

/* The blocks of a unit whose first `dictionary` bytes are decoded already. */
static int read_blocks(struct stored_fields *fields, decode_part *decode, size_t dictionary,
		       uint32_t block, uint8_t *dst, size_t length, struct err *err)
{
	struct str words = dst ? str_of(dst, dictionary) : STR_NONE;

	if (length - dictionary > (uint64_t)block * MAX_BLOCKS)
		return err_set(err, ERR_FORMAT, "%zu bytes in blocks of %u are too many blocks",
			       length, block);
	for (size_t at = dictionary; at < length; at += block) {
		if (read_part(fields, decode, words, dst ? dst + at : NULL, MIN(block, length - at),
			      err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int decode_zstd(struct stored_fields *fields, uint8_t *dst, size_t length, struct err *err)
{
	uint32_t dictionary, block;

	if (stored_window_vint(&fields->window, &dictionary, err) < 0 ||
	    stored_window_vint(&fields->window, &block, err) < 0)
		return -(int)err->kind;
	if (dictionary > length)
		return err_set(err, ERR_FORMAT, "a dictionary of %u bytes in %zu bytes", dictionary,
			       length);
	if (read_part(fields, stored_unzstd, STR_NONE, dst, dictionary, err) < 0)
		return -(int)err->kind;
	return read_blocks(fields, stored_unzstd, dictionary, block, dst, length, err);
}

static int decode_without_dictionary(struct stored_fields *fields, decode_part *decode,
				     uint8_t *dst, size_t length, struct err *err)
{
	uint32_t block;

	if (stored_window_vint(&fields->window, &block, err) < 0)
		return -(int)err->kind;
	return read_blocks(fields, decode, 0, block, dst, length, err);
}

static int decode_zstd_no_dict(struct stored_fields *fields, uint8_t *dst, size_t length,
			       struct err *err)
{
	return decode_without_dictionary(fields, stored_unzstd, dst, length, err);
}

static int decode_lz4_native(struct stored_fields *fields, uint8_t *dst, size_t length,
			     struct err *err)
{
	return decode_without_dictionary(fields, decode_lz4, dst, length, err);
}

#define FORMAT(codec_string, expands, function)           \
	{                                                 \
		.codec = (codec_string),                  \
		.min_version = 1,                         \
		.max_version = 1,                         \
		.little_endian = true,                    \
		.index_codec = "Lucene90FieldsIndexMeta", \
		.expansion = (expands),                   \
		.read_ints = stored_read_block_ints,      \
		.decode = (function),                     \
	}

const struct stored_format stored_format_zstd_opensearch =
	FORMAT("CustomStoredFieldsZstd", 32768, decode_zstd);

const struct stored_format stored_format_zstd_no_dict_opensearch =
	FORMAT("CustomStoredFieldsZstdNoDict", 32768, decode_zstd_no_dict);

const struct stored_format stored_format_lz4_opensearch =
	FORMAT("CustomStoredFieldsLz4", 255, decode_lz4_native);
