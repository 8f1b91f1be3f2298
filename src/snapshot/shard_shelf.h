/* Shards that stay open for who needs them next. To divide a shard and to read each of its pieces
 * opens it again and again; in a remote store that costs round trips. */
#ifndef SNAPSHOT_SHARD_SHELF_H
#define SNAPSHOT_SHARD_SHELF_H

#include "snapshot/repository.h"

/* Shards on one shelf: those in use, and of the others the last ones used. */
#define SHARD_SHELF_PLACES 16

struct shard_shelf;

struct shard_shelf *shard_shelf_new(void);
/* All shards must have been given back. Accepts NULL. */
void shard_shelf_free(struct shard_shelf *shelf);
/* A shard that is there, for one more user; NULL: it is not. Thread-safe. */
struct snapshot_shard *shard_shelf_take(struct shard_shelf *shelf,
					const struct snapshot_index *index, int32_t number);
/* Puts up a shard that its caller uses, and returns it, or one that somebody else put up meanwhile,
 * and then frees this one. Where no place is free it stays the caller's alone. Thread-safe. */
struct snapshot_shard *shard_shelf_put(struct shard_shelf *shelf,
				       const struct snapshot_index *index, int32_t number,
				       struct snapshot_shard *shard);
/* One user less. Thread-safe. */
void shard_shelf_give_back(struct snapshot_shard *shard);

/* Frees a shard that has no place. */
void snapshot_shard_free(struct snapshot_shard *shard);

#endif
