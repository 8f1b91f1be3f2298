#include "capture/metrics.h"

#include "base/metrics.h"

#define COUNTER(metric_name, text) {.name = metric_name, .help = text, .kind = METRIC_COUNTER}
#define GAUGE(metric_name, text) {.name = metric_name, .help = text, .kind = METRIC_GAUGE}
#define OF(member) offsetof(struct proxy_counters, member)

static const struct {
	struct metric metric;
	size_t offset;
} rows[] = {
	{COUNTER("removed_total", "Connections that ended and whose records are settled."),
	 OF(removed)},
	{COUNTER("shardlift_capture_connections_total", "Connections of clients, accepted."),
	 OF(connections)},
	{GAUGE("activeConnection", "Connections of clients that are open."),
	 OF(active_connections)},
	{COUNTER("bytesRead_total", "Bytes from clients."), OF(bytes_read)},
	{COUNTER("bytesWritten_total", "Bytes to clients."), OF(bytes_written)},
	{COUNTER("fullRequest_total", "Requests whose head was complete."), OF(requests)},
	{COUNTER("blockingRequest_total", "Requests that waited for their record."),
	 OF(requests_blocking)},
	{COUNTER("captureSuppressed_total", "Requests that a rule left out of the record."),
	 OF(requests_suppressed)},
	{COUNTER("shardlift_capture_connections_refused_total",
		 "Connections beyond --max-connections."),
	 OF(connections_refused)},
	{GAUGE("shardlift_capture_upstream_connections", "Connections to the source."),
	 OF(upstream_connections)},
	{GAUGE("shardlift_capture_held_requests", "Requests that wait for their record."),
	 OF(requests_held)},
	{GAUGE("shardlift_capture_parked_requests", "Requests that wait at the closed gate."),
	 OF(requests_parked)},
	{COUNTER("shardlift_capture_records_total", "Records given to the log."), OF(records)},
	{COUNTER("shardlift_capture_record_bytes_total", "Bytes of these."), OF(record_bytes)},
	{COUNTER("shardlift_capture_records_lost_total", "Records that could not be stored."),
	 OF(records_lost)},
	{COUNTER("shardlift_capture_gaps_total",
		 "Times that something went on without a record that can be replayed."),
	 OF(gaps)},
	{COUNTER("shardlift_capture_answered_total", "Requests that the proxy itself answered."),
	 OF(refused)},
	{COUNTER("shardlift_capture_unparsable_total", "Messages that are no HTTP/1."),
	 OF(unparsable)},
	{COUNTER("shardlift_capture_upstream_failures_total",
		 "Connections to the source that failed."),
	 OF(upstream_failures)},
	{COUNTER("shardlift_capture_hold_microseconds_total",
		 "Time that requests waited for their record."),
	 OF(held_us)},
};

static const struct {
	const char *name, *help;
} activities[CAPTURE_ACTIVITIES] = {
	[CAPTURE_CONNECTION] = {"captureConnection", "Connections of clients that ended."},
	[CAPTURE_GATHERING_REQUEST] = {"gatheringRequest",
				       "Requests, from their first byte to their last."},
	[CAPTURE_BLOCKED] = {"blocked", "Requests that were held until their record was stored."},
	[CAPTURE_WAITING] = {"waitingForResponse",
			     "Requests let go, until the head of their answer was there."},
	[CAPTURE_GATHERING_RESPONSE] = {"gatheringResponse",
					"Answers, from their head to their last byte."},
	[CAPTURE_COMMIT] = {"kafkaCommit", "Records, until they were stored, wherever that is."},
};

static void put_activities(const struct proxy *proxy, struct buf *out)
{
	static const struct metric unregistered =
		COUNTER("unregistered_total", "Connections of clients that were closed.");

	for (unsigned i = 0; i < CAPTURE_ACTIVITIES; i++) {
		struct duration_tally tally = proxy_activity(proxy, i);

		metric_put_activity(out, activities[i].name, activities[i].help, &tally);
		if (i == CAPTURE_CONNECTION)
			metric_put(out, &unregistered, (double)tally.count);
	}
}

static void log_metrics(struct sink *sink, struct buf *out)
{
	static const struct metric bytes = GAUGE("shardlift_capture_log_bytes",
						 "Bytes of the segment log."),
				   free_bytes = GAUGE("shardlift_capture_log_free_bytes",
						      "Bytes free on its file system."),
				   end = GAUGE("shardlift_capture_log_end_offset",
					       "The offset after its newest record."),
				   syncs = COUNTER("shardlift_capture_log_syncs_total",
						   "Calls of fdatasync.");
	struct segment_log_state state;

	if (!sink_log_state(sink, &state))
		return;
	metric_put(out, &bytes, (double)state.bytes);
	metric_put(out, &free_bytes, (double)state.free_bytes);
	metric_put(out, &end, (double)state.end);
	metric_put(out, &syncs, (double)state.syncs);
}

static void kafka_metrics(struct sink *sink, struct buf *out)
{
	static const struct metric
		away = GAUGE("shardlift_capture_kafka_away",
			     "1: no broker answers, or none takes records in time."),
		spooling = GAUGE("shardlift_capture_kafka_spooling",
				 "1: new records go to the spool."),
		sent = COUNTER("shardlift_capture_kafka_sent_total", "Records that Kafka took."),
		failed = COUNTER("shardlift_capture_kafka_failed_total",
				 "Records that are neither in Kafka nor in the spool."),
		in_flight = GAUGE("shardlift_capture_kafka_in_flight", "Records on their way."),
		records = GAUGE("shardlift_capture_spool_records",
				"Records in the spool that Kafka does not have yet."),
		bytes = GAUGE("shardlift_capture_spool_bytes", "Bytes of the spool's files."),
		free_bytes = GAUGE("shardlift_capture_spool_free_bytes",
				   "Bytes free on its file system.");
	struct kafka_log_state state;

	if (!sink_kafka_state(sink, &state))
		return;
	metric_put(out, &away, state.away);
	metric_put(out, &spooling, state.spooling);
	metric_put(out, &sent, (double)state.sent);
	metric_put(out, &failed, (double)state.failed);
	metric_put(out, &in_flight, (double)state.in_flight);
	if (!state.has_spool)
		return;
	metric_put(out, &records, (double)state.spool_records);
	metric_put(out, &bytes, (double)state.spool_bytes);
	metric_put(out, &free_bytes, (double)state.spool_free_bytes);
}

void capture_metrics(struct proxy *proxy, struct sink *sink, struct access_log *access,
		     struct buf *out)
{
	static const struct metric age = GAUGE("shardlift_capture_buffer_age_seconds",
					       "Age of the oldest bytes that are in no record."),
				   lost = COUNTER(
					   "shardlift_capture_access_lines_lost_total",
					   "Lines of the access log that could not be written, or "
					   "not in time.");
	const struct proxy_counters *counters = proxy_counters(proxy);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const counter *value = (const counter *)((const char *)counters + rows[i].offset);

		metric_put(out, &rows[i].metric, (double)counter_get(value));
	}
	put_activities(proxy, out);
	metric_put(out, &age, (double)proxy_buffer_age_ms(proxy) / 1000);
	metric_put(out, &lost, access ? (double)access_log_lost(access) : 0);
	log_metrics(sink, out);
	kafka_metrics(sink, out);
}
