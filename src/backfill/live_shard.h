/* The documents of one shard of a live index, as work that can be taken up again. */
#ifndef BACKFILL_LIVE_SHARD_H
#define BACKFILL_LIVE_SHARD_H

#include "cluster/cluster.h"
#include "documents/document.h"

/* Live indices, described as those of a snapshot; arrays have an entry for each of its indices. All
 * borrowed. */
struct live_source {
	struct cluster *cluster;
	struct str query;            /* JSON of a query clause; ptr NULL: all documents */
	const bool *by_sequence;     /* read in the order of _seq_no; else by scroll, and an item is
					begun anew where it was not finished */
	const uint64_t *shard_bytes; /* of a shard, about */
};

/* document.doc is the sequence number where the index is read by these, those from `first_doc` on;
 * else it counts up from 0, and first_doc is 0. `place`: of the index in the arrays. */
int live_shard_open(const struct live_source *live, size_t place, struct str index, int32_t number,
		    int64_t first_doc, bool versions, struct document_source **out,
		    struct err *err);

#endif
