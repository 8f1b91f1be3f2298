/* The commit thread: takes all that was appended since it looked last, has it written, syncs once,
 * tells the readers, and completes. */
#include "traffic/segment_log_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 1000,
	GATHER_FROM = 4, /* records of a batch */
	GATHER_US = 2000,
	QUEUES = 16, /* that completions are sorted for at a time */
};

int segment_log_sync_now(struct segment_log *log)
{
	if (fdatasync(log->segment) < 0)
		return -errno;
	log->durable = log->next;
	log->synced_ms = clock_monotonic_ms();
	pthread_mutex_lock(&log->lock);
	log->state.syncs++;
	pthread_mutex_unlock(&log->lock);
	return 0;
}

int segment_log_publish(struct segment_log *log)
{
	struct end_mark mark = {.visible = log->next,
				.durable = log->durable,
				.segment_base = log->segments[log->segment_count - 1].base,
				.position = log->position};
	uint8_t bytes[END_FILE];

	end_mark_encode(&mark, bytes);
	pthread_mutex_lock(&log->lock);
	log->state.first = log->segments[0].base;
	log->state.end = log->next;
	log->state.bytes = 0;
	for (size_t i = 0; i < log->segment_count; i++)
		log->state.bytes += log->segments[i].bytes;
	pthread_mutex_unlock(&log->lock);
	return write_all_at(log->end_file, bytes, sizeof(bytes), 0);
}

void segment_log_break(struct segment_log *log, const char *what, int failed_errno)
{
	pthread_mutex_lock(&log->lock);
	log->broken = true;
	pthread_mutex_unlock(&log->lock);
	segment_log_warn(log,
			 "the segment log '%s' is broken: %s: %s; nothing more is stored until it "
			 "is opened again",
			 log->path, what, strerror(failed_errno));
}

struct completion_list {
	struct completion_queue *queue;
	struct completion *first, **end;
};

static void put_lists(struct completion_list *lists, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		completion_queue_put(lists[i].queue, lists[i].first);
	*count = 0;
}

static void sort_completion(struct completion_list lists[QUEUES], size_t *count,
			    struct completion *done)
{
	size_t i = 0;

	while (i < *count && lists[i].queue != done->queue)
		i++;
	if (i == QUEUES) {
		put_lists(lists, count);
		i = 0;
	}
	if (i == *count) {
		lists[i] = (struct completion_list){.queue = done->queue};
		lists[i].end = &lists[i].first;
		++*count;
	}
	done->next = NULL;
	*lists[i].end = done;
	lists[i].end = &done->next;
}

/* Frees the batch; each queue is woken once. */
static void complete(struct segment_log *log, struct append *batch)
{
	struct completion_list lists[QUEUES];
	size_t queues = 0, weight = 0;
	uint64_t failed = 0;

	log->told = 0;
	for (struct append *at = batch; at; at = at->next) {
		failed += at->failed_errno != 0;
		log->told++;
		weight += at->record->bytes + at->record->connection_id.len +
			  sizeof(struct append) + sizeof(struct record);
	}
	pthread_mutex_lock(&log->lock);
	log->buffered -= weight;
	log->state.buffered_bytes = log->buffered;
	log->state.failed += failed;
	log->queued_then = log->queued;
	pthread_mutex_unlock(&log->lock);
	while (batch) {
		struct append *append = batch;
		struct completion *done = append->done;

		batch = append->next;
		if (done) {
			done->offset = append->offset;
			done->failed_errno = append->failed_errno;
			done->failed = append->failed_errno ? ERR_IO : ERR_NONE;
			/* Memory goes back quickest where it came from. */
			done->spent = append->record;
			sort_completion(lists, &queues, done);
		} else {
			record_free(append->record);
		}
		free(append);
	}
	put_lists(lists, &queues);
	log->told_us = clock_monotonic_us();
}

static void commit_batch(struct segment_log *log, struct append *batch)
{
	int64_t begun_us = clock_monotonic_us();
	uint64_t written = segment_log_write(log, batch);
	int failed = 0;

	if (written > 0 && log->options.sync == SEGMENT_LOG_SYNC_ALWAYS &&
	    log->durable < log->next && (failed = segment_log_sync_now(log)) < 0)
		segment_log_break(log, "fdatasync", -failed);
	log->commit_us = (3 * log->commit_us + clock_monotonic_us() - begun_us) / 4;
	if (log->broken && failed == 0)
		failed = -EIO;
	if (failed < 0)
		segment_log_fail(batch, NULL, -failed);
	else if (written > 0 && (failed = segment_log_publish(log)) < 0)
		segment_log_break(log, "the readers cannot be told", -failed);
	complete(log, batch);
	segment_log_uncache(log);
}

static struct timespec at_us(int64_t us)
{
	return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* Longer while more of those who were told come within it than would at an even pace, shorter while
 * not: clients that wait for their answers come back together, others do not. */
static void adapt_gathering(struct segment_log *log, size_t came)
{
	int64_t even = (int64_t)log->told * log->gather_us;

	if (2 * (int64_t)came * (log->commit_us + log->gather_us) > 3 * even)
		log->gather_us *= 2;
	else
		log->gather_us /= 2;
}

/* Those who have just been told come again at once, most of them. Without a wait, short beside a
 * sync, they would miss the next one, and there would be two halves that sync in turns: twice the
 * syncs, twice the time. Under the lock. */
static void let_gather(struct segment_log *log)
{
	int64_t most = MIN(log->commit_us, (int64_t)GATHER_US);
	struct timespec until;
	int timed_out = 0;

	log->gather_us = MAX(MIN(log->gather_us, most), most / 4);
	if (log->options.sync != SEGMENT_LOG_SYNC_ALWAYS || log->told < GATHER_FROM ||
	    clock_monotonic_us() >= log->told_us + log->gather_us)
		return;
	until = at_us(log->told_us + log->gather_us);
	log->wanted = log->queued_then + log->told;
	while (log->queued < log->wanted && !log->closing && timed_out == 0)
		timed_out = pthread_cond_timedwait(&log->wake, &log->lock, &until);
	log->wanted = 0;
	adapt_gathering(log, log->queued - log->queued_then);
}

/* All that waits; NULL: nothing until the next tick, or closing. */
static struct append *take_batch(struct segment_log *log, bool *closing)
{
	int64_t ms = log->options.sync == SEGMENT_LOG_SYNC_INTERVAL && log->durable < log->next
			     ? MIN(log->options.sync_interval_ms, TICK_MS)
			     : TICK_MS;
	struct timespec until = at_us(clock_monotonic_us() + ms * 1000);
	struct append *batch;
	int timed_out = 0;

	pthread_mutex_lock(&log->lock);
	while (!log->first && !log->closing && timed_out == 0)
		timed_out = pthread_cond_timedwait(&log->wake, &log->lock, &until);
	if (log->first)
		let_gather(log);
	batch = take(log->first);
	log->last = &log->first;
	log->queued = 0;
	*closing = log->closing;
	pthread_mutex_unlock(&log->lock);
	return batch;
}

static void sync_if_due(struct segment_log *log, bool closing)
{
	bool due = log->options.sync == SEGMENT_LOG_SYNC_INTERVAL &&
		   clock_monotonic_ms() - log->synced_ms >= log->options.sync_interval_ms;
	int failed;

	if (log->broken || log->durable == log->next || !(due || closing))
		return;
	if ((failed = segment_log_sync_now(log)) < 0 || (failed = segment_log_publish(log)) < 0)
		segment_log_break(log, "fdatasync", -failed);
}

void *segment_log_commit_loop(void *argument)
{
	struct segment_log *log = argument;
	struct append *batch;
	bool closing;

	do {
		batch = take_batch(log, &closing);
		if (batch)
			commit_batch(log, batch);
		sync_if_due(log, closing && !batch);
		segment_log_housekeeping(log);
	} while (batch || !closing);
	return NULL;
}
