/* How many documents an index of a cluster has. */
#ifndef CLUSTER_DOCUMENT_COUNT_H
#define CLUSTER_DOCUMENT_COUNT_H

#include "cluster/cluster.h"

/* Refreshes the index and counts. *count is -1 where the cluster answers but has no number to give
 * (no such index, closed): *reason, in `mem`, says why. Negative when it does not answer. */
int document_count(struct cluster *cluster, struct str index, struct arena *mem, int64_t *count,
		   struct str *reason, struct err *err);
/* The same as it stands, without a refresh; of those that fulfil `query` (JSON of a query clause;
 * ptr NULL: all). */
int document_count_now(struct cluster *cluster, struct str index, struct str query,
		       struct arena *mem, int64_t *count, struct str *reason, struct err *err);

#endif
