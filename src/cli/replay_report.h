/* What a replay tells while it runs: a status file, Prometheus metrics, a line in the log. */
#ifndef CLI_REPLAY_REPORT_H
#define CLI_REPLAY_REPORT_H

#include "net/metrics_server.h"
#include "replay/replay.h"
#include "traffic/segment_log.h"

struct replay_report;

struct replay_report_options {
	const char *status_path; /* borrowed; NULL: none */
	const char *name;
	const char *log_folder; /* a segment log, whose end is told; NULL: none */
	int64_t metrics_port;   /* -1: none */
	const char *metrics_host;
};

int replay_report_open(const struct replay_report_options *options, struct replay_report **out,
		       struct err *err);
/* Whose progress is told, where it can tell. Borrowed until replay_report_close. */
void replay_report_source(struct replay_report *report, struct record_source *source);
/* A replay_options.report; `user` is the report. */
void replay_report_take(void *user, const struct replay_counts *counts);
/* A replay_options.set_aside. */
void replay_report_set_aside(void *user, struct record_position position, const char *reason);
/* Writes the last state ("done", "stopped", "failed"). Accepts NULL. */
void replay_report_close(struct replay_report *report, const char *state);

#endif
