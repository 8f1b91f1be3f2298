/* Who does which piece of a backfill: work items, leases, checkpoints. One coordinator is shared by
 * the threads of a process, its store by many processes: SQLite below the state directory
 * (coordinator_local.c), or an index of a cluster (coordinator_cluster.c). Thread-safe.
 *
 * A work item is a range of Lucene document ids of one shard of the snapshot. It begins as a whole
 * shard; whoever claims one that is large divides it. Whoever holds a lease reports how far all
 * documents were acknowledged; another one goes on from there when the lease is lost. */
#ifndef BACKFILL_COORDINATOR_H
#define BACKFILL_COORDINATOR_H

#include "base/arena.h"
#include "base/err.h"

#define WORK_TO_END INT64_MAX /* end_doc: the end of the shard */

struct work_item {
	struct str index; /* in the snapshot */
	int32_t shard;
	int64_t first_doc, end_doc; /* [first, end) of the shard, deleted documents counted */
	uint64_t bytes; /* of files or stored fields it stands for; 0: not known. Larger ones
			   are given out first */
};

/* What is known of an item's work; all of it is made durable at once. */
struct work_progress {
	int64_t next_doc; /* documents of the item before this one are acknowledged or on record */
	uint64_t documents, sent, failed,
		superseded; /* of these; superseded: a newer one was there */
	uint64_t source_bytes;
	struct str state; /* JSON that the pipeline wants back: checksums of what was read, digests;
			     ptr NULL: none. At most 1 MiB */
};

/* A leased item. Owned by the caller: work_claim_release. */
struct work_claim {
	struct arena mem;
	struct str id; /* the coordinator's own */
	struct work_item item;
	struct work_progress progress; /* as last checkpointed, by whomever; its state is there
					  only until the holder's own checkpoint */
	bool divided;           /* it is a range made by coordinator_divide: not to be divided
				   again */
	int64_t lease_ms;       /* how long the lease was given for */
	int64_t lease_until_ms; /* clock_monotonic_ms: ours until then */
	int32_t failures;       /* times it was given up without progress */
};

enum claim_outcome {
	CLAIM_ALL_DONE = 0, /* every item is completed or parked */
	CLAIM_TAKEN = 1,
	CLAIM_LATER =
		2, /* all that is left is leased by others, or waits; ask again after *wait_ms */
};

/* One item of the status listing; strings in the arena it was asked with. */
enum work_state { WORK_WAITING, WORK_LEASED, WORK_COMPLETED, WORK_PARKED };
struct work_status {
	struct work_item item;
	enum work_state state;
	struct work_progress progress;
	struct str worker; /* that holds or held it; ptr NULL: none yet */
	struct str reason; /* of the last failure; ptr NULL: none */
	int32_t failures;
	int64_t lease_left_ms; /* WORK_LEASED */
};

struct coordinator;

struct coordinator_ops {
	/* Creates the items, once for a session: by many processes at the same time and after a
	 * crash in the middle, too. `fingerprint` tells source and plan apart: a session made for
	 * another one is ERR_USAGE, naming both. *created: false when all were there already. */
	int (*create)(struct coordinator *c, struct str fingerprint, const struct work_item *items,
		      size_t count, bool *created, struct err *err);
	/* Leases the next item. Expired leases and those of dead processes of this host are free.
	 */
	int (*claim)(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		     int64_t *wait_ms, struct err *err);
	/* Durable when it returns, and the lease runs anew. ERR_LEASE_LOST: another one has it;
	 * stop working on it. Progress resets failures and the lease's exponent. */
	int (*checkpoint)(struct coordinator *c, struct work_claim *claim,
			  const struct work_progress *progress, struct err *err);
	/* The claimed item becomes ranges[0] and the others wait to be claimed; all or nothing. */
	int (*divide)(struct coordinator *c, struct work_claim *claim,
		      const struct work_item *ranges, size_t count, struct err *err);
	/* The last checkpoint; the item is done. */
	int (*complete)(struct coordinator *c, struct work_claim *claim,
			const struct work_progress *progress, struct err *err);
	/* Hands the item back, free at once, and not as a failure. */
	int (*release)(struct coordinator *c, struct work_claim *claim, struct err *err);
	/* It cannot be worked on: free again after a while; parked with its reason after
	 * options.max_failures times without progress, at once if `final`. */
	int (*fail)(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
		    struct err *err);
	/* All items, by index, shard, first_doc. */
	int (*list)(struct coordinator *c, struct arena *mem, struct work_status **out,
		    size_t *count, struct err *err);
	/* Parked items wait again. *count: how many. */
	int (*unpark)(struct coordinator *c, size_t *count, struct err *err);
	/* Gives back what this process still holds. */
	void (*close)(struct coordinator *c);
	/* Requests under way, and all later ones, end with ERR_CANCELLED: from any thread. NULL:
	 * none takes long. */
	void (*cancel)(struct coordinator *c);
	/* Which worker of the session tunes the target's settings; NULL, all three: the state
	 * directory that all of them share decides (target_tuning.h). *ours: nobody else has it, or
	 * a process of this host that is gone. *saved: what it is to keep, in `mem`; ptr NULL:
	 * nothing. */
	int (*tuning_take)(struct coordinator *c, struct arena *mem, bool *ours, struct str *saved,
			   struct err *err);
	/* Durable in place of what is kept; ptr NULL: nothing is left, and anyone may take it. */
	int (*tuning_keep)(struct coordinator *c, struct str saved, struct err *err);
	int (*tuning_look)(struct coordinator *c, struct arena *mem, struct str *saved,
			   struct err *err);
};

/* Implementations embed this as their first member. */
struct coordinator {
	const struct coordinator_ops *ops;
};

struct coordinator_options {
	const char *session; /* letters, digits, '-' */
	const char *worker;  /* who holds leases; NULL: host-pid */
	int64_t lease_ms; /* of the first lease of an item: 60000 unless the user says otherwise */
	int64_t max_lease_ms; /* doubled up to this for each lease lost without progress */
	int32_t max_failures; /* 5 unless the user says otherwise */
};

/* <state_dir>/work/<session>.db: SQLite, WAL, synchronous=FULL. */
int coordinator_local_open(const char *state_dir, const struct coordinator_options *options,
			   struct coordinator **out, struct err *err);

struct cluster;
enum coordinator_compat { COORDINATOR_OWN, COORDINATOR_JAVA };
/* The index .migrations_working_state[_session] of a cluster (owned from here on). JAVA: whole
 * shards as items, documents and scripts as the Java tool's workers understand them; divide is
 * -ERR_UNSUPPORTED there. Clocks more than 15 s apart are ERR_USAGE. */
int coordinator_cluster_open(struct cluster *cluster, enum coordinator_compat compat,
			     const struct coordinator_options *options, struct coordinator **out,
			     struct err *err);

void work_claim_init(struct work_claim *claim);
void work_claim_release(struct work_claim *claim);

#endif
