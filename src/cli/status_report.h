/* The work items of a session, added up for people and for machines. */
#ifndef CLI_STATUS_REPORT_H
#define CLI_STATUS_REPORT_H

#include "backfill/coordinator.h"
#include "base/json.h"

#include <stdio.h>

struct status_index {
	struct str name;   /* in the snapshot */
	uint64_t items[4]; /* by enum work_state */
	uint64_t documents, sent, failed, superseded;
	uint64_t bytes_total; /* what its items stand for */
	uint64_t bytes_done;  /* of these: completed items, and their share of others' ranges. An
				 item whose end is not known counts once it is completed */
	int64_t target_documents; /* -1: not asked, or not known */
	struct str target_reason; /* why it is not known; ptr NULL: it is, or nobody asked */
};

struct status_report {
	const char *session;
	bool paused;
	struct status_index *indices; /* by name */
	size_t count;
	struct status_index total;
	const struct work_status *items; /* for those that are parked */
	size_t item_count;
	bool asked_target;
	double bytes_per_second; /* 0: not known */
};

/* Adds up what coordinator list() said (borrowed, ordered by index). */
int status_report_make(const char *session, const struct work_status *items, size_t count,
		       struct arena *mem, struct status_report *out, struct err *err);
/* The pace since an earlier report of the same session. */
void status_report_pace(struct status_report *report, const struct status_report *before,
			int64_t elapsed_ms);
/* Of bytes_total, or of the items where no bytes are known; 100 only when all is completed. */
unsigned status_percent(const struct status_index *index);
/* -1: not to be told. */
int64_t status_seconds_left(const struct status_report *report);
/* Nothing waits and nobody works on it; what is parked is not done. */
bool status_is_finished(const struct status_report *report);
/* Whether the target has less than was sent to it. */
bool status_misses_documents(const struct status_index *index);

int status_report_print(const struct status_report *report, struct arena *mem, FILE *out,
			struct err *err);
/* The sum of all indices, out of an object of status_report_json. False: there is none. */
bool status_total_read(const struct json *session, struct status_index *out);
/* The object of one session. */
struct json *status_report_json(const struct status_report *report, struct arena *mem);

#endif
