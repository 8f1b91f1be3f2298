/* Walks the segments of a commit, the chunks of their stored fields, the documents of these.
 *
 * Which stored field is which is resolved once a segment; a document's fields are read only until
 * all that its segment can have were seen. Nothing is allocated a document. */
#include "documents/lucene_documents.h"

#include "base/limits.h"
#include "documents/document_id.h"
#include "documents/document_versions.h"
#include "documents/source_format.h"
#include "lucene/compound.h"
#include "lucene/segment_reader.h"

#include <stdlib.h>

enum {
	SEEN_ID = 1,
	SEEN_UID = 2,
	SEEN_ROUTING = 4,
	SEEN_SOURCE = 8,
	SEEN_PARENT = 16,
};

/* Numbers of the fields that make a document; -1 where the segment does not have it. */
struct wanted_fields {
	int32_t id, uid, routing, source, parent;
	unsigned all; /* SEEN_… after which a document can have no more of them */
};

struct lucene_documents {
	struct document_source source;
	struct lucene_directory *dir; /* borrowed */
	bool include_deleted, with_versions;
	struct document_versions versions;
	struct arena mem; /* the commit */
	struct segment_infos infos;
	size_t next_segment;
	struct segment_reader *segment; /* NULL between segments */
	struct wanted_fields wanted;
	bool id_seen;        /* some live document of the segment has an id */
	int64_t doc_base;    /* documents in the segments before */
	uint64_t bytes_done; /* .fdt of the segments before */
	struct stored_chunk chunk;
	int32_t next_in_chunk;
	char id_text[DOCUMENT_ID_MAX];
	struct source_converter converter;
	struct err conversion; /* why the last source was not converted */
};

static int32_t number_of(const struct field_infos *infos, const char *name)
{
	const struct field_info *field = field_infos_find(infos, str_from(name));

	return field ? field->number : -1;
}

static struct wanted_fields resolve(const struct field_infos *infos)
{
	struct wanted_fields wanted = {
		.id = number_of(infos, "_id"),
		.uid = number_of(infos, "_uid"),
		.routing = number_of(infos, "_routing"),
		.source = number_of(infos, "_source"),
		.parent = number_of(infos, "_parent"),
	};

	/* A _uid tells the type too, so where the segment has one, _id alone does not do. */
	wanted.all =
		(wanted.uid >= 0 ? SEEN_UID : SEEN_ID) | (wanted.routing >= 0 ? SEEN_ROUTING : 0) |
		(wanted.source >= 0 ? SEEN_SOURCE : 0) | (wanted.parent >= 0 ? SEEN_PARENT : 0);
	return wanted;
}

static int no_id(const struct lucene_documents *documents, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "no document of segment '" STR_FMT "' in '%s' stores an _id or _uid: "
		       "indices that rebuild their ids from other fields are not supported",
		       STR_ARG(documents->segment->commit.name), documents->dir->name);
}

static int take_id(struct lucene_documents *documents, const struct stored_field *field,
		   struct str *id, struct err *err)
{
	if (field->type == STORED_STRING) {
		*id = field->bytes;
		return 0;
	}
	return document_id_decode(field->bytes, documents->id_text, id, err);
}

/* What of the document the field is; 0: nothing of it. */
static unsigned seen_by(const struct wanted_fields *wanted, int32_t number)
{
	if (number == wanted->source)
		return SEEN_SOURCE;
	if (number == wanted->id)
		return SEEN_ID;
	if (number == wanted->routing)
		return SEEN_ROUTING;
	if (number == wanted->uid)
		return SEEN_UID;
	return number == wanted->parent ? SEEN_PARENT : 0;
}

static int take_field(struct lucene_documents *documents, const struct stored_field *field,
		      unsigned what, unsigned seen, struct document *out, struct err *err)
{
	if (field->type != STORED_STRING && field->type != STORED_BYTES)
		return err_set(err, ERR_FORMAT,
			       "_id, _uid, _routing, _parent or _source is a number");
	if (what == SEEN_SOURCE)
		out->source = field->bytes;
	else if (what == SEEN_ROUTING)
		out->routing = field->bytes;
	else if (what == SEEN_PARENT)
		out->parent = document_parent_id(field->bytes);
	else if (what == SEEN_UID)
		return document_uid_split(field->bytes, &out->type, &out->id, err);
	else if (!(seen & SEEN_UID))
		return take_id(documents, field, &out->id, err);
	return 0;
}

/* 1: a document; 0: one without an id; negative: broken. */
static int read_document(struct lucene_documents *documents, int32_t i, struct document *out,
			 struct err *err)
{
	struct stored_field_cursor cursor =
		stored_field_cursor_at(documents->segment->stored, &documents->chunk, i);
	const struct wanted_fields *wanted = &documents->wanted;
	struct stored_field field;
	unsigned seen = 0, what;
	int got = 0;

	while ((seen & wanted->all) != wanted->all &&
	       (got = stored_field_next(&cursor, &field, err)) > 0) {
		what = seen_by(wanted, field.number);
		if (!what || (seen & what))
			continue;
		got = take_field(documents, &field, what, seen, out, err);
		if (got < 0)
			break;
		seen |= what;
	}
	if (got < 0)
		return got;
	/* Without a routing of its own, a child lies where its parent's id leads. */
	if (!out->routing.ptr)
		out->routing = out->parent;
	return out->id.ptr != NULL;
}

/* Sources that are no JSON are rare, and each stands for itself: one that cannot be converted is
 * told of, and the next one follows. */
static void convert_source(struct lucene_documents *documents, struct document *document)
{
	struct str json;

	if (source_to_json(&documents->converter, document->source, &json, &documents->conversion) <
	    0)
		document->problem = documents->conversion.message;
	else
		document->source = json;
}

/* The next document of the chunk at hand; 0: none is left in it. */
static int next_in_chunk(struct lucene_documents *documents, struct document *out, struct err *err)
{
	const struct segment_reader *segment = documents->segment;
	const struct stored_chunk *chunk = &documents->chunk;
	int got;

	while (documents->next_in_chunk < chunk->doc_count) {
		int32_t i = documents->next_in_chunk++, doc = chunk->first_doc + i;
		bool live = live_docs_is_live(&segment->live, doc);

		if (!live && !documents->include_deleted)
			continue;
		*out = (struct document){
			.doc = documents->doc_base + doc, .version = -1, .live = live};
		got = read_document(documents, i, out, err);
		if (got < 0)
			return err_wrap(err, "document %d of segment '" STR_FMT "' in '%s'", doc,
					STR_ARG(segment->commit.name), documents->dir->name);
		if (got == 0)
			continue;
		if (documents->with_versions &&
		    document_versions_get(&documents->versions, doc, &out->version, err) < 0)
			return -(int)err->kind;
		documents->id_seen |= live;
		if (UNLIKELY(out->source.ptr && !source_is_plain_json(out->source)))
			convert_source(documents, out);
		return 1;
	}
	return 0;
}

static int open_segment(struct lucene_documents *documents, struct err *err)
{
	const struct segment_commit *commit = &documents->infos.segments[documents->next_segment];
	struct segment_reader *segment;

	if (segment_reader_open(documents->dir, commit, &documents->segment, err) < 0)
		return -(int)err->kind;
	documents->next_segment++;
	segment = documents->segment;
	documents->wanted = resolve(&segment->field_infos);
	documents->id_seen = false;
	documents->chunk = (struct stored_chunk){0};
	documents->next_in_chunk = 0;
	if (segment->live.live_count > 0 && documents->wanted.id < 0 && documents->wanted.uid < 0)
		return no_id(documents, err);
	if (documents->with_versions)
		return document_versions_start(&documents->versions, segment, true, err);
	return 0;
}

static int finish_segment(struct lucene_documents *documents, struct err *err)
{
	struct segment_reader *segment = documents->segment;

	if (segment->live.live_count > 0 && !documents->id_seen)
		return no_id(documents, err);
	documents->bytes_done += stored_fields_size(segment->stored);
	documents->doc_base += segment->info.max_doc;
	documents->segment = NULL;
	document_versions_end(&documents->versions);
	segment_reader_close(segment);
	return 0;
}

/* Moves on to the next chunk, past the end of a segment too. 1: there is one; 0: the end. */
static int next_chunk(struct lucene_documents *documents, struct err *err)
{
	int got;

	for (;;) {
		if (!documents->segment && documents->next_segment == documents->infos.count)
			return 0;
		if (!documents->segment && open_segment(documents, err) < 0)
			return -(int)err->kind;
		got = stored_fields_next_chunk(
			documents->segment->stored,
			documents->include_deleted ? NULL : &documents->segment->live,
			&documents->chunk, err);
		documents->next_in_chunk = 0;
		if (got != 0)
			return got;
		if (finish_segment(documents, err) < 0)
			return -(int)err->kind;
	}
}

static int documents_next(struct document_source *source, struct document *out, struct err *err)
{
	struct lucene_documents *documents = (struct lucene_documents *)source;
	int got;

	for (;;) {
		if (documents->segment && documents->chunk.bytes) {
			got = next_in_chunk(documents, out, err);
			if (got != 0)
				return got;
		}
		got = next_chunk(documents, err);
		if (got <= 0)
			return got;
	}
}

static uint64_t documents_position(const struct document_source *source)
{
	const struct lucene_documents *documents = (const struct lucene_documents *)source;
	const struct segment_reader *segment = documents->segment;

	return documents->bytes_done + (segment ? stored_fields_position(segment->stored) : 0);
}

static void documents_close(struct document_source *source)
{
	struct lucene_documents *documents = (struct lucene_documents *)source;

	document_versions_end(&documents->versions);
	segment_reader_close(documents->segment);
	source_converter_release(&documents->converter);
	arena_release(&documents->mem);
	free(documents);
}

static const struct document_source_ops documents_ops = {
	.next = documents_next, .position = documents_position, .close = documents_close};

static void close_directory(struct lucene_directory **dir)
{
	lucene_directory_close(*dir);
}

/* The size of a segment's .fdt, without opening all the rest of it. */
static int measure(struct lucene_directory *dir, const struct segment_commit *commit,
		   uint64_t *size, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	cleanup(close_directory) struct lucene_directory *compound = NULL;
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct segment_info info;
	struct str name = arena_printf(&mem, STR_FMT ".fdt", STR_ARG(commit->name));

	if (!name.ptr)
		return arena_fail(&mem, "a file name", err);
	if (segment_info_read(dir, commit->name, commit->id, &mem, &info, err) < 0)
		return -(int)err->kind;
	if (info.compound && compound_open(dir, commit->name, commit->id, &compound, err) < 0)
		return -(int)err->kind;
	if (lucene_directory_open(compound ? compound : dir, name, &source, err) < 0)
		return -(int)err->kind;
	*size = source->size;
	return 0;
}

static int open_commit(struct lucene_documents *documents, struct err *err)
{
	uint64_t size = 0;

	if (segment_infos_read(documents->dir, &documents->mem, &documents->infos, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < documents->infos.count; i++) {
		if (measure(documents->dir, &documents->infos.segments[i], &size, err) < 0)
			return -(int)err->kind;
		documents->source.total_bytes += size;
	}
	return 0;
}

int lucene_documents_open(struct lucene_directory *dir,
			  const struct lucene_documents_options *options,
			  struct document_source **out, struct err *err)
{
	struct lucene_documents *documents = mem_zalloc(sizeof(*documents));

	documents->source.ops = &documents_ops;
	documents->dir = dir;
	documents->include_deleted = options && options->include_deleted;
	documents->with_versions = options && options->versions;
	documents->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	source_converter_init(&documents->converter);
	if (open_commit(documents, err) < 0) {
		documents_close(&documents->source);
		return -(int)err->kind;
	}
	*out = &documents->source;
	return 0;
}
