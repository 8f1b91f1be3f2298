/* The process that looks after a worker: starts it, starts it again when it dies, ends it. */
#ifndef CLI_CONSOLE_SUPERVISOR_H
#define CLI_CONSOLE_SUPERVISOR_H

#include "base/process_identity.h"
#include "cli/console_common.h"

/* What is known of a worker; <state>/run/….worker holds it as JSON. */
struct worker_record {
	struct process_identity process; /* that looks after it */
	int64_t started_ms, ended_ms;    /* since 1970; 0: not yet */
	int64_t restarts;
	int exit_code;
};
int worker_record_read(struct str text, struct arena *mem, struct worker_record *out,
		       struct err *err);

struct supervisor_plan {
	const struct console_command *command; /* words behind "shardlift" */
	const char *record_path, *log_path;
	struct arena *mem;
};
/* In a session of its own: it outlives this process. Returns when it is on record. Only while this
 * process has one thread. */
int supervisor_start(const struct supervisor_plan *plan, struct err *err);

#endif
