#include "capture/recorder.h"

#include "base/clock.h"

#include <stdlib.h>

#define MARK_EVERY_MS 1000

struct under_way {
	struct completion completion;
	struct recorder *recorder;
	uint64_t number; /* as it was appended */
	int64_t given_us;
};

void recorder_init(struct recorder *r, const struct recorder_options *options)
{
	*r = (struct recorder){.sink = options->sink,
			       .queue = options->queue,
			       .counters = options->counters,
			       .commits = options->commits,
			       .owner = options->owner};
	r->waiting_end = &r->waiting;
	if (options->sink)
		r->writer = record_writer_new(options->node_id, options->connection_id,
					      options->record_limit);
}

void recorder_release(struct recorder *r)
{
	while (r->waiting) {
		struct record *record = r->waiting;

		r->waiting = record->next;
		record_free(record);
	}
	r->waiting_end = &r->waiting;
	record_writer_free(take(r->writer));
}

static void lose(struct recorder *r, uint64_t number, int error)
{
	r->lost++;
	r->lost_errno = error;
	r->newest_lost = MAX(r->newest_lost, number);
	counter_add(&r->counters->records_lost, 1);
}

static void count_commit(struct recorder *r, int64_t given_us, bool failed)
{
	if (r->commits)
		activity_tally_add(r->commits, clock_monotonic_us() - given_us, failed);
}

/* False: the sink is full. */
static bool append(struct recorder *r, struct record *record)
{
	struct under_way *one = mem_zalloc(sizeof(*one));
	size_t bytes = record->bytes;
	int64_t given_us = clock_monotonic_us();
	struct err err = {0};
	int got;

	one->recorder = r;
	one->completion.queue = r->queue;
	one->number = r->appended + 1;
	one->given_us = given_us;
	got = sink_append(r->sink, record, &one->completion, &err);
	if (got < 0 && err.kind == ERR_LIMIT && err.retry && !r->gave_up) {
		free(one);
		return false;
	}
	if (got >= 0) {
		r->gave_up = false;
		r->full_ms = 0;
	}
	counter_add(&r->counters->records, 1);
	counter_add(&r->counters->record_bytes, bytes);
	r->appended++;
	if (got == 0)
		return true;
	r->completed++;
	free(one);
	count_commit(r, given_us, got < 0);
	if (got > 0) {
		r->newest_stored = r->appended;
	} else {
		record_free(record);
		lose(r, r->appended, 0);
	}
	return true;
}

void recorder_retry(struct recorder *r)
{
	while (r->waiting) {
		struct record *record = r->waiting, *next = record->next;

		if (!append(r, record))
			return;
		r->waiting = next;
	}
	r->waiting_end = &r->waiting;
}

void recorder_check_room(struct recorder *r, int64_t now_ms, int64_t timeout_ms)
{
	if (!r->waiting) {
		r->full_ms = 0;
	} else if (r->full_ms == 0) {
		r->full_ms = now_ms;
	} else if (now_ms - r->full_ms >= timeout_ms) {
		r->gave_up = true;
		recorder_retry(r);
	}
}

/* Order is that of the connection: behind one that waits, all wait. */
static void collect(struct recorder *r)
{
	struct record *record;

	while ((record = record_writer_take(r->writer))) {
		record->next = NULL;
		*r->waiting_end = record;
		r->waiting_end = &record->next;
	}
	recorder_retry(r);
}

void recorder_read(struct recorder *r, struct record_time time, struct str bytes)
{
	if (!r->writer)
		return;
	record_writer_read(r->writer, time, bytes);
	collect(r);
}

void recorder_write(struct recorder *r, struct record_time time, struct str bytes)
{
	if (!r->writer)
		return;
	record_writer_write(r->writer, time, bytes);
	collect(r);
}

void recorder_end_of_message(struct recorder *r, struct record_time time, int32_t first_line,
			     int32_t headers)
{
	if (!r->writer)
		return;
	record_writer_end_of_message(r->writer, time, first_line, headers);
	collect(r);
}

void recorder_dropped(struct recorder *r, struct record_time time)
{
	if (!r->writer)
		return;
	record_writer_request_dropped(r->writer, time);
	collect(r);
}

void recorder_exception(struct recorder *r, struct record_time time, struct str message)
{
	if (!r->writer)
		return;
	record_writer_exception(r->writer, time, message);
	collect(r);
}

uint64_t recorder_flush(struct recorder *r)
{
	uint64_t count;

	if (!r->writer)
		return 0;
	record_writer_flush(r->writer);
	collect(r);
	count = r->appended;
	for (const struct record *one = r->waiting; one; one = one->next)
		count++;
	return count;
}

void recorder_close(struct recorder *r)
{
	if (!r->writer)
		return;
	record_writer_close(r->writer, record_time_now());
	record_writer_finish(r->writer);
	collect(r);
	r->closed = true;
}

bool recorder_has_settled(const struct recorder *r, uint64_t count)
{
	return r->completed >= count;
}

bool recorder_is_settled(const struct recorder *r)
{
	return !r->waiting && r->completed == r->appended;
}

bool recorder_owes_mark(const struct recorder *r)
{
	struct record_time since;

	return r->newest_stored > 0 && r->newest_lost > r->newest_stored &&
	       recorder_is_settled(r) && !record_writer_pending_since(r->writer, &since);
}

void recorder_mark_loss(struct recorder *r, int64_t now_ms)
{
	if (!recorder_owes_mark(r) || (r->marked_ms && now_ms - r->marked_ms < MARK_EVERY_MS))
		return;
	r->marked_ms = now_ms;
	if (r->closed) {
		record_writer_close_again(r->writer);
		collect(r);
	} else {
		recorder_exception(r, record_time_now(), STR("records of it were lost"));
		recorder_flush(r);
	}
}

int64_t recorder_age_ms(const struct recorder *r, struct record_time now)
{
	struct record_time since;

	if (!r->writer || !record_writer_pending_since(r->writer, &since))
		return 0;
	return MAX(record_time_ms(now) - record_time_ms(since), 0);
}

void *recorder_complete(struct completion *completion)
{
	struct under_way *one = (struct under_way *)completion;
	struct recorder *r = one->recorder;

	r->completed++;
	count_commit(r, one->given_us, completion->failed != ERR_NONE);
	if (completion->failed != ERR_NONE)
		lose(r, one->number, completion->failed_errno);
	else
		r->newest_stored = MAX(r->newest_stored, one->number);
	free(one);
	return r->owner;
}
