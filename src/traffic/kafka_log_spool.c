/* The spool of a Kafka log: a segment log, whose group "kafka" is what Kafka has. */
#include "traffic/kafka_log_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#define GROUP "kafka"

enum { DRAIN_ITEMS = 10000, DRAIN_BYTES = 16 << 20, SEGMENT_BYTES = 64 << 20, COMMIT_MS = 1000 };
enum { JOIN_RECORDS = 1000, JOIN_MS = 1000 };

static void warn_of_loss(struct drain *drain, const struct spooled *one)
{
	kafka_client_warn(&drain->client,
			  "Kafka does not take a record of %zu bytes that the spool held, it is "
			  "lost: raise max.message.bytes of the topic '%s', and max.request.size "
			  "where --kafka-config-file sets it",
			  one->len, drain->log->options.kafka.topic);
}

static void on_drained(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct drain *drain = opaque;
	struct kafka_log *log = drain->log;
	struct spooled *one = message->_private;
	bool too_large = message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;

	(void)rk;
	pthread_mutex_lock(&log->lock);
	drain->items--;
	drain->bytes -= one->len;
	if (message->err && !too_large) {
		drain->failed = true;
	} else {
		commit_tracker_finish(&drain->tracker, one->offset);
		log->sent += !too_large;
		log->failed += too_large;
		atomic_store(&log->client.away, false);
	}
	pthread_mutex_unlock(&log->lock);
	if (too_large)
		warn_of_loss(drain, one);
	free(one);
}

static void configure(rd_kafka_conf_t *conf, struct kafka_client *client)
{
	(void)client;
	rd_kafka_conf_set_dr_msg_cb(conf, on_drained);
}

/* They never time out. Many are given to librdkafka at once: with no linger at all it would look
 * without end whether it may send more. */
static const struct producer_settings settings = {
	.timeout = "0", .linger = "0.2", .configure = configure};

/* Goes to what Kafka does not have. */
static int open_reader(struct kafka_log *log, uint64_t *end, struct err *err)
{
	const char *folder = log->options.spool;
	struct drain *drain = &log->drain;
	int got;

	if ((got = segment_log_reader_open(folder, &drain->reader, err)) < 0 ||
	    (got = segment_log_reader_range(drain->reader, &drain->committed, end, err)) < 0 ||
	    (got = segment_log_group_committed(folder, GROUP, &drain->committed, err)) < 0)
		return got;
	if (got == 0 && (got = segment_log_group_commit(folder, GROUP, drain->committed, err)) < 0)
		return got;
	drain->tracker = COMMIT_TRACKER_INIT(drain->committed);
	return segment_log_reader_seek(drain->reader, drain->committed, err);
}

/* Segments go as soon as Kafka has all of them. */
int kafka_log_spool_open(struct kafka_log *log, struct err *err)
{
	const struct segment_log_options options = {.segment_bytes = SEGMENT_BYTES,
						    .retention_ms = 1,
						    .warn = log->options.kafka.warn,
						    .user = log->options.kafka.user};
	uint64_t end;
	int got;

	if (!log->options.spool)
		return 0;
	log->drain.log = log;
	kafka_client_init(&log->drain.client, &log->options.kafka);
	if ((got = segment_log_open(log->options.spool, &options, &log->spool, err)) < 0 ||
	    (got = open_reader(log, &end, err)) < 0 ||
	    (got = kafka_log_producer(&log->drain.client, &settings, err)) < 0)
		return got;
	log->spooling = log->drain.committed < end;
	if (log->spooling)
		kafka_client_warn(&log->client,
				  "the spool %s has %" PRIu64
				  " records that Kafka does not have: they go first",
				  log->options.spool, end - log->drain.committed);
	return 0;
}

/* Nobody but the thread moves the tracker. */
static void commit(struct kafka_log *log, bool now)
{
	struct drain *drain = &log->drain;
	uint64_t committable = commit_tracker_committable(&drain->tracker);
	int64_t ms = clock_monotonic_ms();
	struct err err = {0};

	if (committable == drain->committed || (!now && ms - drain->committed_ms < COMMIT_MS))
		return;
	drain->committed_ms = ms;
	if (segment_log_group_commit(log->options.spool, GROUP, committable, &err) < 0)
		kafka_client_warn(&log->client, "%s", err.message);
	else
		drain->committed = committable;
}

void kafka_log_spool_close(struct kafka_log *log)
{
	struct drain *drain = &log->drain;

	if (!drain->log)
		return;
	if (drain->client.rk)
		kafka_log_end_sending(drain->client.rk, atomic_load(&log->client.away));
	if (drain->reader)
		commit(log, true);
	kafka_client_release(&drain->client);
	segment_log_reader_close(drain->reader);
	segment_log_close(log->spool);
	commit_tracker_release(&drain->tracker);
}

void kafka_log_spool_poll(struct kafka_log *log)
{
	rd_kafka_poll(log->drain.client.rk, 0);
	kafka_log_renew(log, &log->drain.client, &settings);
	commit(log, false);
}

/* --- Sending, with the lock --- */

static bool send_entry(struct kafka_log *log, const struct segment_log_entry *entry)
{
	size_t key_len = entry->key.len, len = entry->bytes.len;
	struct spooled *one = mem_alloc(sizeof(*one) + key_len + len);
	char *value = one->bytes + key_len;
	struct drain *drain = &log->drain;
	rd_kafka_resp_err_t failed;

	*one = (struct spooled){.offset = entry->offset, .key_len = key_len, .len = len};
	memcpy(one->bytes, entry->key.ptr, key_len);
	memcpy(value, entry->bytes.ptr, len);
	commit_tracker_begin(&drain->tracker, entry->offset);
	drain->items++;
	drain->bytes += len;
	failed =
		rd_kafka_producev(drain->client.rk, RD_KAFKA_V_TOPIC(log->options.kafka.topic),
				  RD_KAFKA_V_KEY(one->bytes, key_len), RD_KAFKA_V_VALUE(value, len),
				  RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_OPAQUE(one), RD_KAFKA_V_END);
	if (!failed)
		return true;
	drain->items--;
	drain->bytes -= len;
	/* It would be too large each time. */
	if (failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		commit_tracker_finish(&drain->tracker, one->offset);
		log->failed++;
		warn_of_loss(drain, one);
	} else {
		drain->failed = true;
	}
	free(one);
	return !drain->failed;
}

static void cannot_read(struct kafka_log *log, const struct err *err)
{
	log->drain.reader_broken = true;
	kafka_client_warn(&log->client,
			  "the spool cannot be read, what it holds does not go to Kafka: %s",
			  err->message);
}

/* What was given back goes again, with all behind it, when nothing is on its way any more. */
static void begin_again(struct kafka_log *log)
{
	struct drain *drain = &log->drain;
	uint64_t first = commit_tracker_committable(&drain->tracker);
	struct err err = {0};

	if (drain->items > 0 || atomic_load(&drain->client.fatal))
		return;
	commit_tracker_release(&drain->tracker);
	drain->tracker = COMMIT_TRACKER_INIT(first);
	drain->failed = false;
	if (segment_log_reader_seek(drain->reader, first, &err) < 0)
		cannot_read(log, &err);
}

static void send_more(struct kafka_log *log)
{
	struct drain *drain = &log->drain;
	struct segment_log_entry entry;
	struct err err = {0};

	while (drain->items < DRAIN_ITEMS && drain->bytes < DRAIN_BYTES) {
		int got = segment_log_reader_next(drain->reader, 0, &entry, &err);

		if (got < 0)
			cannot_read(log, &err);
		if (got <= 0 || !send_entry(log, &entry))
			return;
	}
}

/* How many records of the spool Kafka does not have; what is not written yet counts as one. */
static uint64_t left_to_send(struct kafka_log *log)
{
	const struct drain *drain = &log->drain;
	struct segment_log_state state;

	segment_log_state(log->spool, &state);
	return state.end - MIN(state.end, commit_tracker_committable(&drain->tracker)) +
	       (state.buffered_bytes > 0) + drain->failed;
}

/* Where records come without end, so would the spooling: the last ones of the spool are taken while
 * new ones wait, for a moment. */
static void end_spooling(struct kafka_log *log)
{
	uint64_t left = left_to_send(log);
	int64_t now = clock_monotonic_ms();

	if (atomic_load(&log->client.away) || (log->joining && now > log->joining_until_ms)) {
		log->joining = false;
	} else if (left == 0) {
		log->spooling = log->joining = false;
		kafka_client_warn(&log->client,
				  "Kafka has all of the spool %s: records go to it again",
				  log->options.spool);
	} else if (!log->joining && left < JOIN_RECORDS) {
		log->joining = true;
		log->joining_until_ms = now + JOIN_MS;
	}
}

void kafka_log_spool_step(struct kafka_log *log)
{
	struct drain *drain = &log->drain;

	if (!log->spooling && atomic_load(&log->client.away)) {
		log->spooling = true;
		kafka_client_warn(&log->client, "records go to the spool %s", log->options.spool);
	}
	/* Nothing of the spool is sent any more: what waits for its last records goes there, too.
	 */
	if (drain->reader_broken || log->closing)
		log->joining = false;
	if (!log->spooling || drain->reader_broken || log->closing)
		return;
	if (drain->failed)
		begin_again(log);
	else
		send_more(log);
	end_spooling(log);
}
