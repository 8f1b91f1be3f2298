/* Divides a shard where chunks begin, by the bytes of stored fields before them. */
#include "documents/lucene_range.h"

#include "base/limits.h"

struct division {
	int64_t *starts;
	uint64_t *sizes; /* bytes before each piece, while they are being found */
	size_t count, most;
	uint64_t step, next; /* bytes: pieces begin at multiples of step, or a little behind */
	int64_t doc_base;
	uint64_t done, total; /* bytes of the segments before, of all */
};

/* A piece can begin here, behind `at` bytes. */
static void offer(struct division *division, int64_t doc, uint64_t at)
{
	if (at < division->next || division->count == division->most)
		return;
	division->starts[division->count] = doc;
	division->sizes[division->count++] = at;
	division->next = (at / division->step + 1) * division->step;
}

static int divide_segment(struct lucene_directory *dir, const struct segment_commit *commit,
			  struct division *division, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	cleanup(stored_index_release) struct stored_index index = {0};
	struct segment_info info;

	if (segment_info_read(dir, commit->name, commit->id, &mem, &info, err) < 0 ||
	    segment_index(dir, commit, &info, &index, err) < 0)
		return -(int)err->kind;
	if (division->doc_base > 0 && info.max_doc > 0)
		offer(division, division->doc_base, division->done);
	for (size_t i = 1; i < index.count; i++)
		offer(division, division->doc_base + index.starts[i].doc,
		      division->done + index.starts[i].position);
	division->doc_base += info.max_doc;
	division->done += index.file_length;
	return 0;
}

static int measure_all(struct lucene_directory *dir, const struct segment_infos *infos,
		       uint64_t *total, struct err *err)
{
	*total = 0;
	for (size_t i = 0; i < infos->count; i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
		const struct segment_commit *commit = &infos->segments[i];
		struct segment_info info;
		uint64_t size;

		if (segment_info_read(dir, commit->name, commit->id, &mem, &info, err) < 0 ||
		    segment_measure(dir, commit, &info, &size, err) < 0)
			return -(int)err->kind;
		*total += size;
	}
	return 0;
}

int lucene_documents_divide(struct lucene_directory *dir, uint64_t bytes, struct arena *mem,
			    int64_t **starts, uint64_t **sizes, size_t *count, int64_t *total_docs,
			    struct err *err)
{
	cleanup(arena_release) struct arena commit_mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct division division = {.count = 1};
	struct segment_infos infos;

	if (segment_infos_read(dir, &commit_mem, &infos, err) < 0 ||
	    measure_all(dir, &infos, &division.total, err) < 0)
		return -(int)err->kind;
	bytes = MAX(bytes, 1);
	division.most =
		(size_t)MIN(MAX((division.total + bytes / 2) / bytes, 1), (uint64_t)LIMIT_PIECES);
	division.step = division.next = MAX(division.total / division.most, 1);
	division.starts = arena_zalloc(mem, division.most, sizeof(*division.starts));
	division.sizes = arena_zalloc(mem, division.most, sizeof(*division.sizes));
	if (!division.starts || !division.sizes)
		return arena_fail(mem, "the pieces of a shard", err);
	for (size_t i = 0; i < infos.count; i++)
		if (divide_segment(dir, &infos.segments[i], &division, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < division.count; i++)
		division.sizes[i] =
			(i + 1 < division.count ? division.sizes[i + 1] : division.total) -
			division.sizes[i];
	*starts = division.starts;
	*sizes = division.sizes;
	*count = division.count;
	*total_docs = division.doc_base;
	return 0;
}
