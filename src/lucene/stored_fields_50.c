/* Stored fields of Lucene 5.0 to 8.6: "Lucene50StoredFieldsFastData" and "...HighData".
 *
 *   Fast unit:  one bare LZ4 block; how long it is, only decoding it tells
 *   High unit:  vInt length | raw DEFLATE                         (length 0: no bytes)
 *
 * An array in the header of a chunk:
 *
 *   vInt bits per value; 0: vInt, the value of all; else the values, each that many bits, most
 *   significant bit first, padded at the end to a byte
 *
 * Source: Lucene 8.6.3 CompressingStoredFieldsReader, CompressionMode, PackedInts. */
#include "base/lz4_block.h"
#include "lucene/stored_fields_internal.h"

#include <libdeflate.h>

void stored_read_packed_ints(struct rd *rd, uint32_t *out, uint32_t count)
{
	uint32_t bits = rd_vint(rd), held = 0;
	uint64_t acc = 0;
	const uint8_t *p;

	if (bits == 0) {
		uint32_t value = rd_vint(rd);

		for (uint32_t i = 0; i < count; i++)
			out[i] = value;
		return;
	}
	if (bits > 32) {
		rd->failed = true;
		return;
	}
	p = rd_bytes(rd, ((size_t)count * bits + 7) / 8);
	for (uint32_t i = 0; p && i < count; i++) {
		for (; held < bits; held += 8)
			acc = acc << 8 | *p++;
		held -= bits;
		out[i] = (uint32_t)(acc >> held & ((UINT64_C(1) << bits) - 1));
	}
}

int stored_decode_lz4(struct stored_fields *fields, uint8_t *dst, size_t length, struct err *err)
{
	struct stored_window *w = &fields->window;
	struct str in;
	size_t consumed;
	int rc;

	if (stored_window_want(w, lz4_block_bound(length), err) < 0)
		return -(int)err->kind;
	in = stored_window_str(w);
	if (dst)
		rc = lz4_block_decode((const uint8_t *)in.ptr, in.len, dst, 0, length, &consumed,
				      err);
	else
		rc = lz4_block_skip((const uint8_t *)in.ptr, in.len, length, &consumed, err);
	if (rc == 0)
		w->pos += consumed;
	return rc;
}

int stored_inflate(struct stored_fields *fields, const uint8_t *src, size_t src_len, uint8_t *dst,
		   size_t dst_len, struct err *err)
{
	if (!fields->inflate)
		fields->inflate = libdeflate_alloc_decompressor();
	if (!fields->inflate)
		return err_set(err, ERR_NOMEM, "no memory for a DEFLATE decoder");
	if (libdeflate_deflate_decompress(fields->inflate, src, src_len, dst, dst_len, NULL) !=
	    LIBDEFLATE_SUCCESS)
		return err_set(err, ERR_FORMAT,
			       "%zu bytes of DEFLATE are damaged: they do not become %zu", src_len,
			       dst_len);
	return 0;
}

static int decode_deflate(struct stored_fields *fields, uint8_t *dst, size_t length,
			  struct err *err)
{
	struct stored_window *w = &fields->window;
	uint32_t compressed;

	if (stored_read_compressed_length(fields, length, &compressed, err) < 0)
		return -(int)err->kind;
	if (!dst || length == 0)
		return stored_window_skip(w, compressed, err);
	if (stored_window_need(w, compressed, err) < 0 ||
	    stored_inflate(fields, stored_window_at(w), compressed, dst, length, err) < 0)
		return -(int)err->kind;
	w->pos += compressed;
	return 0;
}

const struct stored_format stored_format_50_fast = {
	.codec = "Lucene50StoredFieldsFastData",
	.max_version = 4,
	.index_version = 2,
	.meta_version = 3,
	.dirty_version = 4,
	.statistics_version = 1,
	.packed_ints = true,
	.index_codec = "Lucene85FieldsIndexMeta",
	.expansion = 255,
	.read_ints = stored_read_packed_ints,
	.decode = stored_decode_lz4,
};

const struct stored_format stored_format_50_high = {
	.codec = "Lucene50StoredFieldsHighData",
	.max_version = 4,
	.index_version = 2,
	.meta_version = 3,
	.dirty_version = 4,
	.statistics_version = 1,
	.packed_ints = true,
	.index_codec = "Lucene85FieldsIndexMeta",
	.expansion = 1032,
	.read_ints = stored_read_packed_ints,
	.decode = decode_deflate,
};
