/* What the threads of one run share. */
#ifndef BACKFILL_PIPELINE_INTERNAL_H
#define BACKFILL_PIPELINE_INTERNAL_H

#include "backfill/backfill.h"
#include "backfill/bulk_pool.h"
#include "backfill/item.h"
#include "backfill/work_bytes.h"
#include "base/bounded_queue.h"

#include <pthread.h>

struct pipeline {
	const struct snapshot *snapshot;
	const struct backfill_index *indices;
	size_t index_count;
	const struct backfill_options *options;
	struct failed_documents *failed;
	struct progress *progress;
	const atomic_bool *cancel;
	struct work_bytes *bytes;
	struct bulk_pool *pool;
	struct bounded_queue *queue; /* struct pooled_bulk, from readers to senders */
	struct bulk_sink **sinks;    /* one a sender */
	size_t sender_count;
	size_t documents_per_bulk;
	atomic_uint_least64_t *sequences; /* of the next bulk, a shard */
	size_t *first_sequence;           /* of an index in these */

	atomic_bool stopped;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct item *items; /* open ones */
	uint64_t work_changes;
	bool claimed, all_done;
	enum backfill_end end;
	size_t readers_left, senders_left;
	struct err reason; /* why it was stopped */
};

/* Readers and senders ask it between documents and between bulks. */
static inline bool pipeline_stopping(const struct pipeline *p)
{
	return atomic_load_explicit(&p->stopped, memory_order_relaxed) ||
	       atomic_load_explicit(p->cancel, memory_order_relaxed);
}

/* Nothing can go on: wakes everybody. The first reason stays. */
void pipeline_stop(struct pipeline *p, const struct err *reason);
/* Work may be free now that was not. */
void pipeline_work_changed(struct pipeline *p);
void pipeline_item_ended(const struct item *item);
/* With the lock held: until something changed, at most `wait_ms`. */
void pipeline_wait(struct pipeline *p, int64_t wait_ms);
/* Waits for work_changes to differ from `seen`, at most `wait_ms`. */
void pipeline_wait_for_work(struct pipeline *p, uint64_t seen, int64_t wait_ms);

#define WORK_ITEM_MAX 512

/* "index[shard]", as messages and records name a shard. */
void pipeline_work_item(const struct backfill_index *index, int32_t shard,
			char text[static WORK_ITEM_MAX]);

/* Of an index in the arrays of a live source. */
static inline size_t pipeline_live_place(const struct pipeline *p, size_t index)
{
	return (size_t)(p->indices[index].source - p->snapshot->indices);
}

/* The next item for the calling thread, with a hold of it; NULL when there is none for it. */
struct item *claims_next(struct pipeline *p);

/* The bodies of the threads. */
void *reader_main(void *pipeline);

struct sender_start {
	struct pipeline *pipeline;
	struct bulk_sink *sink;
};
void *sender_main(void *sender_start);
/* Renews leases until all senders have ended. */
void *keeper_main(void *pipeline);

/* Creates the session's items; the counters start where it stands. */
int work_plan_begin(struct pipeline *p, struct backfill_report *report, struct err *err);
/* What the session says of each index; at its end the checksums are joined. */
int work_plan_report(struct pipeline *p, struct backfill_report *report, struct err *err);

#endif
