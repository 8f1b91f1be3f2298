#include "cli/replay_report.h"

#include "cli/replay_metrics.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/small_file.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOG_EVERY_MS = 30000, STATUS_EVERY_MS = 5000, ASIDE_LINES = 100 };

struct replay_report {
	struct replay_report_options options;
	struct segment_log_reader *log;
	struct record_source *source;
	uint64_t next_offset; /* over all partitions */
	struct metrics_server *server;
	pthread_mutex_t lock;
	struct replay_counts counts; /* under the lock, as is progress */
	struct record_progress progress;
	uint64_t log_end;
	int64_t end_asked_ms;
	bool has_end;
	atomic_uint_fast64_t unread; /* records, at the last look */
	int64_t logged_ms, told_ms;
	bool tells; /* its status in its log, too: the log is all that comes out of a pod */
	unsigned aside;
};

static void collect(void *user, struct buf *out)
{
	struct replay_report *report = user;
	struct record_progress progress;
	struct replay_counts counts;

	pthread_mutex_lock(&report->lock);
	counts = report->counts;
	progress = report->progress;
	pthread_mutex_unlock(&report->lock);
	replay_metrics(out, &counts, &progress, atomic_load(&report->unread));
}

int replay_report_open(const struct replay_report_options *options, struct replay_report **out,
		       struct err *err)
{
	struct replay_report *report = mem_zalloc(sizeof(*report));
	struct err none;

	report->options = *options;
	report->tells = getenv("SHARDLIFT_STATUS_IN_LOG") != NULL;
	pthread_mutex_init(&report->lock, NULL);
	if (options->log_folder &&
	    segment_log_reader_open(options->log_folder, &report->log, &none) < 0)
		report->log = NULL;
	if (options->metrics_port >= 0 &&
	    metrics_server_start(
		    &(struct metrics_server_options){.host = options->metrics_host,
						     .port = (uint16_t)options->metrics_port},
		    collect, report, &report->server, err) < 0) {
		replay_report_close(report, NULL);
		return -(int)err->kind;
	}
	if (report->server)
		log_info("replay", "metrics on http://%s:%u/metrics", options->metrics_host,
			 (unsigned)metrics_server_port(report->server));
	*out = report;
	return 0;
}

static uint64_t unread_records(struct replay_report *report, const struct replay_counts *counts)
{
	struct record_progress progress;
	uint64_t first, end;
	struct err err;

	report->next_offset = counts->next_offset;
	if (report->source && record_source_progress(report->source, &progress)) {
		report->next_offset = progress.next;
		report->log_end = progress.end;
		report->end_asked_ms = progress.asked_ms;
		pthread_mutex_lock(&report->lock);
		report->progress = progress;
		pthread_mutex_unlock(&report->lock);
		return progress.end - progress.next;
	}
	if (!report->log || segment_log_reader_range(report->log, &first, &end, &err) < 0)
		return 0;
	report->log_end = end;
	report->has_end = true;
	return end > counts->next_offset ? end - MAX(counts->next_offset, first) : 0;
}

static void append_wait(struct buf *text, const struct replay_counts *c)
{
	char since[25];

	if (!c->waits_for[0])
		return;
	clock_format_utc(c->waits_since_ms, since);
	buf_printf(text, ",\"waits_since\":\"%s\",\"waits_for\":", since);
	json_write_string(text, str_from(c->waits_for));
}

static void log_wait(const struct replay_counts *c)
{
	char since[25];

	if (!c->waits_for[0])
		return;
	clock_format_utc(c->waits_since_ms, since);
	log_info("replay", "held up since %s: %s", since, c->waits_for);
}

/* A line that workflow/pods knows. */
static void tell_status(struct replay_report *report, struct str text)
{
	int64_t now = clock_monotonic_ms();

	if (!report->tells || (report->told_ms && now - report->told_ms < STATUS_EVERY_MS))
		return;
	report->told_ms = now;
	fprintf(stderr, "shardlift-status: " STR_FMT, STR_ARG(text));
}

static void write_status(struct replay_report *report, const char *state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	const struct replay_counts *c = &report->counts;
	uint64_t unread;
	struct err err;
	char now[25];

	if (!report->options.status_path)
		return;
	unread = unread_records(report, c);
	atomic_store(&report->unread, unread);
	clock_format_utc(clock_wall_ms(), now);
	buf_printf(&text, "{\"name\":");
	json_write_string(&text, str_from(report->options.name));
	buf_printf(&text,
		   ",\"pid\":%d,\"state\":\"%s\",\"time\":\"%s\",\"lag\":%" PRIu64
		   ",\"unread_records\":%" PRIu64 ",\"outstanding\":%" PRIu64
		   ",\"next_offset\":%" PRIu64 ",\"log_end\":%" PRIu64 ",\"end_asked_ms\":%" PRId64,
		   (int)getpid(), state, now, unread + c->outstanding, unread, c->outstanding,
		   report->next_offset, report->log_end, report->end_asked_ms);
	buf_printf(&text,
		   ",\"caught_up\":%s,\"source_lag_ms\":%" PRId64 ",\"schedule_lag_ms\":%" PRId64
		   ",\"requests\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"retried\":%" PRIu64
		   ",\"updates_waiting\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"set_aside\":%" PRIu64
		   ",\"tuples_durable\":%" PRIu64,
		   c->caught_up && unread + c->outstanding == 0 ? "true" : "false",
		   c->source_lag_ms, c->schedule_lag_ms, c->requests, c->answered, c->job.retried,
		   c->updates_waiting, c->requests_skipped, c->records_set_aside,
		   c->tuples_durable);
	append_wait(&text, c);
	buf_append_str(&text, STR("}\n"));
	if (small_file_replace(report->options.status_path, buf_str(&text), &err) < 0)
		log_warn("replay", "%s", err.message);
	tell_status(report, buf_str(&text));
}

void replay_report_source(struct replay_report *report, struct record_source *source)
{
	report->source = source;
}

void replay_report_take(void *user, const struct replay_counts *counts)
{
	struct replay_report *report = user;
	int64_t now = clock_monotonic_ms();

	pthread_mutex_lock(&report->lock);
	report->counts = *counts;
	pthread_mutex_unlock(&report->lock);
	write_status(report, "running");
	if (report->logged_ms && now - report->logged_ms < LOG_EVERY_MS)
		return;
	report->logged_ms = now;
	log_info("replay",
		 "%" PRIu64 " requests, %" PRIu64 " answered, %" PRIu64 " outstanding, %" PRIu64
		 " retried, schedule lag %" PRId64 " ms",
		 counts->requests, counts->answered, counts->outstanding, counts->job.retried,
		 counts->schedule_lag_ms);
	log_wait(counts);
}

void replay_report_set_aside(void *user, struct record_position position, const char *reason)
{
	struct replay_report *report = user;

	if (report->aside++ < ASIDE_LINES)
		log_warn("replay", "record %" PRIu64 " of partition %u is set aside: %s",
			 position.offset, (unsigned)position.partition, reason);
}

void replay_report_close(struct replay_report *report, const char *state)
{
	if (!report)
		return;
	if (state)
		write_status(report, state);
	metrics_server_stop(report->server);
	segment_log_reader_close(report->log);
	pthread_mutex_destroy(&report->lock);
	free(report);
}
