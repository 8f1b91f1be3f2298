/* The spool of a Kafka log: a segment log, whose group "kafka" is what Kafka has. */
#include "traffic/kafka_log_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#define GROUP "kafka"

enum { DRAIN_ITEMS = 1000, DRAIN_BYTES = 16 << 20, SEGMENT_BYTES = 64 << 20, COMMIT_MS = 1000 };

/* Segments go as soon as Kafka has all of them. */
int kafka_log_spool_open(struct kafka_log *log, struct err *err)
{
	const struct segment_log_options options = {.segment_bytes = SEGMENT_BYTES,
						    .retention_ms = 1,
						    .warn = log->options.kafka.warn,
						    .user = log->options.kafka.user};
	const char *folder = log->options.spool;
	uint64_t end;
	int got;

	if (!folder)
		return 0;
	if ((got = segment_log_open(folder, &options, &log->spool, err)) < 0 ||
	    (got = segment_log_reader_open(folder, &log->reader, err)) < 0 ||
	    (got = segment_log_reader_range(log->reader, &log->committed, &end, err)) < 0 ||
	    (got = segment_log_group_committed(folder, GROUP, &log->committed, err)) < 0)
		return got;
	if (got == 0 && (got = segment_log_group_commit(folder, GROUP, log->committed, err)) < 0)
		return got;
	if ((got = segment_log_reader_seek(log->reader, log->committed, err)) < 0)
		return got;
	log->tracker = COMMIT_TRACKER_INIT(log->committed);
	log->spooling = log->committed < end;
	if (log->spooling)
		kafka_client_warn(&log->client,
				  "the spool %s has %" PRIu64
				  " records that Kafka does not have: they go first",
				  folder, end - log->committed);
	return 0;
}

void kafka_log_spool_commit(struct kafka_log *log, bool now)
{
	uint64_t committable = commit_tracker_committable(&log->tracker);
	int64_t ms = clock_monotonic_ms();
	struct err err = {0};

	if (committable == log->committed || (!now && ms - log->committed_ms < COMMIT_MS))
		return;
	log->committed_ms = ms;
	if (segment_log_group_commit(log->options.spool, GROUP, committable, &err) < 0)
		kafka_client_warn(&log->client, "%s", err.message);
	else
		log->committed = committable;
}

void kafka_log_spool_close(struct kafka_log *log)
{
	if (log->spool && log->reader)
		kafka_log_spool_commit(log, true);
	segment_log_reader_close(log->reader);
	segment_log_close(log->spool);
	commit_tracker_release(&log->tracker);
}

static bool may_drain(const struct kafka_log *log)
{
	uint64_t on_their_way = log->items - log->live;

	if (!log->spooling || log->reader_broken || log->closing)
		return false;
	/* One tells whether Kafka is back. */
	if (atomic_load(&log->client.away))
		return on_their_way == 0;
	return on_their_way < DRAIN_ITEMS && log->drain_bytes < DRAIN_BYTES;
}

static void push_entry(struct kafka_log *log, const struct segment_log_entry *entry)
{
	struct item *item = mem_zalloc(sizeof(*item) + entry->bytes.len);

	item->from_spool = true;
	item->offset = entry->offset;
	item->time_ms = entry->time_ms;
	item->len = entry->bytes.len;
	if (item->len > 0)
		memcpy(item->bytes, entry->bytes.ptr, item->len);
	commit_tracker_begin(&log->tracker, entry->offset);
	kafka_log_push(log, item, entry->key);
}

static void cannot_read(struct kafka_log *log, const struct err *err)
{
	log->reader_broken = true;
	kafka_client_warn(&log->client,
			  "the spool cannot be read, what it holds does not go to Kafka: %s",
			  err->message);
}

void kafka_log_drain(struct kafka_log *log)
{
	struct segment_log_entry entry;
	struct err err = {0};
	int got = 1;

	while (got > 0 && may_drain(log)) {
		got = segment_log_reader_next(log->reader, 0, &entry, &err);
		if (got < 0)
			cannot_read(log, &err);
		else if (got > 0)
			push_entry(log, &entry);
	}
}

/* All that was given to the spool was read from it, and sent. */
static bool is_drained(struct kafka_log *log)
{
	struct segment_log_state state;

	segment_log_state(log->spool, &state);
	return state.buffered_bytes == 0 && log->tracker.outstanding == 0 &&
	       commit_tracker_committable(&log->tracker) >= state.end && !log->reader_broken;
}

void kafka_log_settle(struct kafka_log *log)
{
	if (!log->spooling && atomic_load(&log->client.away)) {
		log->spooling = true;
		kafka_client_warn(&log->client, "records go to the spool %s", log->options.spool);
	}
	if (log->spooling && !atomic_load(&log->client.away) && is_drained(log)) {
		log->spooling = false;
		kafka_client_warn(&log->client,
				  "Kafka has all of the spool %s: records go to it again",
				  log->options.spool);
	}
}
