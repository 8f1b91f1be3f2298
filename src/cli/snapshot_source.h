/* An opened repository, and one of its snapshots. */
#ifndef CLI_SNAPSHOT_SOURCE_H
#define CLI_SNAPSHOT_SOURCE_H

#include "cli/common_options.h"
#include "snapshot/repository.h"

struct snapshot_source {
	struct blob_store *store;
	struct repository *repository;
	struct snapshot *snapshot; /* NULL where none was asked for */
};

/* Opens what the fields name (already resolved). Release it also after a failure. */
int snapshot_source_open(struct snapshot_source *source, const struct repository_fields *fields,
			 struct err *err);
void snapshot_source_release(struct snapshot_source *source);
/* ERR_UNREADABLE for a snapshot that does not hold all it should: a PARTIAL one, whose failed
 * shards are named, unless `allow_partial`; one that failed or is not finished in any case. */
int snapshot_check_complete(const struct snapshot *snapshot, bool allow_partial, struct err *err);

#endif
