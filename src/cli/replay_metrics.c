#include "cli/replay_metrics.h"

#include "base/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ROW(metric_name, member, metric_kind, metric_help) \
	{{metric_name, metric_help, metric_kind}, offsetof(struct replay_counts, member)}

static const struct {
	struct metric metric;
	size_t offset;
} rows[] = {
	ROW("trafficStreamsRead_total", records_read, METRIC_COUNTER, "Records read."),
	ROW("kafkaRecordsRead_total", records_read, METRIC_COUNTER,
	    "Records read, under the Java replayer's name."),
	ROW("kafkaBytesRead_total", bytes_read, METRIC_COUNTER, "Bytes of records read."),
	ROW("numRetriedRequests_total", job.retried, METRIC_COUNTER, "Requests sent again."),
	ROW("transformError_total", job.transform_failed, METRIC_COUNTER,
	    "Requests that a transformer could not do."),
	ROW("nonRetryableConnectionFailures_total", given_up, METRIC_COUNTER,
	    "Requests given up without an answer."),
	ROW("connectionsOpened_total", target.opened, METRIC_COUNTER,
	    "Connections to the target opened."),
	ROW("connectionsClosedCount_total", target.closed, METRIC_COUNTER,
	    "Connections to the target closed."),
	ROW("bytesWrittenToTarget_total", target.bytes_written, METRIC_COUNTER,
	    "Bytes sent to the target."),
	ROW("bytesReadFromTarget_total", target.bytes_read, METRIC_COUNTER,
	    "Bytes read from the target."),
	ROW("activeReplayerChannels", connections, METRIC_GAUGE, "Captured connections open."),
	ROW("activeTargetConnections", target_connections, METRIC_GAUGE,
	    "Connections to the target open."),
	ROW("scheduleLag", schedule_lag_ms, METRIC_GAUGE,
	    "How late the last request was sent, milliseconds."),
	ROW("lagBetweenSourceAndTargetRequests", source_lag_ms, METRIC_GAUGE,
	    "How long ago the last request sent was captured, milliseconds."),
	ROW("parsedHeader_total", requests, METRIC_COUNTER, "Requests whose heads were looked at."),
	ROW("parsedPayload_total", job.transform.took.count, METRIC_COUNTER,
	    "Bodies that were parsed, for transformers."),
	ROW("transformedJsonRequired_total", job.transform.json, METRIC_COUNTER,
	    "JSON bodies given to transformers."),
	ROW("transformedJsonSucceeded_total", job.transform.json_out, METRIC_COUNTER,
	    "JSON bodies that came back from them."),
	ROW("transformedTextSucceeded_total", job.transform.text_out, METRIC_COUNTER,
	    "Text bodies that came back from them."),
	ROW("transformedPayloadBinary_total", job.transform.binary, METRIC_COUNTER,
	    "Bodies given to them that are no text."),
	ROW("originalPayloadBytesIn_total", job.transform.captured_bytes, METRIC_COUNTER,
	    "Bytes of bodies for transformers, as captured."),
	ROW("uncompressedBytesIn_total", job.transform.decoded_bytes, METRIC_COUNTER,
	    "Bytes of these, decompressed."),
	ROW("uncompressedBytesOut_total", job.transform.made_bytes, METRIC_COUNTER,
	    "Bytes of what transformers made of them."),
	ROW("finalPayloadBytesOut_total", times.body_bytes, METRIC_COUNTER,
	    "Bytes of bodies that were sent, each once."),
	ROW("transformSuccess_total", job.transform.changed, METRIC_COUNTER,
	    "Requests that a transformer changed."),
	ROW("transformSkipped_total", job.transform.unchanged, METRIC_COUNTER,
	    "Requests that no transformer changed."),
	ROW("transformBytesIn_total", times.request_bytes, METRIC_COUNTER,
	    "Bytes of requests as captured."),
	ROW("transformBytesOut_total", times.sent_bytes, METRIC_COUNTER,
	    "Bytes of requests as they were sent first."),
	ROW("transformChunksIn_total", times.pieces, METRIC_COUNTER,
	    "Pieces that requests were captured in."),
	ROW("transformChunksOut_total", times.parts, METRIC_COUNTER,
	    "Parts that requests were sent in, at first."),
	ROW("shardlift_replay_outstanding", outstanding, METRIC_GAUGE,
	    "Requests read and not answered yet."),
	ROW("shardlift_replay_captured_bytes", captured_bytes, METRIC_GAUGE,
	    "Bytes of requests and responses in memory."),
	ROW("shardlift_replay_transform_dropped_total", job.transform.dropped, METRIC_COUNTER,
	    "Requests that a transformer dropped."),
	ROW("shardlift_replay_in_flight", in_flight, METRIC_GAUGE, "Requests at the target."),
	ROW("shardlift_replay_tuples_durable", tuples_durable, METRIC_GAUGE, "Tuples durable."),
	ROW("shardlift_replay_records_set_aside_total", records_set_aside, METRIC_COUNTER,
	    "Records that could not be read."),
	ROW("shardlift_replay_skipped_total", requests_skipped, METRIC_COUNTER,
	    "Requests not sent: refused by the source, there already, of a scroll."),
	ROW("shardlift_replay_filtered_total", requests_filtered, METRIC_COUNTER,
	    "Requests left out by a filter."),
	ROW("shardlift_replay_updates_waiting", updates_waiting, METRIC_GAUGE,
	    "Requests whose updates wait for what comes before them."),
	ROW("shardlift_replay_updates_lost_total", job.updates_lost, METRIC_COUNTER,
	    "Updates that found no document, to the last."),
	ROW("shardlift_replay_deletes_forgotten_total", job.deletes_forgotten, METRIC_COUNTER,
	    "Documents that came back below the version of their delete."),
	ROW("shardlift_replay_conflicts_newer_total", job.conflicts_newer, METRIC_COUNTER,
	    "Writes answered 409 since something newer was there."),
};

#define ACTIVITY(activity_name, member, text) \
	{activity_name, text, offsetof(struct replay_counts, member)}

static const struct {
	const char *name, *help;
	size_t offset;
} activities[] = {
	ACTIVITY("channel", times.streams, "Captured connections that ended."),
	ACTIVITY("tcpConnection", target.lifetimes, "Connections to the target that ended."),
	ACTIVITY("recordLifetime", times.records, "Records that nobody needs any more."),
	ACTIVITY("trafficStreamLifetime", times.records, "The same, by another name."),
	ACTIVITY("httpTransaction", times.transactions, "Requests of which all is done."),
	ACTIVITY("accumulatingRequest", times.requests,
		 "Requests that were put together; times are of the capture."),
	ACTIVITY("accumulatingResponse", times.responses,
		 "Responses that were put together; times are of the capture."),
	ACTIVITY("transformation", job.transform.took, "Requests given to transformers."),
	ACTIVITY("scheduled", times.scheduled, "Requests that went out, from their reading."),
	ACTIVITY("targetTransaction", times.target_transactions,
		 "Requests that had their last answer, retries included."),
	ACTIVITY("requestConnecting", target.connecting, "Connections to the target."),
	ACTIVITY("requestSending", target.sending, "Requests sent, each time."),
	ACTIVITY("waitingForResponse", target.waiting, "Requests sent, until an answer began."),
	ACTIVITY("receivingResponse", target.receiving, "Answers, from their first byte."),
	ACTIVITY("comparingResults", times.comparing, "Tuples made."),
	ACTIVITY("readNextTrafficStreamChunk", times.reading, "Records asked for and got."),
	ACTIVITY("backPressureBlock", times.blocked,
		 "Times in which nothing was read, since enough was."),
	ACTIVITY("commit", times.commits, "Commits of what is done."),
	ACTIVITY("kafkaCommit", times.commits, "The same, by another name."),
};

static void put_gauge(struct buf *out, const char *name, const char *help, double value)
{
	metric_put(out, &(struct metric){name, help, METRIC_GAUGE}, value);
}

static void put_counter(struct buf *out, const char *name, const char *help, double value)
{
	metric_put(out, &(struct metric){name, help, METRIC_COUNTER}, value);
}

static void put_comparison(struct buf *out, size_t method, size_t source, size_t target, bool same,
			   double value)
{
	static const struct metric metric = {"tupleComparison_total", NULL, METRIC_COUNTER};
	static const struct str classes[REPLAY_CLASSES] = {STR("none"), STR("100"), STR("200"),
							   STR("300"),  STR("400"), STR("500")};
	const struct metric_label labels[] = {
		{"statusCodesMatch", same ? STR("true") : STR("false")},
		{"sourceStatusCode", classes[source]},
		{"targetStatusCode", classes[target]},
		{"method", str_from(replay_method_name(method))},
	};

	metric_sample(out, &metric, labels, COUNT_OF(labels), value);
}

/* Those that there were, and one of each outcome, so that a rate has something to begin from. */
static void put_comparisons(struct buf *out, const struct replay_counts *counts)
{
	metric_begin(out, &(struct metric){"tupleComparison_total",
					   "Requests that both sides answered, by the classes of "
					   "their statuses.",
					   METRIC_COUNTER});
	for (size_t method = 0; method < REPLAY_METHODS; method++)
		for (size_t source = 0; source < REPLAY_CLASSES; source++)
			for (size_t target = 0; target < REPLAY_CLASSES; target++)
				for (int same = 0; same < 2; same++) {
					uint64_t n = counts->compared[method][source][target][same];
					bool first = method == 0 && source == 2 &&
						     target == (same ? 2 : 4);

					if (n > 0 || first)
						put_comparison(out, method, source, target, same,
							       (double)n);
				}
}

/* Of the whole process; 0: not known. */
static double resident_bytes(void)
{
	char text[128] = "";
	unsigned long long size = 0, resident = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	if (sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

void replay_metrics(struct buf *out, const struct replay_counts *counts,
		    const struct record_progress *progress, uint64_t unread)
{
	const struct transform_counts *t = &counts->job.transform;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		metric_put(out, &rows[i].metric,
			   (double)*(const int64_t *)((const char *)counts + rows[i].offset));
	put_counter(out, "parsedPayloadSuccess_total",
		    "Of parsedPayload, those that are JSON or text.", (double)(t->json + t->text));
	put_counter(out, "transformedTextFailed_total",
		    "Text bodies that did not come back from transformers.",
		    (double)(t->text - MIN(t->text, t->text_out)));
	put_counter(out, "partitionsAssigned_total", "Partitions that came to this replayer.",
		    (double)progress->assigned);
	put_counter(out, "partitionsRevoked_total", "Partitions that went from it.",
		    (double)progress->revoked);
	put_gauge(out, "numPartitionsAssigned", "Partitions that are read here.",
		  (double)progress->partitions);
	put_gauge(out, "shardlift_replay_lag", "Records not read and requests not answered.",
		  (double)(unread + counts->outstanding));
	put_gauge(out, "process_resident_memory_bytes", "Memory of the process.", resident_bytes());
	put_comparisons(out, counts);
	for (size_t i = 0; i < COUNT_OF(activities); i++)
		metric_put_activity(out, activities[i].name, activities[i].help,
				    (const void *)((const char *)counts + activities[i].offset));
}
