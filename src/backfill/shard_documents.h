/* The documents of one shard of a snapshot, with all that must be open to read them. */
#ifndef BACKFILL_SHARD_DOCUMENTS_H
#define BACKFILL_SHARD_DOCUMENTS_H

#include "documents/document.h"
#include "snapshot/repository.h"

/* Bytes of all files of the shard: what larger shards are told by. */
int shard_documents_size(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, uint64_t *bytes, struct err *err);
/* Closing *out closes the shard too. */
int shard_documents_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, struct document_source **out, struct err *err);

#endif
