#include "lucene/doc_values_files.h"

#include "base/crc32.h"
#include "lucene/lucene_internal.h"

/* Bytes read at a time on the pass over a .dvd; the first piece holds its header. */
#define PIECE_BYTES ((size_t)256 << 10)

static int name_files(struct doc_values_files *files, struct str segment, int64_t generation,
		      struct arena *mem, struct err *err)
{
	struct str format = field_info_attribute(files->field, "PerFieldDocValuesFormat.format");
	struct str number = field_info_attribute(files->field, "PerFieldDocValuesFormat.suffix");
	char text[GENERATION_TEXT];
	struct str gen = generation < 0 ? STR("") : generation_text(generation, text);

	if (!format.ptr || !number.ptr)
		return err_set(err, ERR_FORMAT,
			       "the field '" STR_FMT "' of segment '" STR_FMT
			       "' does not say which doc values files it is in",
			       STR_ARG(files->field->name), STR_ARG(segment));
	files->suffix = arena_printf(mem, STR_FMT "%s" STR_FMT "_" STR_FMT, STR_ARG(gen),
				     generation < 0 ? "" : "_", STR_ARG(format), STR_ARG(number));
	files->meta = arena_printf(mem, STR_FMT "_" STR_FMT ".dvm", STR_ARG(segment),
				   STR_ARG(files->suffix));
	files->data = arena_printf(mem, STR_FMT "_" STR_FMT ".dvd", STR_ARG(segment),
				   STR_ARG(files->suffix));
	if (!files->suffix.ptr || !files->meta.ptr || !files->data.ptr)
		return arena_fail(mem, "doc values", err);
	return 0;
}

int doc_values_files_find(const struct segment_files *segment, const struct field_info *field,
			  struct arena *mem, struct doc_values_files *out, struct err *err)
{
	int64_t generation = field->doc_values_gen;

	*out = (struct doc_values_files){
		.dir = generation < 0 ? segment->inner : segment->outer,
		.infos = generation < 0 ? segment->base : segment->newest,
		.id = segment->commit->id,
		.max_doc = segment->max_doc,
	};
	out->field = field_infos_by_number(out->infos, field->number);
	if (!out->field)
		return err_set(err, ERR_FORMAT,
			       "segment '" STR_FMT "' does not have the field '" STR_FMT
			       "' in its first list of fields",
			       STR_ARG(segment->commit->name), STR_ARG(field->name));
	return name_files(out, segment->commit->name, generation, mem, err);
}

/* The .fnm and the .dvm number types differently. */
static enum doc_values_entry entry_type(enum doc_values_type type)
{
	static const enum doc_values_entry types[] = {
		[DOC_VALUES_NUMERIC] = ENTRY_NUMERIC,
		[DOC_VALUES_BINARY] = ENTRY_BINARY,
		[DOC_VALUES_SORTED] = ENTRY_SORTED,
		[DOC_VALUES_SORTED_SET] = ENTRY_SORTED_SET,
		[DOC_VALUES_SORTED_NUMERIC] = ENTRY_SORTED_NUMERIC,
	};

	return types[type];
}

int doc_values_files_meta(const struct doc_values_files *files, struct arena *mem,
			  struct doc_values_meta *out, struct err *err)
{
	const struct doc_values_wanted wanted = {.number = files->field->number,
						 .type = entry_type(files->field->doc_values),
						 .mem = mem};
	struct str body;

	if (lucene_file_read(files->dir, files->meta, mem, &body, err) < 0)
		return -(int)err->kind;
	if (doc_values_meta_decode_entry(body, files->id, files->suffix, files->infos, &wanted,
					 files->max_doc, out, err) < 0)
		return lucene_file_wrap(files->dir, files->meta, err);
	return 0;
}

int doc_values_files_end(const struct bytes_source *data, const struct doc_values_meta *meta,
			 uint64_t *end, struct err *err)
{
	uint64_t footer = meta->footer ? CODEC_FOOTER_LENGTH : 0;

	/* An empty body would leave the header unseen. */
	if (data->size <= footer)
		return err_set(err, ERR_FORMAT, "has %llu bytes, too few for any doc values",
			       (unsigned long long)data->size);
	*end = data->size - footer;
	return 0;
}

static int read_data_header(const struct doc_values_files *files,
			    const struct doc_values_meta *meta, struct str first_bytes,
			    struct codec_header *header, struct err *err)
{
	struct rd rd = rd_over(first_bytes);

	if (meta->format->plain)
		return codec_plain_header_expect(&rd, files->id, header, err);
	return codec_index_header_expect(&rd, files->id, files->suffix, header, err);
}

int doc_values_files_check(const struct doc_values_files *files, const struct doc_values_meta *meta,
			   struct str first_bytes, struct err *err)
{
	struct codec_header header;

	if (read_data_header(files, meta, first_bytes, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, meta->format->data_codec) || header.version != meta->version)
		return err_set(err, ERR_FORMAT,
			       "is of '" STR_FMT
			       "' version %d, and its metadata of '%s' version %d",
			       STR_ARG(header.codec), header.version, meta->format->meta_codec,
			       meta->version);
	return 0;
}

/* Copies what of the range [range_at, range_at + range_length) lies in the piece read at `at`. */
static void keep_range(struct str piece, uint64_t at, char *range, uint64_t range_at,
		       uint64_t range_length)
{
	uint64_t from = MAX(at, range_at);
	uint64_t to = MIN(at + piece.len, range_at + range_length);

	if (range && from < to)
		memcpy(range + (from - range_at), piece.ptr + (from - at), (size_t)(to - from));
}

int doc_values_files_prove(const struct doc_values_files *files, const struct doc_values_meta *meta,
			   struct bytes_source *data, uint64_t range_at, uint64_t range_length,
			   char *range, struct err *err)
{
	cleanup(mem_freep) char *bytes = mem_alloc((size_t)MIN(data->size, PIECE_BYTES));
	uint8_t footer[CODEC_FOOTER_LENGTH];
	uint32_t crc = 0;
	uint64_t end;

	if (doc_values_files_end(data, meta, &end, err) < 0)
		return -(int)err->kind;
	for (uint64_t at = 0; at < end;) {
		struct str piece = {bytes, (size_t)MIN(end - at, PIECE_BYTES)};

		if (bytes_source_read(data, at, bytes, piece.len, err) < 0)
			return -(int)err->kind;
		if (at == 0 && doc_values_files_check(files, meta, piece, err) < 0)
			return -(int)err->kind;
		crc = crc32_update(crc, piece.ptr, piece.len);
		keep_range(piece, at, range, range_at, range_length);
		at += piece.len;
	}
	if (!meta->footer)
		return 0;
	if (bytes_source_read(data, end, footer, sizeof(footer), err) < 0)
		return -(int)err->kind;
	return codec_footer_check_crc(footer, crc, err);
}
