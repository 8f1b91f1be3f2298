/* Shards whose files are not in the repository: says where they are, and what to do. */
#ifndef SNAPSHOT_SHARD_ELSEWHERE_H
#define SNAPSHOT_SHARD_ELSEWHERE_H

#include "snapshot/repository.h"

/* Of a shard without a list of files in `folder`, of which rc and err speak: -ERR_UNSUPPORTED when
 * the files were left in a remote store, else rc and err as they are. */
int shard_elsewhere_shallow(const struct snapshot *snapshot, struct blob_store *store,
			    struct str folder, struct arena *mem, int rc, struct err *err);
/* Of a shard whose list is empty: -ERR_UNSUPPORTED, naming the snapshot it is mounted from, as far
 * as the index's settings say. */
int shard_elsewhere_mounted(const struct snapshot *snapshot, const struct snapshot_index *index,
			    struct arena *mem, struct err *err);

#endif
