#include "documents/nested_lead.h"

#include "base/limits.h"
#include "documents/lucene_range.h"

#define FARTHER 16

struct lead {
	struct lucene_directory *dir;
	const struct segment_commit *commit;
	struct stored_index index;
	int32_t first;               /* of the range */
	int32_t from;                /* where the nested documents begin; -1: not known */
	struct rebuilder *rebuilder; /* NULL: only `from` is looked for */
};

static void close_segment(struct segment_reader **segment)
{
	segment_reader_close(*segment);
}

static int32_t number_of(const struct segment_reader *segment, const char *name)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, str_from(name));

	return info ? info->number : -1;
}

static int has_id(const struct segment_reader *segment, struct stored_field_cursor cursor,
		  struct err *err)
{
	int32_t id = number_of(segment, "_id"), uid = number_of(segment, "_uid");
	struct stored_field field;
	int got;

	while ((got = stored_field_next(&cursor, &field, err)) > 0)
		if (field.number == id || field.number == uid)
			return 1;
	return got;
}

static int look_at(struct lead *lead, const struct segment_reader *segment,
		   const struct stored_chunk *chunk, int32_t i, struct err *err)
{
	struct stored_field_cursor cursor = stored_field_cursor_at(segment->stored, chunk, i);
	int32_t doc = chunk->first_doc + i;
	int got;

	if (!lead->rebuilder) {
		got = has_id(segment, cursor, err);
		if (got > 0)
			lead->from = doc + 1;
		return MIN(got, 0);
	}
	if (doc < lead->from || !live_docs_is_live(&segment->live, doc))
		return 0;
	return rebuilder_nested(lead->rebuilder, doc, &cursor, err);
}

/* From the chunk that holds `doc` up to the range; *began: the first document of that chunk. */
static int walk(struct lead *lead, int32_t doc, int32_t *began, struct err *err)
{
	cleanup(close_segment) struct segment_reader *segment = NULL;
	struct stored_chunk_start start = {0};
	struct stored_chunk chunk;
	int got = 1;

	if (segment_reader_open(lead->dir, lead->commit, &segment, err) < 0)
		return -(int)err->kind;
	if (lead->index.count > 0)
		start = stored_index_find(&lead->index, doc);
	*began = start.doc;
	if (start.doc > 0 && stored_fields_seek(segment->stored, &start, err) < 0)
		return -(int)err->kind;
	stored_fields_limit(segment->stored, start.doc, lead->first);
	while (got > 0) {
		got = stored_fields_next_chunk(segment->stored, NULL, &chunk, err);
		if (got <= 0 || chunk.first_doc >= lead->first)
			break;
		for (int32_t i = 0; i < MIN(chunk.doc_count, lead->first - chunk.first_doc); i++)
			if (look_at(lead, segment, &chunk, i, err) < 0)
				return -(int)err->kind;
		if (chunk.first_doc + chunk.doc_count >= lead->first)
			break;
	}
	return MIN(got, 0);
}

int nested_lead_read(struct lucene_directory *dir, const struct segment_commit *commit,
		     int32_t first, struct rebuilder *rebuilder, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	struct lead lead = {.dir = dir, .commit = commit, .first = first, .from = -1};
	struct segment_info info;
	int32_t began;
	int rc = 0;

	if (segment_info_read(dir, commit->name, commit->id, &mem, &info, err) < 0 ||
	    segment_index(dir, commit, &info, &lead.index, err) < 0)
		return -(int)err->kind;
	for (int64_t back = 1; rc == 0 && lead.from < 0; back *= FARTHER) {
		rc = walk(&lead, (int32_t)MAX(first - back, 0), &began, err);
		if (rc == 0 && lead.from < 0 && began == 0)
			lead.from = 0;
	}
	lead.rebuilder = rebuilder;
	if (rc == 0 && lead.from < first)
		rc = walk(&lead, lead.from, &began, err);
	stored_index_release(&lead.index);
	return rc;
}
