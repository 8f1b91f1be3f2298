/* Backfill: the documents of a snapshot's indices into a target.
 *
 * Reader threads take shards, decompress each chunk once and fill bulks; a queue bounded by bytes
 * hands them to sender threads. Memory: readers' bulks + queue + bulks in flight <= max_memory. */
#ifndef BACKFILL_BACKFILL_H
#define BACKFILL_BACKFILL_H

#include "backfill/allowed_failures.h"
#include "backfill/bulk_sink.h"
#include "backfill/failed_documents.h"
#include "backfill/progress.h"
#include "snapshot/repository.h"

struct backfill_index {
	const struct snapshot_index *source;
	struct str target_name; /* index on the target */
	int32_t shard_count;
	struct str only_type; /* of documents stored without one, as ES 6 does; ptr NULL: none */
};

/* What became of one index. */
struct backfill_index_result {
	uint64_t documents; /* live documents in the snapshot, as read */
	uint64_t sent, failed;
	uint64_t source_bytes;
	bool unreadable; /* a shard could not be read to its end: `reason` */
	char reason[1000];
};

struct backfill_options {
	int64_t documents_per_bulk; /* at most */
	int64_t bytes_per_bulk;     /* of body, at most; a larger document goes alone */
	int64_t max_memory;         /* bytes of all bulks, filled, waiting or in flight; only a
				       single document may be larger. Bulks shrink to fit */
	int64_t readers, senders;   /* threads */
	bool emit_type;             /* _type in every action line: targets before Elasticsearch 7 */
	bool keep_type; /* _type in the action lines of documents that were stored with one */
	struct allowed_failures allowed; /* count as sent */
	/* Makes sender i's way to the target. */
	int (*open_sink)(void *user, size_t sender, struct bulk_sink **out, struct err *err);
	void *open_sink_user;
};

/* Runs to the end. `results` has one entry for each of `indices`. 0 when every shard was read and
 * every bulk answered (failed documents are counted, recorded and no error); negative when the
 * target or this machine cannot go on. An index that cannot be read is marked in its result and the
 * rest goes on. *cancel, set from any thread or signal handler, ends it with ERR_CANCELLED after
 * the bulks in flight. `failed` NULL: failed documents are only counted. */
int backfill_run(const struct snapshot *snapshot, const struct backfill_index *indices,
		 size_t count, const struct backfill_options *options,
		 struct failed_documents *failed, struct progress *progress, atomic_bool *cancel,
		 struct backfill_index_result *results, struct err *err);

#endif
