/* .fdm: what a pass over the .fdt needs to know of it, and what it can be held against.
 *
 *   vInt chunk size | 50, 87: vInt packed ints version         (in the .fdt before version 3)
 *   what belongs to the .fdx: see stored_index_90.c
 *   vLong chunks (87 from version 4, 90) | vLong dirty chunks | vLong dirty documents
 *                                                              (87, 90)
 *
 * Source: Lucene 9.12.1 Lucene90CompressingStoredFieldsReader, FieldsIndexReader; Lucene 8.11.3
 * CompressingStoredFieldsReader. */
#include "lucene/stored_fields_internal.h"

#include "base/limits.h"
#include "lucene/stored_index_internal.h"

int stored_read_chunk_size(struct stored_fields *fields, struct rd *rd, struct err *err)
{
	bool has_size = fields->version >= fields->format->chunk_size_version;

	fields->chunk_size = has_size ? rd_vint(rd) : 0;
	if (fields->format->packed_ints) {
		uint32_t version = rd_vint(rd);

		if (!rd->failed && version != 1 && version != 2)
			return err_set(err, ERR_UNSUPPORTED, "packed ints of version %u", version);
	}
	if (!rd->failed && has_size && fields->chunk_size == 0)
		return err_set(err, ERR_FORMAT, "a chunk size of 0");
	return rd_check(rd, "the chunk size", err);
}

static int read_index(struct stored_fields *fields, struct rd *rd, struct err *err)
{
	struct stored_index_meta index;

	if (stored_index_meta_read(rd, fields->max_doc, &index, err) < 0)
		return -(int)err->kind;
	fields->chunk_count = index.entries - 1;
	fields->chunks_end = index.chunks_end;
	return 0;
}

static int read_body(struct stored_fields *fields, struct str body, const uint8_t *id,
		     struct err *err)
{
	const struct stored_format *format = fields->format;
	struct rd rd = rd_over(body);
	struct codec_header header;

	if (codec_index_header_read(&rd, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, format->index_codec))
		return err_set(err, ERR_FORMAT, "it is a '" STR_FMT "', not a '%s'",
			       STR_ARG(header.codec), format->index_codec);
	if (header.version < 0 || header.version > fields->version)
		return err_set(err, ERR_FORMAT, "its version %d is above the .fdt's %d",
			       header.version, fields->version);
	if (id && memcmp(id, header.id, CODEC_ID_LENGTH) != 0)
		return err_set(err, ERR_FORMAT, "it belongs to another segment");
	rd.little = format->little_endian;
	if (fields->version >= format->meta_version && stored_read_chunk_size(fields, &rd, err) < 0)
		return -(int)err->kind;
	return read_index(fields, &rd, err);
}

int stored_read_meta(struct stored_fields *fields, struct lucene_directory *dir, struct str segment,
		     const uint8_t *id, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_LUCENE_META_FILE + KIB(64));
	struct str name = arena_printf(&mem, STR_FMT ".fdm", STR_ARG(segment)), body;

	if (!name.ptr)
		return arena_fail(&mem, "a file name", err);
	if (lucene_file_read(dir, name, &mem, &body, err) < 0)
		return -(int)err->kind;
	if (read_body(fields, body, id, err) < 0)
		return err_wrap(err, "'" STR_FMT "' of %s", STR_ARG(name), dir->name);
	return 0;
}
