/* Workers of the platform `local`: this program's own commands as processes that a process of their
 * own starts again when they die. Each is on record in <state>/run/<kind>-<name>-<number>.worker,
 * and writes <state>/run/<kind>-<name>-<number>.log. */
#ifndef CLI_CONSOLE_WORKERS_H
#define CLI_CONSOLE_WORKERS_H

#include "cli/console_common.h"

#define CONSOLE_WORKERS_MAX 64

struct console_workers {
	const char *state_dir, *kind, *name; /* "backfill" and its session */
	struct arena *mem;
};

enum worker_state { WORKER_NONE, WORKER_RUNNING, WORKER_ENDED, WORKER_LOST };

struct worker {
	enum worker_state state; /* LOST: gone without saying how, as after a power cut */
	int64_t pid;             /* of what looks after it */
	bool elsewhere;          /* where that number is another process's, as in a container */
	int64_t started_ms, ended_ms;
	int exit_code; /* once ended; 128 and the signal's number */
	int64_t restarts;
	const char *log;
};

/* What is on record of worker `number` (from 1). */
int workers_read(const struct console_workers *workers, unsigned number, struct worker *out,
		 struct err *err);
/* How many run. */
int workers_count(const struct console_workers *workers, unsigned *out, struct err *err);
/* Starts or ends as many as make `count` of them, one change at a time in this state directory.
 * *before: how many there were. Ends by SIGTERM and waits for it. */
int workers_scale(const struct console_workers *workers, unsigned count,
		  const struct console_command *command, unsigned *before, struct err *err);
/* Takes those that do not run off the record. */
int workers_forget(const struct console_workers *workers, struct err *err);
/* A table, nothing where none was ever started. */
int workers_print(const struct console_workers *workers, struct err *err);
struct json *workers_json(const struct console_workers *workers);

#endif
