#include "snapshot/snapshot_blob.h"
#include "snapshot/metadata_format.h"
#include "snapshot/smile.h"

#include "lucene/codec_file.h"

#define ZLIB_CONST /* next_in points to what we only borrow */
#include <zlib.h>
#include <zstd.h>

/* The envelope is Lucene's, without an id:
 *
 *   BE32 3FD76C17 | string codec | BE32 version 1 | payload | BE32 C02893E8 | BE32 0 | BE64 CRC-32
 *
 *   payload:  ":)\n" …     SMILE
 *             "DFL\0" …    raw DEFLATE of SMILE (repository setting `compress`)
 *             "ZSTD\0" …   zstd of SMILE (OpenSearch 2.10 on, `compression_type`)
 *
 * The mark of the compression counts at the start of the payload only: names and file content
 * inside may well hold the same bytes.
 *
 * Source: Elasticsearch 7.10.2 ChecksumBlobStoreFormat, DeflateCompressor; OpenSearch 2.19
 * ZstdCompressor. */

#define DFL STR("DFL\0")
#define ZST STR("ZSTD\0")
#define ENVELOPE_VERSION 1

bool dfl_is(struct str bytes)
{
	return str_starts(bytes, DFL);
}

static void end_inflate(z_stream *stream)
{
	inflateEnd(stream);
}

static int inflate_all(z_stream *stream, struct buf *out, struct err *err)
{
	int rc = Z_OK;

	while (rc == Z_OK) {
		size_t room = MAX(out->len, KIB(16));

		room = MIN(room, out->limit - out->len);
		stream->next_out = buf_reserve(out, room ? room : 1);
		if (!stream->next_out)
			return buf_check(out, "inflated metadata", err);
		stream->avail_out = (uInt)room;
		rc = inflate(stream, Z_NO_FLUSH);
		out->len += room - stream->avail_out;
	}
	if (rc != Z_STREAM_END || stream->avail_in > 0)
		return err_set(err, ERR_FORMAT, "compressed metadata is damaged after %lu bytes",
			       stream->total_in);
	return 0;
}

int dfl_inflate(struct str bytes, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf inflated = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	cleanup(end_inflate) z_stream stream = {0};
	struct str deflated = str_from_offset(bytes, DFL.len);
	int rc;

	/* zlib counts in 32 bits; a blob is held against a far lower limit before it comes here. */
	if (deflated.len > LIMIT_SNAPSHOT_BLOB)
		return err_set(err, ERR_LIMIT, "compressed metadata has %zu bytes, more than %zu",
			       deflated.len, LIMIT_SNAPSHOT_BLOB);
	stream.next_in = (const Bytef *)deflated.ptr;
	stream.avail_in = (uInt)deflated.len;
	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return err_set(err, ERR_NOMEM, "zlib cannot start");
	rc = inflate_all(&stream, &inflated, err);
	if (rc < 0)
		return rc;
	*out = arena_str(mem, buf_str(&inflated));
	return out->ptr ? 0 : arena_fail(mem, "inflated metadata", err);
}

static void free_decoder(ZSTD_DStream **decoder)
{
	ZSTD_freeDStream(*decoder);
}

/* Frames made from a stream do not say how long they become. */
static int unzstd_all(ZSTD_DStream *decoder, struct str frame, struct buf *out, struct err *err)
{
	ZSTD_inBuffer in = {frame.ptr, frame.len, 0};
	size_t rc;

	do {
		size_t room = MIN(MAX(out->len, KIB(16)), out->limit - out->len);
		ZSTD_outBuffer to = {buf_reserve(out, room ? room : 1), room, 0};

		if (!to.dst || room == 0)
			return buf_check(out, "decompressed metadata", err);
		rc = ZSTD_decompressStream(decoder, &to, &in);
		out->len += to.pos;
		if (ZSTD_isError(rc))
			return err_set(err, ERR_FORMAT, "compressed metadata is damaged: %s",
				       ZSTD_getErrorName(rc));
		if (rc != 0 && in.pos == in.size && to.pos < to.size)
			return err_set(err, ERR_FORMAT, "compressed metadata is cut off");
	} while (rc != 0);
	if (in.pos != in.size)
		return err_set(err, ERR_FORMAT, "compressed metadata has %zu bytes too many",
			       in.size - in.pos);
	return 0;
}

static int unzstd(struct str bytes, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf decoded = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	cleanup(free_decoder) ZSTD_DStream *decoder = ZSTD_createDStream();
	int rc;

	if (!decoder)
		return err_set(err, ERR_NOMEM, "no memory for a zstd decoder");
	rc = unzstd_all(decoder, str_from_offset(bytes, ZST.len), &decoded, err);
	if (rc < 0)
		return rc;
	*out = arena_str(mem, buf_str(&decoded));
	return out->ptr ? 0 : arena_fail(mem, "decompressed metadata", err);
}

int snapshot_blob_decode_payload(struct str payload, struct arena *mem, struct json **out,
				 struct err *err)
{
	int rc = 0;

	if (dfl_is(payload))
		rc = dfl_inflate(payload, mem, &payload, err);
	else if (str_starts(payload, ZST))
		rc = unzstd(payload, mem, &payload, err);
	if (rc < 0)
		return rc;
	return smile_parse(payload, mem, out, err);
}

int snapshot_blob_decode(struct str blob, const char *codec, struct arena *mem, struct json **out,
			 struct err *err)
{
	struct rd rd = rd_over(blob);
	struct codec_header header;
	int rc = codec_footer_check(blob, err);

	if (rc < 0)
		return rc;
	rd.len -= CODEC_FOOTER_LENGTH;
	rc = codec_header_read(&rd, &header, err);
	if (rc < 0)
		return rc;
	if (!str_is(header.codec, codec))
		return err_set(err, ERR_FORMAT, "holds '" STR_FMT "' where '%s' should be",
			       STR_ARG(header.codec), codec);
	if (header.version != ENVELOPE_VERSION)
		return err_set(err, ERR_UNSUPPORTED, "is '%s' of the unknown version %d", codec,
			       (int)header.version);
	return snapshot_blob_decode_payload(str_of(rd.bytes + rd.pos, rd_left(&rd)), mem, out, err);
}

int snapshot_blob_read(struct blob_store *store, struct str name, const char *codec,
		       struct arena *mem, struct json **out, struct err *err)
{
	struct str blob;
	int rc = blob_store_read(store, name, mem, LIMIT_SNAPSHOT_BLOB, &blob, err);

	if (rc < 0)
		return rc;
	if (snapshot_blob_decode(blob, codec, mem, out, err) < 0)
		return err_wrap(err, "blob '" STR_FMT "'", STR_ARG(name));
	return 0;
}

const struct metadata_format metadata_format_dat = {
	.snapshot_prefix = "snap-",
	.global_prefix = "meta-",
	.index_prefix = "meta-",
	.suffix = ".dat",
	.has_checksum = true,
	.read = snapshot_blob_read,
};
