/* What the threads of one run share. */
#ifndef BACKFILL_PIPELINE_INTERNAL_H
#define BACKFILL_PIPELINE_INTERNAL_H

#include "backfill/backfill.h"
#include "backfill/bulk_pool.h"
#include "backfill/work_list.h"
#include "base/bounded_queue.h"

#include <pthread.h>

struct pipeline {
	const struct snapshot *snapshot;
	const struct backfill_index *indices;
	const struct backfill_options *options;
	struct failed_documents *failed;
	struct progress *progress;
	const atomic_bool *cancel;
	struct work_list *work;
	struct bulk_pool *pool;
	struct bounded_queue *queue; /* struct pooled_bulk, from readers to senders */
	struct bulk_sink **sinks;    /* one a sender */
	size_t sender_count;
	size_t documents_per_bulk;

	atomic_bool stopped;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct backfill_index_result *results;
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

#define WORK_ITEM_MAX 512

/* "index[shard]", as messages and records name a shard. */
void pipeline_work_item(const struct backfill_index *index, int32_t shard,
			char text[static WORK_ITEM_MAX]);

/* The bodies of the threads. */
void *reader_main(void *pipeline);

struct sender_start {
	struct pipeline *pipeline;
	struct bulk_sink *sink;
};
void *sender_main(void *sender_start);

#endif
