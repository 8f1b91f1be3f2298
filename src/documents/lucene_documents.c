/* Walks the segments of a commit, the chunks of their stored fields, the documents of these.
 *
 * Which stored field is which is resolved once a segment; a document's fields are read only until
 * all that its segment can have were seen. Nothing is allocated a document. */
#include "documents/lucene_documents.h"

#include "base/limits.h"
#include "documents/checksum_parts.h"
#include "documents/document_id.h"
#include "documents/document_versions.h"
#include "documents/lucene_range.h"
#include "documents/nested_lead.h"
#include "documents/source_format.h"
#include "lucene/codec_file.h"
#include "lucene/segment_reader.h"

#include <stdlib.h>

enum {
	SEEN_ID = 1,
	SEEN_UID = 2,
	SEEN_ROUTING = 4,
	SEEN_SOURCE = 8,
	SEEN_PARENT = 16,
	SEEN_RECOVERY = 32,
};

/* Numbers of the fields that make a document; -1 where the segment does not have it. */
struct wanted_fields {
	int32_t id, uid, routing, source, parent, recovery;
	unsigned all; /* SEEN_… after which a document can have no more of them */
};

struct lucene_documents {
	struct document_source source;
	struct lucene_directory *dir; /* borrowed */
	bool include_deleted, with_versions;
	struct document_versions versions;
	const struct document_selection *selection; /* NULL: all */
	const struct rebuild_plan *rebuild;         /* NULL: sources as they are stored */
	bool with_recovery;
	struct rebuilder *rebuilder; /* of the segment */
	int64_t first_doc;           /* of the range */
	struct arena mem;            /* the commit */
	struct segment_infos infos;
	struct segment_range *ranges; /* one for each of infos */
	size_t next_segment;
	struct segment_reader *segment;    /* NULL between segments */
	const struct segment_range *range; /* of that segment */
	struct part_recorder parts;
	struct wanted_fields wanted;
	bool id_seen, id_missed; /* live documents of the segment: with an id, without one */
	uint64_t bytes_done;     /* .fdt of the segments before */
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

static struct wanted_fields resolve(const struct field_infos *infos, bool with_recovery)
{
	struct wanted_fields wanted = {
		.id = number_of(infos, "_id"),
		.uid = number_of(infos, "_uid"),
		.routing = number_of(infos, "_routing"),
		.source = number_of(infos, "_source"),
		.parent = number_of(infos, "_parent"),
		.recovery = with_recovery ? number_of(infos, "_recovery_source") : -1,
	};

	/* A _uid tells the type too, so where the segment has one, _id alone does not do. */
	wanted.all =
		(wanted.uid >= 0 ? SEEN_UID : SEEN_ID) | (wanted.routing >= 0 ? SEEN_ROUTING : 0) |
		(wanted.source >= 0 ? SEEN_SOURCE : 0) | (wanted.parent >= 0 ? SEEN_PARENT : 0) |
		(wanted.recovery >= 0 ? SEEN_RECOVERY : 0);
	return wanted;
}

static int no_id(const struct lucene_documents *documents, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "no document of segment '" STR_FMT "' in '%s' stores an _id or _uid: "
		       "indices that rebuild their ids from other fields are not "
		       "supported; " CODEC_NEXT_STEP,
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
	if (number == wanted->parent)
		return SEEN_PARENT;
	return number == wanted->recovery ? SEEN_RECOVERY : 0;
}

static int take_field(struct lucene_documents *documents, const struct stored_field *field,
		      unsigned what, unsigned seen, struct document *out, struct err *err)
{
	if (field->type != STORED_STRING && field->type != STORED_BYTES)
		return err_set(err, ERR_FORMAT,
			       "_id, _uid, _routing, _parent or _source is a number");
	if (what == SEEN_RECOVERY)
		out->recovered = true;
	/* What is stored of a source beside a whole one is a part of it. */
	if (what == SEEN_RECOVERY || (what == SEEN_SOURCE && !out->recovered))
		out->source = field->bytes;
	else if (what == SEEN_SOURCE)
		return 0;
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

/* A document that is not rebuilt is told of, as one that is not converted; damage ends it all. */
static int rebuild_source(struct lucene_documents *documents, int32_t i, struct document *document,
			  struct err *err)
{
	struct stored_field_cursor cursor;
	int rc;

	if (!documents->rebuilder)
		return 0;
	if (document->problem || document->recovered ||
	    rebuild_keeps_source(documents->rebuild, document->type)) {
		rebuilder_skip(documents->rebuilder);
		return 0;
	}
	cursor = stored_field_cursor_at(documents->segment->stored, &documents->chunk, i);
	rc = rebuilder_document(documents->rebuilder, documents->chunk.first_doc + i, &cursor,
				document->type, document->source, &document->source,
				&documents->conversion);
	if (rc == -ERR_UNSUPPORTED || rc == -ERR_LIMIT) {
		document->problem = documents->conversion.message;
		return 0;
	}
	if (rc < 0)
		*err = documents->conversion;
	return rc;
}

static int take_nested(struct lucene_documents *documents, int32_t i, struct err *err)
{
	struct stored_field_cursor cursor;

	if (!documents->rebuilder)
		return 0;
	cursor = stored_field_cursor_at(documents->segment->stored, &documents->chunk, i);
	return rebuilder_nested(documents->rebuilder, documents->chunk.first_doc + i, &cursor, err);
}

/* What a document that has an id needs besides what is stored. */
static int complete_document(struct lucene_documents *documents, int32_t i,
			     struct document *document, struct err *err)
{
	if (documents->with_versions &&
	    document_versions_get(&documents->versions, documents->chunk.first_doc + i,
				  &document->version, err) < 0)
		return -(int)err->kind;
	if (UNLIKELY(document->source.ptr && !source_is_plain_json(document->source)))
		convert_source(documents, document);
	return rebuild_source(documents, i, document, err);
}

/* The next document of the chunk at hand; 0: none is left in it. */
static int next_in_chunk(struct lucene_documents *documents, struct document *out, struct err *err)
{
	const struct segment_reader *segment = documents->segment;
	const struct stored_chunk *chunk = &documents->chunk;
	int32_t end = MIN(chunk->doc_count, documents->range->end - chunk->first_doc);
	int got;

	while (documents->next_in_chunk < end) {
		int32_t i = documents->next_in_chunk++, doc = chunk->first_doc + i;
		bool live = live_docs_is_live(&segment->live, doc);

		if (!live && !documents->include_deleted)
			continue;
		*out = (struct document){
			.doc = documents->range->doc_base + doc, .version = -1, .live = live};
		got = read_document(documents, i, out, err);
		if (got < 0)
			return err_wrap(err, "document %d of segment '" STR_FMT "' in '%s'", doc,
					STR_ARG(segment->commit.name), documents->dir->name);
		documents->id_seen |= live && got > 0;
		documents->id_missed |= live && got == 0;
		if (got == 0 && live && take_nested(documents, i, err) < 0)
			return -(int)err->kind;
		if (got == 0)
			continue;
		return complete_document(documents, i, out, err) < 0 ? -(int)err->kind : 1;
	}
	return 0;
}

/* Goes to where the range begins in the segment. */
static int begin_range(struct lucene_documents *documents, struct err *err)
{
	const struct segment_range *range = documents->range;
	struct stored_fields *stored = documents->segment->stored;

	stored_fields_limit(stored, range->first, range->end);
	if (!segment_range_is_whole(range))
		stored_fields_expect_end(stored, range->start.position + range->bytes);
	if (range->start.doc > 0 && stored_fields_seek(stored, &range->start, err) < 0)
		return -(int)err->kind;
	part_recorder_open(&documents->parts,
			   documents->infos.segments[documents->next_segment].name, stored,
			   range->start.doc > 0 ? range->start.position : 0);
	return 0;
}

static int open_rebuilder(struct lucene_documents *documents, const struct segment_reader *segment,
			  struct err *err)
{
	int32_t first = documents->range->first;

	if (rebuilder_open(documents->rebuild, segment, documents->range->doc_base,
			   &documents->rebuilder, err) < 0)
		return -(int)err->kind;
	if (first == 0 || documents->rebuild->nested_count == 0)
		return 0;
	return nested_lead_read(documents->dir, &segment->commit, first, documents->rebuilder, err);
}

static int open_segment(struct lucene_documents *documents, struct err *err)
{
	const struct segment_commit *commit = &documents->infos.segments[documents->next_segment];
	struct segment_reader *segment;

	if (segment_reader_open(documents->dir, commit, &documents->segment, err) < 0)
		return -(int)err->kind;
	documents->range = &documents->ranges[documents->next_segment];
	if (begin_range(documents, err) < 0)
		return -(int)err->kind;
	segment = documents->segment;
	if (documents->selection)
		segment_selection_apply(&documents->selection->segments[documents->next_segment],
					segment);
	documents->next_segment++;
	documents->wanted = resolve(&segment->field_infos, documents->with_recovery);
	documents->id_seen = documents->id_missed = false;
	documents->chunk = (struct stored_chunk){.first_doc = documents->range->start.doc};
	documents->next_in_chunk = 0;
	if (segment->live.live_count > 0 && documents->wanted.id < 0 && documents->wanted.uid < 0)
		return no_id(documents, err);
	if (documents->rebuild && open_rebuilder(documents, segment, err) < 0)
		return -(int)err->kind;
	if (documents->with_versions)
		return document_versions_start(&documents->versions, segment,
					       documents->range->first == 0, err);
	return 0;
}

/* A range, or a selection, may hold nothing but nested children, which have no ids. Then it is the
 * segment that tells whether ids are stored: its first document that has one, or none. */
static int check_ids(struct lucene_documents *documents, struct err *err)
{
	const struct segment_range *range = documents->range;
	const struct lucene_documents_options whole = {.first_doc = range->doc_base,
						       .end_doc = range->doc_base + range->max_doc};
	struct document_source *source;
	struct document document;
	int got;

	if (documents->id_seen)
		return 0;
	if (segment_range_is_whole(range) && !documents->selection)
		return documents->segment->live.live_count > 0 ? no_id(documents, err) : 0;
	if (!documents->id_missed)
		return 0;
	if (lucene_documents_open(documents->dir, &whole, &source, err) < 0)
		return -(int)err->kind;
	got = document_source_next(source, &document, err);
	document_source_close(source);
	return MIN(got, 0);
}

/* Where the chunk at hand ends. */
static int32_t chunk_end(const struct lucene_documents *documents)
{
	return documents->chunk.first_doc + documents->chunk.doc_count;
}

/* The chunk at hand holds the start or the end of the range in its midst. */
static bool chunk_is_shared(const struct lucene_documents *documents)
{
	return documents->chunk.first_doc < documents->range->first ||
	       chunk_end(documents) > documents->range->end;
}

static int finish_segment(struct lucene_documents *documents, struct err *err)
{
	struct segment_reader *segment = documents->segment;

	if (check_ids(documents, err) < 0)
		return -(int)err->kind;
	/* Of the segment that the range begins with, whoever stopped right there may have left
	 * parts that only this one completes. */
	if (segment_range_is_whole(documents->range) &&
	    documents->range->doc_base != documents->first_doc)
		part_recorder_drop(&documents->parts);
	else
		part_recorder_close(&documents->parts, chunk_is_shared(documents));
	documents->bytes_done += documents->range->bytes;
	documents->segment = NULL;
	document_versions_end(&documents->versions);
	rebuilder_close(documents->rebuilder);
	documents->rebuilder = NULL;
	segment_reader_close(segment);
	return 0;
}

/* The next chunk of the segment; 0: none is left in the range. */
static int read_chunk(struct lucene_documents *documents, struct err *err)
{
	const struct segment_range *range = documents->range;
	struct stored_chunk *chunk = &documents->chunk;
	int got;

	/* Up to the end of the file, so that its checksum is compared. */
	if (range->end < range->max_doc && chunk_end(documents) >= range->end)
		return 0;
	if (chunk->doc_count > 0 && chunk->first_doc < range->first) {
		/* Without an index, or with one that is thinned out, chunks before the range are
		 * met as well. The first one of the range may be shared. */
		if (chunk_end(documents) <= range->first)
			part_recorder_drop(&documents->parts);
		else
			part_recorder_close(&documents->parts, true);
	}
	got = stored_fields_next_chunk(
		documents->segment->stored,
		documents->include_deleted ? NULL : &documents->segment->live, chunk, err);
	if (got <= 0)
		return got;
	part_recorder_add(&documents->parts);
	documents->next_in_chunk = MAX(range->first - chunk->first_doc, 0);
	return 1;
}

/* Passes over the segments that have nothing of the range. */
static bool find_segment(struct lucene_documents *documents)
{
	while (documents->next_segment < documents->infos.count &&
	       segment_range_is_outside(&documents->ranges[documents->next_segment]))
		documents->next_segment++;
	return documents->next_segment < documents->infos.count;
}

/* Moves on to the next chunk, past the end of a segment too. 1: there is one; 0: the end. */
static int next_chunk(struct lucene_documents *documents, struct err *err)
{
	int got;

	for (;;) {
		if (!documents->segment && !find_segment(documents))
			return 0;
		if (!documents->segment && open_segment(documents, err) < 0)
			return -(int)err->kind;
		got = read_chunk(documents, err);
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
	uint64_t position, start;

	if (!segment)
		return documents->bytes_done;
	start = documents->range->start.doc > 0 ? documents->range->start.position : 0;
	position = stored_fields_position(segment->stored) - start;
	return documents->bytes_done + MIN(position, documents->range->bytes);
}

static void documents_close(struct document_source *source)
{
	struct lucene_documents *documents = (struct lucene_documents *)source;

	document_versions_end(&documents->versions);
	rebuilder_close(documents->rebuilder);
	segment_reader_close(documents->segment);
	source_converter_release(&documents->converter);
	part_recorder_release(&documents->parts);
	arena_release(&documents->mem);
	free(documents);
}

static const struct document_source_ops documents_ops = {
	.next = documents_next, .position = documents_position, .close = documents_close};

/* Segments of which nothing is selected are outside of any range. */
static void leave_unselected(struct lucene_documents *documents)
{
	for (size_t i = 0; i < documents->infos.count; i++) {
		struct segment_range *range = &documents->ranges[i];

		if (!segment_selection_is_empty(&documents->selection->segments[i]))
			continue;
		documents->source.total_bytes -= range->bytes;
		range->bytes = 0;
		range->end = range->first;
	}
}

static int open_commit(struct lucene_documents *documents,
		       const struct lucene_documents_options *options, struct err *err)
{
	if (segment_infos_read(documents->dir, &documents->mem, &documents->infos, err) < 0)
		return -(int)err->kind;
	if (lucene_range_plan(documents->dir, &documents->infos, options->first_doc,
			      options->end_doc, &documents->mem, &documents->ranges,
			      &documents->source.total_bytes, err) < 0)
		return -(int)err->kind;
	if (documents->selection)
		leave_unselected(documents);
	return 0;
}

int lucene_documents_open(struct lucene_directory *dir,
			  const struct lucene_documents_options *options,
			  struct document_source **out, struct err *err)
{
	static const struct lucene_documents_options all = {0};
	struct lucene_documents *documents = mem_zalloc(sizeof(*documents));

	options = options ? options : &all;
	documents->source.ops = &documents_ops;
	documents->dir = dir;
	documents->include_deleted = options->include_deleted;
	documents->with_versions = options->versions;
	documents->selection = options->selection;
	documents->rebuild = options->rebuild;
	documents->with_recovery = options->rebuild && options->recovery_source;
	documents->first_doc = options->first_doc;
	documents->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	source_converter_init(&documents->converter);
	if (open_commit(documents, options, err) < 0) {
		documents_close(&documents->source);
		return -(int)err->kind;
	}
	*out = &documents->source;
	return 0;
}

size_t lucene_documents_parts(const struct document_source *source,
			      const struct checksum_part **parts)
{
	struct lucene_documents *documents = (struct lucene_documents *)(uintptr_t)source;

	return part_recorder_list(&documents->parts, parts);
}
