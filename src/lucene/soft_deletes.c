/* Soft deletes: which files say it, and what they say held against the commit.
 *
 * The commit counts the soft-deleted documents that are not hard-deleted too; the set in the doc
 * values may hold both. Source: Lucene 9.12.1 index/PendingSoftDeletes, index/SegmentCommitInfo. */
#include "lucene/soft_deletes.h"

#include "base/crc32.h"
#include "lucene/doc_values_meta.h"
#include "lucene/indexed_disi.h"
#include "lucene/lucene_internal.h"

/* Bytes read at a time on the pass over a .dvd; the first piece holds its header. */
#define PIECE_BYTES ((size_t)256 << 10)

/* The pair of files that the newest values of the field are in. */
struct value_files {
	struct lucene_directory *dir;
	const struct field_infos *infos;
	const struct field_info *field;
	const uint8_t *id;
	struct str suffix; /* in the headers: "[<generation>_]<format>_<n>" */
	struct str meta, data;
};

static const struct field_info *find_soft_deletes(const struct field_infos *infos)
{
	for (size_t i = 0; i < infos->count; i++)
		if (infos->fields[i].soft_deletes &&
		    infos->fields[i].doc_values == DOC_VALUES_NUMERIC)
			return &infos->fields[i];
	return NULL;
}

static int name_files(struct value_files *files, struct str segment, int64_t generation,
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

static int check_data_header(const struct value_files *files, const struct doc_values_meta *meta,
			     struct str first_bytes, struct err *err)
{
	struct rd rd = rd_over(first_bytes);
	struct codec_header header;

	if (codec_index_header_expect(&rd, files->id, files->suffix, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, meta->format->data_codec) || header.version != meta->version)
		return err_set(err, ERR_FORMAT,
			       "is of '" STR_FMT
			       "' version %d, and its metadata of '%s' version %d",
			       STR_ARG(header.codec), header.version, meta->format->meta_codec,
			       meta->version);
	return 0;
}

/* Copies what of the range [range_at, range_at + range->len) lies in the piece read at `at`. */
static void keep_range(struct str piece, uint64_t at, char *range, uint64_t range_at,
		       uint64_t range_length)
{
	uint64_t from = MAX(at, range_at);
	uint64_t to = MIN(at + piece.len, range_at + range_length);

	if (from < to)
		memcpy(range + (from - range_at), piece.ptr + (from - at), (size_t)(to - from));
}

/* Streams the whole .dvd by its checksum and keeps one range of it: a flipped bit in the set could
 * swap which documents are live and leave their number as it is. */
static int stream_range(struct bytes_source *source, const struct value_files *files,
			const struct doc_values_meta *meta, char *range, struct err *err)
{
	cleanup(mem_freep) char *bytes = mem_alloc((size_t)MIN(source->size, PIECE_BYTES));
	uint64_t end = source->size - CODEC_FOOTER_LENGTH;
	uint8_t footer[CODEC_FOOTER_LENGTH];
	uint32_t crc = 0;

	for (uint64_t at = 0; at < end;) {
		struct str piece = {bytes, (size_t)MIN(end - at, PIECE_BYTES)};

		if (bytes_source_read(source, at, bytes, piece.len, err) < 0)
			return -(int)err->kind;
		if (at == 0 && check_data_header(files, meta, piece, err) < 0)
			return -(int)err->kind;
		crc = crc32_update(crc, piece.ptr, piece.len);
		keep_range(piece, at, range, (uint64_t)meta->docs.offset,
			   (uint64_t)meta->docs.length);
		at += piece.len;
	}
	if (bytes_source_read(source, end, footer, sizeof(footer), err) < 0)
		return -(int)err->kind;
	return codec_footer_check_crc(footer, crc, err);
}

static int check_range(const struct bytes_source *source, const struct docs_with_field *docs,
		       int32_t max_doc, struct err *err)
{
	uint64_t size = source->size;
	uint64_t end = size < CODEC_FOOTER_LENGTH ? 0 : size - CODEC_FOOTER_LENGTH;
	uint64_t offset = (uint64_t)docs->offset, length = (uint64_t)docs->length;

	/* Negative numbers are too large here. An empty body would leave the header unseen. */
	if (end == 0 || offset > end || length > end - offset ||
	    length > indexed_disi_max_size(max_doc) ||
	    length < (uint64_t)MAX(docs->jump_table_entries, 0) * 8)
		return err_set(err, ERR_FORMAT,
			       "has %llu bytes, and the set of soft-deleted documents is said to "
			       "lie at %lld with %lld bytes",
			       (unsigned long long)size, (long long)docs->offset,
			       (long long)docs->length);
	return 0;
}

static int apply_set(const struct value_files *files, const struct doc_values_meta *meta,
		     struct arena *mem, struct live_docs *live, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	const struct docs_with_field *docs = &meta->docs;
	struct indexed_disi set = {.little = meta->format->little,
				   .dense_rank_power = docs->dense_rank_power};
	char *range;

	if (lucene_directory_open(files->dir, files->data, &source, err) < 0)
		return -(int)err->kind;
	if (check_range(source, docs, live->max_doc, err) < 0)
		return lucene_file_wrap(files->dir, files->data, err);
	range = arena_alloc(mem, (size_t)docs->length);
	if (!range)
		return arena_fail(mem, "soft-deleted documents", err);
	set.blocks = (struct str){range, (size_t)docs->length -
						 (size_t)MAX(docs->jump_table_entries, 0) * 8};
	if (stream_range(source, files, meta, range, err) < 0 ||
	    indexed_disi_clear(&set, live, err) < 0)
		return lucene_file_wrap(files->dir, files->data, err);
	return 0;
}

static int apply_files(const struct value_files *files, struct arena *mem, struct live_docs *live,
		       struct err *err)
{
	struct doc_values_meta meta;
	struct str body;

	if (lucene_file_read(files->dir, files->meta, mem, &body, err) < 0)
		return -(int)err->kind;
	if (doc_values_meta_decode(body, files->id, files->suffix, files->infos,
				   files->field->number, &meta, err) < 0)
		return lucene_file_wrap(files->dir, files->meta, err);
	if (!meta.found || meta.docs.offset == -2)
		return 0;
	if (meta.docs.offset == -1) {
		memset(live->words, 0, ((size_t)live->max_doc + 63) / 64 * 8);
		live->live_count = 0;
		return 0;
	}
	return apply_set(files, &meta, mem, live, err);
}

static int apply(struct lucene_directory *outer, struct lucene_directory *inner,
		 const struct segment_commit *commit, const struct field_infos *base_infos,
		 const struct field_infos *newest_infos, struct arena *mem, struct live_docs *live,
		 struct err *err)
{
	const struct field_info *newest = find_soft_deletes(newest_infos);
	struct value_files files = {.id = commit->id};
	int64_t generation = newest ? newest->doc_values_gen : -1;

	/* An update may rewrite the attributes of fields whose values stay where they are, so each
	 * generation is read by the field infos of its own. */
	files.dir = generation < 0 ? inner : outer;
	files.infos = generation < 0 ? base_infos : newest_infos;
	files.field = newest ? field_infos_by_number(files.infos, newest->number) : NULL;
	if (!files.field)
		return err_set(err, ERR_FORMAT,
			       "segment '" STR_FMT "' has no field of soft deletes, and the commit "
			       "says %d documents are soft-deleted",
			       STR_ARG(commit->name), commit->soft_del_count);
	if (!live->words)
		live->words = live_docs_all_set(mem, live->max_doc);
	if (!live->words)
		return arena_fail(mem, "live documents", err);
	if (name_files(&files, commit->name, generation, mem, err) < 0)
		return -(int)err->kind;
	return apply_files(&files, mem, live, err);
}

int soft_deletes_apply(struct lucene_directory *outer, struct lucene_directory *inner,
		       const struct segment_commit *commit, const struct field_infos *base_infos,
		       const struct field_infos *newest_infos, struct arena *mem,
		       struct live_docs *live, struct err *err)
{
	int32_t before = live->live_count, dead;

	if (commit->soft_del_count == 0)
		return 0;
	if (apply(outer, inner, commit, base_infos, newest_infos, mem, live, err) < 0)
		return -(int)err->kind;
	dead = before - live->live_count;
	if (dead != commit->soft_del_count)
		return err_set(err, ERR_FORMAT,
			       "segment '" STR_FMT "' has %d soft-deleted documents, and the "
			       "commit says %d",
			       STR_ARG(commit->name), dead, commit->soft_del_count);
	return 0;
}
