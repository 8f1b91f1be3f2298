/* The engine: walks the plan of the run that was submitted last, step by step, as children of this
 * program, and writes down what it did after it was done, so that it may be killed at any time. */
#ifndef WORKFLOW_ENGINE_H
#define WORKFLOW_ENGINE_H

#include "base/err.h"

#include <stdatomic.h>

struct engine_options {
	const char *state_dir;
	const char *namespace; /* of pods, on Kubernetes; NULL: the engine's own */
	bool stay;             /* wait for the next run when nothing is left to do */
	const atomic_bool *stop;
};

/* Returns when nothing is left to do, or soon after *stop is set (children are ended; the next
 * engine goes on where it was). ERR_CONFLICT: another engine has this state directory. */
int workflow_engine_run(const struct engine_options *options, struct err *err);
/* The number of the process that has the state directory; 0: none. */
int64_t workflow_engine_pid(const char *state_dir);
/* Tells it that there is something to look at; without, it looks a moment later. */
void workflow_engine_wake(const char *state_dir);

#endif
