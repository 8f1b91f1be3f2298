#include "documents/lucene_range.h"

#include "base/limits.h"
#include "lucene/compound.h"

static void close_directory(struct lucene_directory **dir)
{
	lucene_directory_close(*dir);
}

/* *compound stays NULL when the segment has files of its own in `dir`. */
static int open_compound(struct lucene_directory *dir, const struct segment_commit *commit,
			 const struct segment_info *info, struct lucene_directory **compound,
			 struct err *err)
{
	return info->compound ? compound_open(dir, commit->name, commit->id, compound, err) : 0;
}

static int measure(struct lucene_directory *files, struct str segment, uint64_t *size,
		   struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str name = arena_printf(&mem, STR_FMT ".fdt", STR_ARG(segment));

	if (!name.ptr)
		return arena_fail(&mem, "a file name", err);
	if (lucene_directory_open(files, name, &source, err) < 0)
		return -(int)err->kind;
	*size = source->size;
	return 0;
}

int segment_measure(struct lucene_directory *dir, const struct segment_commit *commit,
		    const struct segment_info *info, uint64_t *size, struct err *err)
{
	cleanup(close_directory) struct lucene_directory *compound = NULL;

	if (open_compound(dir, commit, info, &compound, err) < 0)
		return -(int)err->kind;
	return measure(compound ? compound : dir, commit->name, size, err);
}

int segment_index(struct lucene_directory *dir, const struct segment_commit *commit,
		  const struct segment_info *info, struct stored_index *out, struct err *err)
{
	cleanup(close_directory) struct lucene_directory *compound = NULL;
	struct lucene_directory *files;
	int rc;

	if (open_compound(dir, commit, info, &compound, err) < 0)
		return -(int)err->kind;
	files = compound ? compound : dir;
	rc = stored_index_read(files, commit->name, commit->id, info->max_doc, out, err);
	if (rc != -ERR_NOT_FOUND)
		return rc;
	*out = (struct stored_index){0};
	return measure(files, commit->name, &out->file_length, err);
}

/* Where a range that is only a part of the segment begins, and what it reads. */
static int plan_part(struct lucene_directory *dir, const struct segment_commit *commit,
		     const struct segment_info *info, struct segment_range *range, struct err *err)
{
	cleanup(stored_index_release) struct stored_index index = {0};
	uint64_t begin = 0, end;

	if (segment_index(dir, commit, info, &index, err) < 0)
		return -(int)err->kind;
	end = index.file_length;
	range->start = stored_index_find(&index, range->first);
	if (range->start.doc > 0)
		begin = range->start.position;
	if (range->end < range->max_doc && index.count > 0)
		end = stored_index_find(&index, range->end).position;
	/* Within one chunk there is nothing between them, and the chunk is read all the same. */
	range->bytes = end > begin ? end - begin : 0;
	return 0;
}

static int plan_segment(struct lucene_directory *dir, const struct segment_commit *commit,
			int64_t first_doc, int64_t end_doc, struct segment_range *range,
			struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	struct segment_info info;

	if (segment_info_read(dir, commit->name, commit->id, &mem, &info, err) < 0)
		return -(int)err->kind;
	range->max_doc = info.max_doc;
	range->first = (int32_t)MIN(MAX(first_doc - range->doc_base, 0), info.max_doc);
	range->end = (int32_t)MIN(MAX(end_doc - range->doc_base, range->first), info.max_doc);
	if (segment_range_is_outside(range))
		return 0;
	if (segment_range_is_whole(range))
		return segment_measure(dir, commit, &info, &range->bytes, err);
	return plan_part(dir, commit, &info, range, err);
}

int lucene_range_plan(struct lucene_directory *dir, const struct segment_infos *infos,
		      int64_t first_doc, int64_t end_doc, struct arena *mem,
		      struct segment_range **out, uint64_t *total, struct err *err)
{
	struct segment_range *ranges = arena_zalloc(mem, infos->count, sizeof(*ranges));
	int64_t doc_base = 0;

	if (!ranges)
		return arena_fail(mem, "the segments of a shard", err);
	*total = 0;
	for (size_t i = 0; i < infos->count; i++) {
		ranges[i].doc_base = doc_base;
		if (plan_segment(dir, &infos->segments[i], first_doc,
				 end_doc > 0 ? end_doc : INT64_MAX, &ranges[i], err) < 0)
			return -(int)err->kind;
		doc_base += ranges[i].max_doc;
		*total += ranges[i].bytes;
	}
	*out = ranges;
	return 0;
}
