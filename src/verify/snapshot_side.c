/* A snapshot as one side of a comparison. */
#include "backfill/shard_documents.h"
#include "metadata/source_kind.h"
#include "verify/verify_side.h"

#include <stdlib.h>

struct snapshot_side {
	struct verify_side base;
	const struct snapshot *snapshot;
	bool rebuild;
	size_t rebuild_memory;
	bool recovery_source;
	struct arena mem; /* names of types */
};

static const struct snapshot *snapshot_of(const struct verify_side *side)
{
	return ((const struct snapshot_side *)side)->snapshot;
}

static int look(struct verify_side *side, struct verify_index *index, struct err *err)
{
	struct snapshot_side *owner = (struct snapshot_side *)side;
	const struct snapshot *snapshot = owner->snapshot;
	const struct snapshot_index *found = snapshot_find_index(snapshot, index->name);
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata = {0};
	enum source_kind kind;
	int rc;

	if (!found)
		return err_set(err, ERR_NOT_FOUND, "%s has no index '" STR_FMT "'", side->what,
			       STR_ARG(index->name));
	rc = snapshot_index_metadata(snapshot, found, &mem, &metadata, err);
	if (rc < 0)
		return rc;
	index->parts = (size_t)MAX(metadata.shard_count, 0);
	index->documents = 0;
	kind = index_source_kind(&metadata);
	index->rebuilt = owner->rebuild && kind != SOURCE_STORED;
	index->synthetic = kind == SOURCE_SYNTHETIC;
	index->only_type = index_only_type(&metadata);
	if (!index->only_type.ptr)
		return 0;
	index->only_type = arena_str(&owner->mem, index->only_type);
	return index->only_type.ptr ? 0 : arena_fail(&owner->mem, "the name of a type", err);
}

static int open_part(struct verify_side *side, const struct verify_index *index, size_t part,
		     struct document_source **out, struct err *err)
{
	const struct lucene_documents_options all = {
		.rebuild_memory = ((const struct snapshot_side *)side)->rebuild_memory,
		.recovery_source = ((const struct snapshot_side *)side)->recovery_source};
	const struct snapshot *snapshot = snapshot_of(side);
	const struct snapshot_index *found = snapshot_find_index(snapshot, index->name);

	if (index->rebuilt)
		return shard_documents_open_rebuilt(snapshot, found, (int32_t)part,
						    index->synthetic, &all, out, err);
	return shard_documents_open(snapshot, found, (int32_t)part, NULL, out, err);
}

static int list(struct verify_side *side, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	const struct snapshot *snapshot = snapshot_of(side);

	*names = arena_zalloc(mem, snapshot->index_count + 1, sizeof(**names));
	if (!*names)
		return arena_fail(mem, "the names of indices", err);
	*count = snapshot->index_count;
	for (size_t i = 0; i < *count; i++)
		(*names)[i] = snapshot->indices[i].name;
	return 0;
}

static void close_side(struct verify_side *side)
{
	arena_release(&((struct snapshot_side *)side)->mem);
	free(side);
}

static const struct verify_side_ops ops = {look, open_part, list, NULL, close_side};

struct verify_side *verify_side_of_snapshot(const struct snapshot *snapshot, const char *what,
					    bool rebuild, size_t rebuild_memory,
					    bool recovery_source)
{
	struct snapshot_side *side = mem_zalloc(sizeof(*side));

	side->base = (struct verify_side){&ops, what};
	side->snapshot = snapshot;
	side->rebuild = rebuild;
	side->rebuild_memory = rebuild_memory;
	side->recovery_source = recovery_source;
	side->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	return &side->base;
}

void verify_side_close(struct verify_side *side)
{
	if (side)
		side->ops->close(side);
}
