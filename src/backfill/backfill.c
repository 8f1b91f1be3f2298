#include "backfill/backfill.h"

#include "backfill/pipeline_internal.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CANCEL_POLL_MS 50 /* a signal handler sets a flag and can wake nobody */

static void wake_all(struct pipeline *p)
{
	atomic_store(&p->stopped, true);
	bulk_pool_close(p->pool);
	bounded_queue_close(p->queue);
	pthread_cond_broadcast(&p->changed);
}

void pipeline_work_changed(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	p->work_changes++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static enum backfill_end end_of_one(enum item_end end)
{
	switch (end) {
	case ITEM_COMPLETED:
		return BACKFILL_ITEM_DONE;
	case ITEM_FAILED:
		return BACKFILL_UNREADABLE;
	case ITEM_LOST:
	case ITEM_BROKEN:
	case ITEM_OPEN:
		return BACKFILL_LEASE_LOST;
	}
	BUG("unknown end of a work item");
}

void pipeline_item_ended(const struct item *item)
{
	struct pipeline *p = item->p;
	enum item_end end = atomic_load(&item->end);

	pthread_mutex_lock(&p->lock);
	if (p->options->one_item)
		p->end = end_of_one(end);
	p->work_changes++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	atomic_fetch_add(&p->progress->items_done, end == ITEM_COMPLETED || end == ITEM_FAILED);
}

void pipeline_stop(struct pipeline *p, const struct err *reason)
{
	pthread_mutex_lock(&p->lock);
	if (p->reason.kind == ERR_NONE)
		p->reason = *reason;
	pthread_mutex_unlock(&p->lock);
	wake_all(p);
}

void pipeline_work_item(const struct backfill_index *index, int32_t shard,
			char text[static WORK_ITEM_MAX])
{
	snprintf(text, WORK_ITEM_MAX, STR_FMT "[%d]", STR_ARG(index->source->name), shard);
}

/* Readers fill one each, and one more at least is with a sender. */
static size_t bulk_limit(const struct backfill_options *options)
{
	int64_t shares = MAX(options->readers, 1) + 2;

	return (size_t)MAX(MIN(options->bytes_per_bulk, options->max_memory / shares), 1);
}

static int open_sinks(struct pipeline *p, struct err *err)
{
	size_t wanted = (size_t)MAX(p->options->senders, 1);

	p->sinks = mem_zalloc(wanted * sizeof(struct bulk_sink *));
	for (; p->sender_count < wanted; p->sender_count++) {
		int rc = p->options->open_sink(p->options->open_sink_user, p->sender_count,
					       &p->sinks[p->sender_count], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void count_sequences(struct pipeline *p)
{
	size_t shards = 0;

	p->first_sequence = mem_zalloc((p->index_count + 1) * sizeof(*p->first_sequence));
	for (size_t i = 0; i < p->index_count; i++) {
		p->first_sequence[i] = shards;
		shards += (size_t)MAX(p->indices[i].shard_count, 0);
	}
	p->sequences = mem_zalloc((shards + 1) * sizeof(*p->sequences));
}

static void init(struct pipeline *p)
{
	pthread_condattr_t monotonic;

	count_sequences(p);
	p->bytes = work_bytes_new(p->progress);

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	p->documents_per_bulk = (size_t)MAX(p->options->documents_per_bulk, 1);
	p->pool = bulk_pool_new(bulk_limit(p->options), (size_t)MAX(p->options->max_memory, 1));
	p->queue = bounded_queue_new((size_t)MAX(p->options->max_memory, 1));
}

static void release(struct pipeline *p)
{
	struct pooled_bulk *bulk;

	bounded_queue_close(p->queue);
	while ((bulk = bounded_queue_pop(p->queue))) {
		item_drop(bulk->item);
		bulk_pool_give(p->pool, bulk);
	}
	bounded_queue_free(p->queue);
	bulk_pool_free(p->pool);
	work_bytes_free(p->bytes);
	free(p->sequences);
	free(p->first_sequence);
	for (size_t i = 0; i < p->sender_count; i++)
		p->sinks[i]->ops->close(p->sinks[i]);
	free(p->sinks);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
}

static void cancel_sinks(struct pipeline *p)
{
	for (size_t i = 0; i < p->sender_count; i++)
		p->sinks[i]->ops->cancel(p->sinks[i]);
}

void pipeline_wait(struct pipeline *p, int64_t wait_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

void pipeline_wait_for_work(struct pipeline *p, uint64_t seen, int64_t wait_ms)
{
	int64_t left, end = clock_monotonic_ms() + wait_ms;

	pthread_mutex_lock(&p->lock);
	while (p->work_changes == seen && !pipeline_stopping(p) &&
	       (left = end - clock_monotonic_ms()) > 0)
		pipeline_wait(p, left);
	pthread_mutex_unlock(&p->lock);
}

static void poll_control(struct pipeline *p)
{
	if (!p->options->control || !p->options->pressure)
		return;
	pthread_mutex_unlock(&p->lock);
	control_poll(p->options->control, p->options->pressure);
	pthread_mutex_lock(&p->lock);
}

/* Until all senders have ended. Watches the flag meanwhile; a cancelled run lets bulks in flight
 * end, but not for ever; one whose target is gone cuts the other senders off at once. */
static void watch(struct pipeline *p)
{
	int64_t cancelled_at = -1;
	bool cut_off = false;

	pthread_mutex_lock(&p->lock);
	while (p->senders_left > 0) {
		bool failed = p->reason.kind != ERR_NONE;

		if (atomic_load(p->cancel) && cancelled_at < 0) {
			cancelled_at = clock_monotonic_ms();
			wake_all(p);
		}
		if (!cut_off &&
		    (failed || (cancelled_at >= 0 &&
				clock_monotonic_ms() - cancelled_at > p->options->grace_ms))) {
			cut_off = true;
			cancel_sinks(p);
		}
		poll_control(p);
		pipeline_wait(p, CANCEL_POLL_MS);
	}
	pthread_mutex_unlock(&p->lock);
}

static bool start(struct pipeline *p, pthread_t *thread, void *(*body)(void *), void *argument)
{
	int rc = pthread_create(thread, NULL, body, argument);
	struct err err;

	if (rc == 0)
		return true;
	err_set_errno(
		&err, ERR_IO, rc,
		"the system refuses another thread; use fewer connections or raise its limit");
	pipeline_stop(p, &err);
	return false;
}

/* Threads that could not be started count as ended. */
static void count_ended(struct pipeline *p, size_t readers, size_t senders)
{
	pthread_mutex_lock(&p->lock);
	p->readers_left -= readers;
	p->senders_left -= senders;
	pthread_mutex_unlock(&p->lock);
}

static size_t reader_count(const struct pipeline *p)
{
	return p->options->one_item ? 1 : (size_t)MAX(p->options->readers, 1);
}

static void run_threads(struct pipeline *p)
{
	size_t readers = reader_count(p), senders = p->sender_count;
	pthread_t *threads = mem_zalloc((readers + senders + 1) * sizeof(*threads));
	struct sender_start *starts = mem_zalloc(senders * sizeof(*starts));
	size_t sending = 0, reading = 0, keeping;

	p->readers_left = readers;
	p->senders_left = senders;
	for (; sending < senders; sending++) {
		starts[sending] = (struct sender_start){.pipeline = p, .sink = p->sinks[sending]};
		if (!start(p, &threads[sending], sender_main, &starts[sending]))
			break;
	}
	while (sending == senders && reading < readers &&
	       start(p, &threads[sending + reading], reader_main, p))
		reading++;
	keeping = start(p, &threads[sending + reading], keeper_main, p);
	count_ended(p, readers - reading, senders - sending);
	watch(p);
	for (size_t i = 0; i < sending + reading + keeping; i++)
		pthread_join(threads[i], NULL);
	free(starts);
	free(threads);
}

static int outcome(const struct pipeline *p, struct err *err)
{
	bool cancelled = atomic_load(p->cancel);

	if (p->reason.kind != ERR_NONE && !(cancelled && p->reason.kind == ERR_CANCELLED)) {
		if (err)
			*err = p->reason;
		return -(int)p->reason.kind;
	}
	if (cancelled)
		return err_set(err, ERR_CANCELLED,
			       "interrupted; the same command again goes on where it ended");
	return p->failed ? failed_documents_flush(p->failed, err) : 0;
}

/* The one who sees the end of all work is the one who finds a shard that is not what it should be.
 */
static bool found_unproven(const struct pipeline *p, const struct backfill_report *report)
{
	if (!p->options->one_item || !p->all_done)
		return false;
	for (size_t i = 0; i < p->index_count; i++)
		if (report->indices[i].unproven)
			return true;
	return false;
}

static int run(struct pipeline *p, struct backfill_report *report, struct err *err)
{
	struct err unknown;
	int rc = open_sinks(p, err);

	if (rc == 0)
		rc = work_plan_begin(p, report, err);
	if (rc < 0)
		return rc;
	run_threads(p);
	rc = outcome(p, err);
	if (p->all_done)
		work_bytes_end(p->bytes);
	/* What ended the run is worth more than why there is no report of it. */
	if (work_plan_report(p, report, rc < 0 ? &unknown : err) < 0 && rc == 0)
		rc = -(int)err->kind;
	report->end = found_unproven(p, report) ? BACKFILL_UNREADABLE : p->end;
	return rc;
}

int backfill_run(const struct snapshot *snapshot, const struct backfill_index *indices,
		 size_t count, const struct backfill_options *options,
		 struct failed_documents *failed, struct progress *progress, atomic_bool *cancel,
		 struct backfill_report *report, struct err *err)
{
	struct pipeline p = {.snapshot = snapshot,
			     .indices = indices,
			     .index_count = count,
			     .options = options,
			     .failed = failed,
			     .progress = progress,
			     .cancel = cancel};
	struct backfill_index_result *results = report->indices;
	int rc;

	*report = (struct backfill_report){.indices = results};
	memset(results, 0, count * sizeof(*results));
	init(&p);
	rc = run(&p, report, err);
	release(&p);
	return rc;
}
