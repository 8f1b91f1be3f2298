/* Stored fields of Elasticsearch 8.14 on, "ZstdStoredFields814" (both of its modes): the framing of
 * Lucene 9, every unit one zstd frame without a dictionary.
 *
 *   unit:  vInt length | zstd frame          (nothing at all for a unit of no bytes)
 *
 * Source: Elasticsearch 8.19 index/codec/zstd/Zstd814StoredFieldsFormat. */
#include "lucene/stored_fields_internal.h"

#include <zstd.h>

int stored_unzstd(struct stored_fields *fields, struct str frame, struct str dictionary,
		  uint8_t *dst, size_t length, struct err *err)
{
	size_t n;

	if (!fields->zstd)
		fields->zstd = ZSTD_createDCtx();
	if (!fields->zstd)
		return err_set(err, ERR_NOMEM, "no memory for a zstd decoder");
	n = ZSTD_decompress_usingDict(fields->zstd, dst, length, frame.ptr, frame.len,
				      dictionary.ptr, dictionary.len);
	if (ZSTD_isError(n))
		return err_set(err, ERR_FORMAT, "a zstd frame of %zu bytes is damaged: %s",
			       frame.len, ZSTD_getErrorName(n));
	if (n != length)
		return err_set(err, ERR_FORMAT, "a zstd frame of %zu bytes became %zu, not %zu",
			       frame.len, n, length);
	return 0;
}

static int decode_zstd(struct stored_fields *fields, uint8_t *dst, size_t length, struct err *err)
{
	struct stored_window *w = &fields->window;
	uint32_t compressed;

	if (length == 0)
		return 0;
	if (stored_read_compressed_length(fields, length, &compressed, err) < 0)
		return -(int)err->kind;
	if (!dst)
		return stored_window_skip(w, compressed, err);
	if (stored_window_need(w, compressed, err) < 0 ||
	    stored_unzstd(fields, str_of(stored_window_at(w), compressed), STR_NONE, dst, length,
			  err) < 0)
		return -(int)err->kind;
	w->pos += compressed;
	return 0;
}

const struct stored_format stored_format_zstd814 = {
	.codec = "ZstdStoredFields814",
	.min_version = 1,
	.max_version = 1,
	.little_endian = true,
	.index_codec = "Lucene90FieldsIndexMeta",
	.expansion = 32768, /* a block of 128 KiB, all the same byte, takes 4 */
	.read_ints = stored_read_block_ints,
	.decode = decode_zstd,
};
