/* The indices of a live cluster, described as a snapshot describes its own: what moves the one then
 * moves the other. */
#ifndef WORKFLOW_ROUTES_LIVE_INDICES_H
#define WORKFLOW_ROUTES_LIVE_INDICES_H

#include "backfill/live_shard.h"
#include "metadata/index_filter.h"
#include "snapshot/repository.h"

/* Those that the filter accepts. With `refresh` they are refreshed, so that searches find all that
 * was written; one that cannot be is told in the log. `source` is borrowed and must outlive both
 * results; snapshot_close frees what *live points to. Its uuid is the cluster's; it has no
 * repository, and only snapshot_find_index and snapshot_index_metadata may be asked of it. */
int live_indices_read(struct cluster *source, const struct index_filter *filter, struct str query,
		      bool refresh, struct snapshot **out, struct live_source *live,
		      struct err *err);

#endif
