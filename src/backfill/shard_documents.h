/* The documents of one shard of a snapshot, with all that must be open to read them. */
#ifndef BACKFILL_SHARD_DOCUMENTS_H
#define BACKFILL_SHARD_DOCUMENTS_H

#include "documents/lucene_documents.h"
#include "snapshot/repository.h"

#include <stdatomic.h>

/* Bytes of all files of the shard: what larger shards are told by. */
int shard_documents_size(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, uint64_t *bytes, struct err *err);
/* As lucene_documents_open; options NULL: all live documents. Closing *out closes the shard too. */
int shard_documents_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, const struct lucene_documents_options *options,
			 struct document_source **out, struct err *err);
/* The same with each document's source rebuilt by the index's mapping, or completed.
 * options->rebuild is not looked at. */
int shard_documents_open_rebuilt(const struct snapshot *snapshot,
				 const struct snapshot_index *index, int32_t shard, bool synthetic,
				 const struct lucene_documents_options *options,
				 struct document_source **out, struct err *err);
/* As lucene_documents_parts, of a source that shard_documents_open gave. */
size_t shard_documents_parts(const struct document_source *source,
			     const struct checksum_part **parts);
/* As lucene_documents_divide; the shard is open only meanwhile. */
int shard_documents_divide(const struct snapshot *snapshot, const struct snapshot_index *index,
			   int32_t shard, uint64_t bytes, struct arena *mem, int64_t **starts,
			   uint64_t **sizes, size_t *count, int64_t *total_docs, struct err *err);
/* As lucene_documents_check. */
int shard_documents_check(const struct snapshot *snapshot, const struct snapshot_index *index,
			  int32_t shard, const atomic_bool *cancel, struct err *err);

#endif
