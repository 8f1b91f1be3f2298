/* The records of one connection on their way to the sink: what is open, what waits, what is stored.
 * Belongs to one thread, which hands it the completions that come out of its queue. */
#ifndef CAPTURE_RECORDER_H
#define CAPTURE_RECORDER_H

#include "capture/activities.h"
#include "capture/sink.h"

struct recorder {
	struct record_writer *writer; /* NULL: nothing is recorded */
	struct sink *sink;
	struct completion_queue *queue;
	struct proxy_counters *counters;
	struct activity_tally *commits;
	void *owner;
	struct record *waiting, **waiting_end; /* finished, the sink was full */
	uint64_t appended, completed;          /* records */
	uint64_t lost; /* records that the sink does not have and will not get */
	int lost_errno;
	uint64_t newest_stored,
		newest_lost;        /* numbers of records, as they were appended; 0: none */
	int64_t full_ms, marked_ms; /* monotonic; 0: it has room, none was marked */
	bool closed;
	bool gave_up; /* no record waits for room, until there is some */
};

struct recorder_options {
	struct sink *sink; /* NULL: nothing is recorded */
	struct completion_queue *queue;
	struct proxy_counters *counters;
	struct activity_tally *commits; /* of the thread; NULL: not counted */
	struct str node_id, connection_id;
	size_t record_limit;
	void *owner; /* recorder_complete gives it back; NULL: nobody runs when it is done */
};

void recorder_init(struct recorder *r, const struct recorder_options *options);
/* Nothing may be under way. */
void recorder_release(struct recorder *r);

static inline bool recorder_is_on(const struct recorder *r)
{
	return r->writer != NULL;
}

void recorder_read(struct recorder *r, struct record_time time, struct str bytes);
void recorder_write(struct recorder *r, struct record_time time, struct str bytes);
void recorder_end_of_message(struct recorder *r, struct record_time time, int32_t first_line,
			     int32_t headers);
void recorder_dropped(struct recorder *r, struct record_time time);
void recorder_exception(struct recorder *r, struct record_time time, struct str message);
/* Finishes what is open. Returns how many records there are now: recorder_has_stored tells when the
 * sink has them all. */
uint64_t recorder_flush(struct recorder *r);
/* The close, and the last record. Nothing may follow but completions. */
void recorder_close(struct recorder *r);
/* Tries again what the sink had no room for. */
void recorder_retry(struct recorder *r);
/* Where the sink has had no room for `timeout_ms`, what waits is lost, and so is what comes until
 * there is some. To be called now and then. */
void recorder_check_room(struct recorder *r, int64_t now_ms, int64_t timeout_ms);
/* Something of the connection is stored, and nothing of what came last: who reads it waits for what
 * never comes. */
bool recorder_owes_mark(const struct recorder *r);
/* If it does, another record, which tells that by its number: an exception, or the close again. At
 * most once a second, until one is stored. To be called now and then. */
void recorder_mark_loss(struct recorder *r, int64_t now_ms);

/* The first `count` records were stored or lost. */
bool recorder_has_settled(const struct recorder *r, uint64_t count);
/* So were all that are finished. */
bool recorder_is_settled(const struct recorder *r);
/* There is no room: read nothing more until there is. */
static inline bool recorder_is_full(const struct recorder *r)
{
	return r->waiting != NULL;
}
/* How long the oldest observation that is not finished has been waiting; 0: none is. */
int64_t recorder_age_ms(const struct recorder *r, struct record_time now);

/* Takes in one completion of the queue; returns the owner of its recorder. */
void *recorder_complete(struct completion *completion);

#endif
