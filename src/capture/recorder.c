#include "capture/recorder.h"

#include <stdlib.h>

struct under_way {
	struct completion completion;
	struct recorder *recorder;
};

void recorder_init(struct recorder *r, const struct recorder_options *options)
{
	*r = (struct recorder){.sink = options->sink,
			       .queue = options->queue,
			       .counters = options->counters,
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

static void lose(struct recorder *r, int error)
{
	r->lost++;
	r->lost_errno = error;
	counter_add(&r->counters->records_lost, 1);
}

/* False: the sink is full. */
static bool append(struct recorder *r, struct record *record)
{
	struct under_way *one = mem_zalloc(sizeof(*one));
	size_t bytes = record->bytes;
	struct err err = {0};
	int got;

	one->recorder = r;
	one->completion.queue = r->queue;
	got = sink_append(r->sink, record, &one->completion, &err);
	if (got < 0 && err.kind == ERR_LIMIT && err.retry) {
		free(one);
		return false;
	}
	counter_add(&r->counters->records, 1);
	counter_add(&r->counters->record_bytes, bytes);
	r->appended++;
	if (got == 0)
		return true;
	r->completed++;
	free(one);
	if (got < 0) {
		record_free(record);
		lose(r, 0);
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
}

bool recorder_has_settled(const struct recorder *r, uint64_t count)
{
	return r->completed >= count;
}

bool recorder_is_settled(const struct recorder *r)
{
	return !r->waiting && r->completed == r->appended;
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
	if (completion->failed != ERR_NONE)
		lose(r, completion->failed_errno);
	free(one);
	return r->owner;
}
