#include "cli/backfill_metrics.h"

#include "base/log.h"
#include "base/metrics.h"

#define METRICS(member) OPT_FIELD(struct metrics_fields, member), .category = "Metrics"

const struct opt metrics_options[] = {
	{.name = "metrics-port",
	 .type = OPT_INT,
	 METRICS(port),
	 .fallback = "-1",
	 .min = -1,
	 .max = UINT16_MAX,
	 .help = "Serve Prometheus metrics at /metrics on this port while the run lasts; 0: on one "
		 "that is free, told in the log; -1: do not."},
	{.name = "metrics-host",
	 .type = OPT_STRING,
	 METRICS(host),
	 .metavar = "ADDRESS",
	 .fallback = "127.0.0.1",
	 .help = "Address to serve metrics on; 0.0.0.0 for all of this machine."},
	{0},
};

#define COUNTER(metric_name, text) {.name = metric_name, .help = text, .kind = METRIC_COUNTER}
#define GAUGE(metric_name, text) {.name = metric_name, .help = text, .kind = METRIC_GAUGE}
/* A row of the table: the metric, and the counter in struct progress that it shows. */
#define OF(member) offsetof(struct progress, member)

static const struct {
	struct metric metric;
	size_t offset;
} rows[] = {
	{COUNTER("pipelineDocsMigrated_total", "Documents that the target has taken."),
	 OF(documents_sent)},
	{COUNTER("pipelineBytesMigrated_total", "Bytes of bulk bodies that were answered."),
	 OF(bytes_sent)},
	{COUNTER("pipelineErrors_total", "Documents that failed for good."), OF(documents_failed)},
	{COUNTER("bytesRead_total", "Bytes of stored fields read."), OF(bytes_read)},
	{COUNTER("bytesSent_total", "Bytes of bulk bodies that were answered."), OF(bytes_sent)},
	{COUNTER("nextWorkAssigned_total", "Work items that this process claimed."),
	 OF(work_assigned)},
	{COUNTER("noNextWorkAvailable_total", "Times that it asked and no work item was free."),
	 OF(work_unavailable)},
	{COUNTER("shardlift_documents_read_total", "Live documents that were read."),
	 OF(documents_read)},
	{COUNTER("shardlift_documents_recovered_total",
		 "Documents whose source was their _recovery_source."),
	 OF(documents_recovered)},
	{COUNTER("shardlift_bulk_retries_total", "Bulk requests that were sent once more."),
	 OF(retries)},
	{GAUGE("shardlift_source_bytes", "Bytes of stored fields to read, estimated at first."),
	 OF(bytes_total)},
	{GAUGE("shardlift_work_items", "Work items of the session."), OF(items_total)},
	{GAUGE("shardlift_work_items_done", "Work items that are completed."), OF(items_done)},
};

static void collect_pressure(const struct backfill_metrics *metrics, struct buf *out)
{
	static const struct metric allowed = GAUGE("shardlift_bulks_allowed",
						   "Bulks that may be in flight at once."),
				   in_flight = GAUGE("shardlift_bulks_in_flight",
						     "Bulks that are in flight."),
				   paused = GAUGE("shardlift_paused", "1 while sending is paused."),
				   refusals = COUNTER("shardlift_refusals_total",
						      "Answers and items that said \"not now\".");
	struct pressure_state state = pressure_look(metrics->pressure);

	metric_put(out, &allowed, (double)state.allowed);
	metric_put(out, &in_flight, (double)state.in_flight);
	metric_put(out, &paused, state.paused);
	metric_put(out, &refusals, (double)state.refusals);
}

void backfill_metrics_collect(void *user, struct buf *out)
{
	const struct backfill_metrics *metrics = user;
	const char *counters = (const char *)metrics->progress;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const void *at = counters + rows[i].offset;
		const _Atomic uint64_t *counter = at;

		metric_put(out, &rows[i].metric, (double)atomic_load(counter));
	}
	if (metrics->pressure)
		collect_pressure(metrics, out);
}

int backfill_metrics_start(const struct metrics_fields *fields, struct backfill_metrics *metrics,
			   struct metrics_server **out, struct err *err)
{
	const struct metrics_server_options options = {.host = fields->host,
						       .port = (uint16_t)fields->port};
	int rc;

	*out = NULL;
	if (fields->port < 0)
		return 0;
	rc = metrics_server_start(&options, backfill_metrics_collect, metrics, out, err);
	if (rc == 0)
		log_info("metrics", "serving http://%s:%u/metrics", fields->host,
			 metrics_server_port(*out));
	return rc;
}
