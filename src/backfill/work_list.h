/* The shards of a run, the largest first, so that none that takes long begins last. */
#ifndef BACKFILL_WORK_LIST_H
#define BACKFILL_WORK_LIST_H

#include "backfill/backfill.h"

struct work_shard {
	size_t index; /* into the indices of the run */
	int32_t shard;
	uint64_t file_bytes; /* of all its files; 0 if its metadata cannot be read */
};

struct work_list;

/* Every shard of every index, told by size from the shards' metadata. Stops early when *cancel is
 * set. */
struct work_list *work_list_new(const struct snapshot *snapshot,
				const struct backfill_index *indices, size_t count,
				const atomic_bool *cancel);
/* Accepts NULL. */
void work_list_free(struct work_list *list);
size_t work_list_count(const struct work_list *list);
/* The next shard for the calling thread; NULL when there is none. Thread-safe. */
const struct work_shard *work_list_next(struct work_list *list);
/* A shard was opened (or failed to, with 0): `stored_bytes` are to be read of it. Sets *total, what
 * is to be read in all: of the shards not yet opened, as much of their files as it was of the
 * others. Thread-safe. */
void work_list_opened(struct work_list *list, const struct work_shard *shard, uint64_t stored_bytes,
		      _Atomic uint64_t *total);

#endif
