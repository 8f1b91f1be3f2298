#include "backfill/backfill.h"

#include "backfill/pipeline_internal.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CANCEL_POLL_MS 50     /* a signal handler sets a flag and can wake nobody */
#define CANCEL_GRACE_MS 10000 /* for bulks in flight; then they are cut off */

static void wake_all(struct pipeline *p)
{
	atomic_store(&p->stopped, true);
	bulk_pool_close(p->pool);
	bounded_queue_close(p->queue);
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

static void init(struct pipeline *p)
{
	pthread_condattr_t monotonic;

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
	while ((bulk = bounded_queue_pop(p->queue)))
		bulk_pool_give(p->pool, bulk);
	bounded_queue_free(p->queue);
	bulk_pool_free(p->pool);
	work_list_free(p->work);
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

static void wait_a_while(struct pipeline *p)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += CANCEL_POLL_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&p->changed, &p->lock, &until);
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
				clock_monotonic_ms() - cancelled_at > CANCEL_GRACE_MS))) {
			cut_off = true;
			cancel_sinks(p);
		}
		wait_a_while(p);
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

static void run_threads(struct pipeline *p)
{
	size_t readers = (size_t)MAX(p->options->readers, 1), senders = p->sender_count;
	pthread_t *threads = mem_zalloc((readers + senders) * sizeof(*threads));
	struct sender_start *starts = mem_zalloc(senders * sizeof(*starts));
	size_t sending = 0, reading = 0;

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
	count_ended(p, readers - reading, senders - sending);
	watch(p);
	for (size_t i = 0; i < sending + reading; i++)
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
			       "interrupted; run the same command again to send all documents "
			       "(those already there are overwritten with the same)");
	if (!p->failed)
		return 0;
	return failed_documents_flush(p->failed, err);
}

int backfill_run(const struct snapshot *snapshot, const struct backfill_index *indices,
		 size_t count, const struct backfill_options *options,
		 struct failed_documents *failed, struct progress *progress, atomic_bool *cancel,
		 struct backfill_index_result *results, struct err *err)
{
	struct pipeline p = {.snapshot = snapshot,
			     .indices = indices,
			     .options = options,
			     .failed = failed,
			     .progress = progress,
			     .cancel = cancel,
			     .results = results};
	int rc;

	memset(results, 0, count * sizeof(*results));
	init(&p);
	rc = open_sinks(&p, err);
	if (rc == 0) {
		p.work = work_list_new(snapshot, indices, count, cancel);
		atomic_store(&progress->shards_total, work_list_count(p.work));
		run_threads(&p);
		rc = outcome(&p, err);
	}
	release(&p);
	return rc;
}
