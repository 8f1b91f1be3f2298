#include "backfill/shard_proof.h"

#include "backfill/shard_documents.h"
#include "backfill/item_state.h"

#include <stdlib.h>

struct parts {
	struct checksum_part *parts;
	size_t count;
};

static int gather(const struct work_status *rows, size_t count, struct arena *mem,
		  struct parts *out, struct err *err)
{
	struct item_state *states = arena_zalloc(mem, count, sizeof(*states));
	size_t total = 0;

	*out = (struct parts){0};
	if (!states)
		return arena_fail(mem, "the checksums of a shard", err);
	for (size_t i = 0; i < count; i++) {
		if (item_state_parse(rows[i].progress.state, mem, &states[i], err) < 0)
			return -(int)err->kind;
		total += states[i].part_count;
	}
	out->parts = arena_zalloc(mem, total, sizeof(*out->parts));
	if (!out->parts)
		return arena_fail(mem, "the checksums of a shard", err);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < states[i].part_count; j++)
			out->parts[out->count++] = states[i].parts[j];
	return 0;
}

static int by_segment(const void *a, const void *b)
{
	const struct checksum_part *x = a, *y = b;
	int order = str_cmp(x->segment, y->segment);

	return order ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

static int join(struct parts *parts, bool *complete, struct err *err)
{
	size_t to;

	*complete = true;
	if (parts->count)
		qsort(parts->parts, parts->count, sizeof(*parts->parts), by_segment);
	for (size_t from = 0; from < parts->count; from = to) {
		bool whole = false;

		for (to = from + 1; to < parts->count &&
				    str_eq(parts->parts[to].segment, parts->parts[from].segment);)
			to++;
		if (checksum_parts_join(&parts->parts[from], to - from, &whole, err) < 0)
			return -(int)err->kind;
		*complete = *complete && whole;
	}
	return 0;
}

int shard_proof(const struct snapshot *snapshot, const struct snapshot_index *index, int32_t shard,
		const struct work_status *rows, size_t count, const atomic_bool *cancel,
		struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct parts parts;
	bool complete;

	if (gather(rows, count, &mem, &parts, err) < 0 || join(&parts, &complete, err) < 0)
		return -(int)err->kind;
	if (complete)
		return 0;
	return shard_documents_check(snapshot, index, shard, cancel, err);
}
