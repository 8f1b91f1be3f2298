#include "backfill/delta_shard.h"

#include <stdlib.h>

struct delta_shard {
	struct document_source base;
	struct document_source *delta;
	struct snapshot_shard *before, *after;
};

static int next(struct document_source *source, struct document *out, struct err *err)
{
	return document_source_next(((struct delta_shard *)source)->delta, out, err);
}

static uint64_t position(const struct document_source *source)
{
	return document_source_position(((const struct delta_shard *)source)->delta);
}

static void close_delta(struct document_source *source)
{
	struct delta_shard *shard = (struct delta_shard *)source;

	document_source_close(shard->delta);
	snapshot_shard_close(shard->before);
	snapshot_shard_close(shard->after);
	free(shard);
}

static const struct document_source_ops ops = {next, position, close_delta};

static int count_shards(const struct snapshot *snapshot, const struct snapshot_index *index,
			int32_t *count, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata;

	if (snapshot_index_metadata(snapshot, index, &mem, &metadata, err) < 0)
		return -(int)err->kind;
	*count = metadata.shard_count;
	return 0;
}

int delta_shard_check(const struct snapshot *previous, const struct snapshot *current,
		      const struct snapshot_index *index, struct err *err)
{
	const struct snapshot_index *old = snapshot_find_index(previous, index->name);
	int32_t before = 0, after = 0;

	if (!old)
		return 0;
	if (count_shards(previous, old, &before, err) < 0 ||
	    count_shards(current, index, &after, err) < 0)
		return -(int)err->kind;
	if (before == after)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "index '" STR_FMT "' has %d shard%s in snapshot '" STR_FMT
		       "' and %d in '" STR_FMT "', so its documents cannot be followed from one to "
		       "the other; migrate it whole, without --previous-snapshot-name",
		       STR_ARG(index->name), before, before == 1 ? "" : "s",
		       STR_ARG(previous->summary.name), after, STR_ARG(current->summary.name));
}

static int open_both(struct delta_shard *shard, const struct snapshot *previous,
		     const struct snapshot *current, const struct snapshot_index *index,
		     int32_t number, const struct delta_options *options, struct err *err)
{
	const struct snapshot_index *old = snapshot_find_index(previous, index->name);

	if ((old && snapshot_shard_open(previous, old, number, &shard->before, err) < 0) ||
	    snapshot_shard_open(current, index, number, &shard->after, err) < 0)
		return -(int)err->kind;
	return delta_documents_open(old ? shard->before->directory : NULL, shard->after->directory,
				    options, &shard->delta, err);
}

int delta_shard_open(const struct snapshot *previous, const struct snapshot *current,
		     const struct snapshot_index *index, int32_t shard,
		     const struct delta_options *options, struct document_source **out,
		     struct err *err)
{
	struct delta_shard *opened = mem_zalloc(sizeof(*opened));

	opened->base.ops = &ops;
	if (open_both(opened, previous, current, index, shard, options, err) < 0) {
		close_delta(&opened->base);
		return -(int)err->kind;
	}
	opened->base.total_bytes = opened->delta->total_bytes;
	*out = &opened->base;
	return 0;
}
