/* What must be right before a migration begins: each check a line that says what was found and,
 * where it is not as it should be, what to do. Nothing is written anywhere. */
#ifndef WORKFLOW_ROUTES_CHECK_H
#define WORKFLOW_ROUTES_CHECK_H

#include "base/buf.h"
#include "cluster/cluster.h"
#include "net/aws_credentials.h"

enum check_outcome {
	CHECK_OK,
	CHECK_WARNING, /* a migration works, and something about it should be known */
	CHECK_FAILED,  /* a migration would fail, or lose something */
	CHECK_SKIPPED, /* could not be looked at: the detail says why */
};
/* "ok", "warning", … */
const char *check_outcome_name(enum check_outcome outcome);

struct check_row {
	const char *side; /* "source", "target", "both" */
	const char *name; /* "connection", "clock", "disk", … */
	enum check_outcome outcome;
	struct str detail;  /* what was found */
	struct str next;    /* what to do; "" where there is nothing */
	enum err_kind kind; /* of a failed connection; ERR_NONE elsewhere */
};

#define CHECK_ROWS_MAX 64

struct check_report {
	struct arena *mem; /* borrowed; holds the rows' texts */
	struct check_row rows[CHECK_ROWS_MAX];
	size_t count;
};

struct check_row *check_add(struct check_report *report, const char *side, const char *name,
			    enum check_outcome outcome);
/* printf into a field of a row: row->detail or row->next. */
void check_say(struct check_report *report, struct str *field, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A cluster by itself, as what it is to be: connection, health, clock, permissions, zones. */
void check_source(struct check_report *report, struct cluster *source);
void check_target(struct check_report *report, struct cluster *target);
/* The two together: versions, plugins, disk. */
void check_pair(struct check_report *report, struct cluster *source, struct cluster *target);
/* Whether the target may reindex from the source at this URL by itself. */
void check_allowlist(struct check_report *report, struct cluster *source, struct cluster *target,
		     const char *source_url);
/* What certificate a side shows; no line where it does not speak TLS or cannot be reached. */
void check_certificate(struct check_report *report, const char *side,
		       const struct http_options *options);
/* Whose AWS credentials a side's requests are signed with, for `options`. */
void check_aws(struct check_report *report, const char *side,
	       const struct aws_credentials_options *options);

/* A User-Agent of clients' requests. */
struct check_agent {
	struct str name;
	uint64_t requests;
};
/* Which of them ask who answers, and refuse what they do not know. */
void check_agents(struct check_report *report, const struct check_agent *agents, size_t count,
		  struct cluster *target);

/* 0, or the exit code of the worst row: 3 where a cluster cannot be reached or lets nobody in, 4
 * for another failure. */
int check_exit_code(const struct check_report *report);

#endif
