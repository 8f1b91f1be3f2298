#include "traffic/kafka_log_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	LOOK_MS = 1000, /* between two questions to brokers that are away */
	LOOK_WAIT_MS = 500,
	CHECK_MS = 5000, /* on opening */
	CHECK_MUST_MS = 30000,
	SEND_END_MS = 5000, /* on closing */
	PURGE_END_MS = 10000,
};

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct kafka_log *log = opaque;

	(void)rk;
	pthread_mutex_lock(&log->lock);
	kafka_log_delivered(log, message->_private, message->err);
	pthread_mutex_unlock(&log->lock);
}

static void configure(rd_kafka_conf_t *conf, struct kafka_client *client)
{
	(void)client;
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
}

int kafka_log_producer(struct kafka_client *client, const struct producer_settings *settings,
		       struct err *err)
{
	const char *const defaults[] = {"acks",
					"all",
					"enable.idempotence",
					"true",
					"partitioner",
					"murmur2_random",
					"linger.ms",
					settings->linger,
					"message.timeout.ms",
					settings->timeout,
					"request.timeout.ms",
					"5000",
					"message.max.bytes",
					"67108864",
					"queue.buffering.max.kbytes",
					"262144",
					"queue.buffering.max.messages",
					"1000000",
					"reconnect.backoff.max.ms",
					"1000",
					"topic.metadata.refresh.interval.ms",
					"30000",
					"client.id",
					"HttpCaptureProxyProducer",
					NULL};

	return kafka_client_open(client, RD_KAFKA_PRODUCER, defaults, settings->configure, err);
}

void kafka_log_renew(struct kafka_log *log, struct kafka_client *client,
		     const struct producer_settings *settings)
{
	struct err err = {0};
	rd_kafka_t *old = client->rk;
	char why[256];
	int got;

	if (!atomic_load(&client->fatal) || rd_kafka_outq_len(old) > 0)
		return;
	rd_kafka_fatal_error(old, why, sizeof(why));
	kafka_client_warn(client, "the connection to Kafka begins anew: %s", why);
	pthread_mutex_lock(&log->lock);
	got = kafka_log_producer(client, settings, &err);
	if (got < 0) {
		client->rk = old;
		atomic_store(&client->fatal, true);
	}
	pthread_mutex_unlock(&log->lock);
	if (got < 0)
		kafka_client_warn(client, "%s", err.message);
	else
		rd_kafka_destroy(old);
}

/* Brokers are away until one answers; no record may be there to ask with. */
static void look_for_brokers(struct kafka_log *log)
{
	int64_t now = clock_monotonic_ms();

	if (!atomic_load(&log->client.away) || now - log->looked_ms < LOOK_MS)
		return;
	log->looked_ms = now;
	kafka_client_check(&log->client, LOOK_WAIT_MS, NULL);
}

static bool is_over(struct kafka_log *log)
{
	return log->closing && log->items == 0;
}

static void *serve(void *user)
{
	struct kafka_log *log = user;
	bool over = false;

	while (!over) {
		rd_kafka_poll(log->client.rk, KAFKA_LOG_POLL_MS);
		kafka_log_renew(log, &log->client, &log->settings);
		look_for_brokers(log);
		if (log->spool)
			kafka_log_spool_poll(log);
		pthread_mutex_lock(&log->lock);
		kafka_log_try_stuck(log);
		if (log->spool)
			kafka_log_spool_step(log);
		over = is_over(log);
		pthread_mutex_unlock(&log->lock);
	}
	return NULL;
}

static int check(struct kafka_log *log, struct err *err)
{
	struct err reason = {0};
	int got = kafka_client_check(
		&log->client, log->options.must_be_there ? CHECK_MUST_MS : CHECK_MS, &reason);

	if (got == 0)
		return 0;
	if (reason.kind != ERR_UNREACHABLE || !reason.retry || log->options.must_be_there) {
		*err = reason;
		return got;
	}
	atomic_store(&log->client.away, true);
	kafka_client_warn(&log->client, "%s; going on without it", reason.message);
	return 0;
}

int kafka_log_open(const struct kafka_log_options *options, struct kafka_log **out, struct err *err)
{
	struct kafka_log *log = mem_zalloc(sizeof(*log));
	int got;

	kafka_client_init(&log->client, &options->kafka);
	pthread_mutex_init(&log->lock, NULL);
	log->options = *options;
	log->options.buffer_bytes = options->buffer_bytes ? options->buffer_bytes : MIB(64);
	log->hash_key = siphash_key_random();
	kafka_log_lanes_init(log);
	snprintf(log->timeout, sizeof(log->timeout), "%" PRId64,
		 options->timeout_ms ? options->timeout_ms : 10000);
	log->settings = (struct producer_settings){
		.timeout = log->timeout, .linger = "0", .configure = configure};
	if ((got = kafka_log_producer(&log->client, &log->settings, err)) == 0 &&
	    (got = check(log, err)) == 0)
		got = kafka_log_spool_open(log, err);
	if (got == 0 && (errno = pthread_create(&log->thread, NULL, serve, log)) != 0)
		got = err_set_errno(err, ERR_IO, errno, "cannot start a thread");
	else
		log->has_thread = got == 0;
	if (got < 0) {
		kafka_log_close(log);
		return got;
	}
	*out = log;
	return 0;
}

void kafka_log_end_sending(rd_kafka_t *rk, bool away)
{
	int64_t until = clock_monotonic_ms() + (away ? 0 : SEND_END_MS);

	while (rd_kafka_outq_len(rk) > 0 && clock_monotonic_ms() < until)
		rd_kafka_poll(rk, KAFKA_LOG_POLL_MS);
	rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	until = clock_monotonic_ms() + PURGE_END_MS;
	while (rd_kafka_outq_len(rk) > 0 && clock_monotonic_ms() < until)
		rd_kafka_poll(rk, KAFKA_LOG_POLL_MS);
}

static void free_items(struct kafka_log *log)
{
	for (size_t i = 0; i < FLOW_BUCKETS; i++) {
		struct flow *flow;

		while ((flow = log->buckets[i])) {
			struct item *item;

			log->buckets[i] = flow->next_in_bucket;
			while ((item = flow->first)) {
				flow->first = item->next;
				free(item);
			}
			free(flow);
		}
	}
}

void kafka_log_close(struct kafka_log *log)
{
	if (!log)
		return;
	if (log->has_thread) {
		pthread_mutex_lock(&log->lock);
		log->closing = true;
		pthread_mutex_unlock(&log->lock);
		pthread_join(log->thread, NULL);
		log->abandon = true;
		kafka_log_end_sending(log->client.rk, atomic_load(&log->client.away));
	}
	kafka_log_spool_close(log);
	kafka_client_release(&log->client);
	free_items(log);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* --- Appending --- */

/* A record of this connection is on its way, not by the spool. */
static bool has_items(struct kafka_log *log, struct str key)
{
	const struct flow *flow = log->items > 0 ? kafka_log_flow(log, key, false) : NULL;

	return flow != NULL;
}

static int append_locked(struct kafka_log *log, struct record *record, int64_t time_ms,
			 struct completion *done, struct err *err)
{
	struct item *item;

	if (log->buffered > 0 && log->buffered + record->bytes > log->options.buffer_bytes) {
		err_set(err, ERR_LIMIT,
			"the buffer of records for Kafka is full (%zu of %zu bytes)", log->buffered,
			log->options.buffer_bytes);
		if (err)
			err->retry = true;
		return -ERR_LIMIT;
	}
	item = mem_alloc(sizeof(*item) + record->bytes);
	*item = (struct item){.done = done && done->queue ? done : NULL,
			      .time_ms = time_ms,
			      .len = record->bytes};
	record_copy(record, item->bytes);
	kafka_log_push(log, item, record->connection_id);
	record_free(record);
	return 0;
}

/* Behind what of its connection is on its way already. */
static int append(struct kafka_log *log, struct record *record, int64_t time_ms,
		  struct completion *done, struct err *err)
{
	int got;

	pthread_mutex_lock(&log->lock);
	if (log->spooling && !log->joining && !has_items(log, record->connection_id))
		got = segment_log_append(log->spool, record, done, err);
	else
		got = append_locked(log, record, time_ms, done, err);
	pthread_mutex_unlock(&log->lock);
	return got;
}

int kafka_log_append(struct kafka_log *log, struct record *record, struct completion *done,
		     struct err *err)
{
	return append(log, record, record_time_ms(record->time), done, err);
}

int kafka_log_append_bytes(struct kafka_log *log, struct str key, int64_t time_ms, struct str bytes,
			   struct completion *done, struct err *err)
{
	struct record *record = record_from_bytes(key, bytes);
	int got = append(log, record, time_ms, done, err);

	if (got < 0)
		record_free(record);
	return got;
}

uint32_t kafka_log_partitions(struct kafka_log *log)
{
	return (uint32_t)MAX(atomic_load(&log->client.partitions), 0);
}

uint32_t kafka_log_partition_of(struct str key, uint32_t partitions)
{
	return (uint32_t)rd_kafka_msg_partitioner_murmur2(NULL, key.ptr, key.len,
							  (int32_t)partitions, NULL, NULL);
}

void kafka_log_state(struct kafka_log *log, struct kafka_log_state *out)
{
	struct segment_log_state spool = {0};

	pthread_mutex_lock(&log->lock);
	*out = (struct kafka_log_state){.away = atomic_load(&log->client.away),
					.spooling = log->spooling,
					.has_spool = log->spool != NULL,
					.sent = log->sent,
					.failed = log->failed,
					.in_flight = log->items + log->drain.items,
					.buffered_bytes = log->buffered};
	if (log->spool) {
		segment_log_state(log->spool, &spool);
		out->spool_records =
			spool.end - MIN(spool.end, commit_tracker_committable(&log->drain.tracker));
		out->spool_bytes = spool.bytes;
		out->spool_free_bytes = spool.free_bytes;
		out->failed += spool.failed;
	}
	pthread_mutex_unlock(&log->lock);
}
