/* What changed in one shard between two snapshots, with all that must be open to read it. */
#ifndef BACKFILL_DELTA_SHARD_H
#define BACKFILL_DELTA_SHARD_H

#include "documents/delta_documents.h"
#include "snapshot/repository.h"

/* Whether an index can be followed from `previous` to `current`, before any of its shards is
 * opened: ERR_UNSUPPORTED when it has another number of shards in each, so that a document may have
 * moved to another shard. An index that `previous` does not have is new, and can. */
int delta_shard_check(const struct snapshot *previous, const struct snapshot *current,
		      const struct snapshot_index *index, struct err *err);
/* As delta_documents_open; `index` is of `current`. Closing *out closes both shards too. A document
 * that comes `deleted` goes out as BULK_DELETE. lucene_documents_parts is not for this source. */
int delta_shard_open(const struct snapshot *previous, const struct snapshot *current,
		     const struct snapshot_index *index, int32_t shard,
		     const struct delta_options *options, struct document_source **out,
		     struct err *err);

#endif
