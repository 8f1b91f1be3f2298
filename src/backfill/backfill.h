/* Backfill: the documents of a snapshot's indices into a target.
 *
 * Reader threads claim work items of a coordinator (ranges of a shard), decompress each chunk once
 * and fill bulks; a queue bounded by bytes hands them to sender threads, which checkpoint what was
 * acknowledged. Memory: readers' bulks + queue + bulks in flight <= max_memory. */
#ifndef BACKFILL_BACKFILL_H
#define BACKFILL_BACKFILL_H

#include "backfill/ack_tracker.h"
#include "backfill/allowed_failures.h"
#include "backfill/bulk_sink.h"
#include "backfill/control.h"
#include "backfill/coordinator.h"
#include "backfill/failed_documents.h"
#include "backfill/live_shard.h"
#include "backfill/pressure.h"
#include "backfill/progress.h"
#include "documents/delta_documents.h"
#include "documents/file_documents.h"
#include "snapshot/repository.h"
#include "transform/document_batch.h"

struct backfill_index {
	const struct snapshot_index *source;
	struct str target_name; /* index on the target */
	int32_t shard_count;
	struct str only_type; /* of documents stored without one, as ES 6 does; ptr NULL: none */
	const char *blocked;  /* why its documents cannot be sent in this run: its work is parked;
				 NULL: they can */
	bool rebuild;         /* its sources, by its mapping (documents/rebuild.h) */
	bool synthetic;       /* they are synthetic */
	bool inverts;         /* … out of points or terms: its shards are not divided */
	struct rebuild_tally *tally; /* of what could not be rebuilt; borrowed; NULL: none */
	bool create_only; /* a data stream of the target: it takes nothing but BULK_CREATE */
};

/* What became of one index, in this run and those before it of the same session. */
struct backfill_index_result {
	uint64_t documents; /* live documents in the snapshot, as read */
	uint64_t sent, failed;
	uint64_t superseded; /* of sent: the target had something newer */
	uint64_t source_bytes;
	bool unreadable; /* a shard could not be read to its end: `reason` */
	bool unproven;   /* … or was, and its checksums are not those it should have */
	char reason[1000];
};

/* How ids are sent. */
enum backfill_ids { BACKFILL_IDS_KEEP, BACKFILL_IDS_GENERATED };

struct backfill_options {
	int64_t documents_per_bulk; /* at most */
	int64_t bytes_per_bulk;     /* of body, at most; a larger document goes alone */
	int64_t max_memory;         /* bytes of all bulks, filled, waiting or in flight; only a
				       single document may be larger. Bulks shrink to fit */
	int64_t readers, senders;   /* threads */
	int64_t range_bytes; /* shards above this are divided in ranges of about it; 0: never */
	int64_t grace_ms;    /* for bulks in flight when *cancel is set; then they are cut off */
	bool one_item;       /* claims one work item and ends */
	bool emit_type;      /* _type in every action line: targets before Elasticsearch 7 */
	bool keep_type;      /* _type in the action lines of documents that were stored with one */
	enum bulk_operation operation;
	bool source_versions; /* _version of the snapshot, as external_gte */
	/* Indices that store no sources, or parts of them, may be rebuilt (backfill_index.rebuild).
	 * Not with `live` or `previous`. */
	bool sourceless;
	bool recovery_source;      /* as of lucene_documents_options */
	int64_t sourceless_memory; /* bytes that points and terms of a segment may take, of each
				      reader; 0: LIMIT_INDEXED */
	enum backfill_ids ids;
	/* Where the documents are read, of indices that the snapshot only describes; NULL: they are
	 * in the snapshot. Not with `previous` or `digest_folder`. */
	const struct live_source *live;
	/* Where the documents are read, in the order of files and lines: of the one index that the
	 * snapshot describes, which has one shard; NULL: they are not. Documents name their own
	 * index; two of the same id are never in flight together. With nothing of the above. */
	const struct file_documents_options *files;
	enum transform_error_policy on_bad_line; /* of a file */
	/* Only what changed since this snapshot of the same repository, deletes as BULK_DELETE
	 * (borrowed); NULL: all documents. Not with BULK_CREATE or ids made anew. */
	const struct snapshot *previous;
	enum delta_mode delta_mode;
	/* Where the digests of what is read are written once all is done (source_digests.h); NULL:
	 * none are taken. Not with a transform, `previous` or ids made anew. */
	const char *digest_folder;
	struct coordinator *coordinator; /* borrowed */
	struct str fingerprint;          /* of source and plan: see coordinator_ops.create */
	struct pressure *pressure;       /* borrowed; NULL: senders press as they can */
	struct control *control;         /* borrowed; NULL: nobody changes `pressure` meanwhile */
	struct allowed_failures allowed; /* count as sent */
	/* Makes sender i's way to the target. */
	int (*open_sink)(void *user, size_t sender, struct bulk_sink **out, struct err *err);
	void *open_sink_user; /* of begin_item, too */
	/* Before documents of a shard are read: those in `range` are sent again, but for `kept`
	 * (count of them, ascending), which are acknowledged. NULL: nobody wants to know. */
	int (*begin_item)(void *user, struct str index, int32_t shard, struct doc_range range,
			  const struct doc_range *kept, size_t count, struct err *err);
	/* Makes the transform of a reader; NULL: documents are sent as they are. */
	int (*open_transform)(void *user, struct transform **out, struct err *err);
	void *open_transform_user;
	enum transform_error_policy on_transform_error;
};

/* How a run of one item ended. */
enum backfill_end {
	BACKFILL_ALL_DONE,   /* no work is left */
	BACKFILL_ITEM_DONE,  /* one_item: it was completed */
	BACKFILL_LEASE_LOST, /* … another worker went on with it */
	BACKFILL_ALL_LEASED, /* … there is work, but others have it */
	BACKFILL_UNREADABLE, /* … it could not be read */
};

struct backfill_report {
	struct backfill_index_result *indices; /* the caller's, one for each index */
	enum backfill_end end;
	bool resumed;         /* the session was there before */
	bool finished_before; /* and had nothing left to do */
};

/* Runs to the end of the session's work, that of other processes too. 0 when every shard was read
 * and every bulk answered (failed documents are counted, recorded and no error); negative when the
 * target, the coordinator or this machine cannot go on. An index that cannot be read is marked in
 * its result and the rest goes on. *cancel, set from any thread or signal handler, ends it with
 * ERR_CANCELLED after the bulks in flight; what was not done is handed back. `failed` NULL: failed
 * documents are only counted. */
int backfill_run(const struct snapshot *snapshot, const struct backfill_index *indices,
		 size_t count, const struct backfill_options *options,
		 struct failed_documents *failed, struct progress *progress, atomic_bool *cancel,
		 struct backfill_report *report, struct err *err);

#endif
