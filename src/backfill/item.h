/* A leased work item on its way: read by one thread, its bulks acknowledged by others, checkpointed
 * as they are. Thread-safe.
 *
 * An acknowledgement returns once it is durable, so that after a crash no more is sent twice than
 * was in flight. Acknowledgements that wait at the same time share a checkpoint. */
#ifndef BACKFILL_ITEM_H
#define BACKFILL_ITEM_H

#include "backfill/coordinator.h"
#include "backfill/hash_list.h"
#include "backfill/item_state.h"

#include <pthread.h>
#include <stdatomic.h>

struct pipeline;

/* Of the documents that a bulk covers. */
struct item_counts {
	uint64_t documents, sent, failed, superseded, source_bytes;
};

/* Checksums of what was read up to the end of a bulk, since the item was claimed. */
struct item_cut {
	int64_t end_doc;
	struct checksum_part *parts; /* names are owned */
	size_t part_count;
};

enum item_end {
	ITEM_OPEN = 0,
	ITEM_COMPLETED,
	ITEM_FAILED, /* given up, with its reason */
	ITEM_LOST,   /* another worker has the lease */
	ITEM_BROKEN, /* its coordinator cannot be used */
};

struct item {
	struct pipeline *p;
	struct work_claim claim;
	struct item *next, *previous; /* of those open; pipeline's lock */
	size_t index;                 /* into the indices of the run */
	bool begins_anew;             /* unless it is finished, whatever was acknowledged */
	atomic_size_t holders;        /* its reader, its bulks, and whoever looks */
	_Atomic enum item_end end;

	pthread_mutex_t lock; /* for all below, and for `claim` while !saving */
	pthread_cond_t saved_some;
	struct ack_tracker acks;
	struct work_progress progress; /* counts; of what is acknowledged */
	struct item_state before;      /* as claimed */
	struct item_cut *cuts;         /* where bulks end, ascending */
	size_t cut_count, cut_capacity;
	struct item_counts rest; /* behind the last bulk */
	/* Of what is acknowledged, and of the rest; no buckets: none are taken. */
	struct digest digest, rest_digest;
	int64_t end_doc; /* once it is read */
	bool read;
	struct err failure; /* why reading ended; ERR_NONE: it came to the end */
	uint64_t changes, saved;
	uint64_t failures_on_record; /* of progress.failed, flushed */
	bool saving;                 /* somebody is at the coordinator with it */
};

/* Takes the claim over (also on failure) and the first hold. ERR_FORMAT: its state is damaged. */
int item_open(struct pipeline *p, struct work_claim *claim, size_t index, struct item **out,
	      struct err *err);
void item_hold(struct item *item);
/* The last one hands back what did not end. Accepts NULL. */
void item_drop(struct item *item);
/* False: no more of its documents are to be read or sent. */
static inline bool item_is_open(const struct item *item)
{
	return atomic_load_explicit(&item->end, memory_order_relaxed) == ITEM_OPEN;
}

/* Where to go on reading; a document in one of the ranges (count of them, live as long as the item)
 * is to be passed over. */
int64_t item_begin(const struct item *item, const struct doc_range **acknowledged, size_t *count);
/* Divides it: see coordinator_ops.divide. */
int item_divide(struct item *item, const struct work_item *ranges, size_t count, struct err *err);
/* The next bulk covers all documents before `end`; see ack_tracker_add. `parts` (copied) are the
 * source's, now. */
struct doc_range item_add_bulk(struct item *item, int64_t end, bool holds_part,
			       const struct checksum_part *parts, size_t part_count);
/* A bulk was acknowledged, and what failed of it is on record (not flushed); `hashes` of its
 * documents, where digests are taken. The rest of the errors
 * are the coordinator's, and end the run; a lost lease is none. */
int item_acknowledge(struct item *item, struct doc_range range, const struct item_counts *counts,
		     const struct hash_list *hashes, struct err *err);
/* How reading an item ended. */
struct item_reading {
	int64_t end_doc;
	struct item_counts rest;           /* behind the last bulk */
	const struct hash_list *hashes;    /* of the rest; NULL: none */
	const struct checksum_part *parts; /* at the end */
	size_t part_count;
	const struct err *failure; /* NULL: it came to the end */
};
/* Waits until all its bulks are acknowledged; false when the item or the run has ended before. */
bool item_settle(struct item *item);
/* Its reader is done. It is completed or given up when all its bulks are acknowledged. */
int item_end_reading(struct item *item, const struct item_reading *reading, struct err *err);
/* Makes the lease run anew if less than half of it is left. */
int item_renew(struct item *item, struct err *err);

#endif
