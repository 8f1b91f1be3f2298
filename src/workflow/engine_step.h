/* What the files of the engine's steps share. */
#ifndef WORKFLOW_ENGINE_STEP_H
#define WORKFLOW_ENGINE_STEP_H

#include "workflow/engine_internal.h"

#define ENGINE_IMPERFECT "completed with errors" /* begins a step's message */

/* --- engine_step.c --- */
/* Where tests want the engine to die, to see that it goes on: "STEP:POINT", POINT one of started,
 * created, effect, marked, done, and of a cut-over held, switched, released. */
void engine_point(const struct engine_step *step, const char *name);
bool engine_step_has_ended_well(const struct engine_step *step);
int engine_step_save(struct engine *engine, struct engine_step *step, struct err *err);
/* What the record was given in this look outlives it. */
int engine_step_keep_strings(struct engine_step *step, struct err *err);
/* Writes the record when that changes it. */
int engine_step_set_phase(struct engine *engine, struct engine_step *step,
			  enum workflow_step_phase phase, struct str message, struct err *err);
/* The effect is there: first its mark, then what the user sees. */
int engine_step_finish(struct engine *engine, struct engine_step *step, struct str message,
		       struct err *err);
int engine_gate_put(struct engine *engine, struct engine_step *step,
		    enum workflow_gate_status status, struct str reason, struct err *err);
/* One look at a step; *busy: there is still something to wait for. */
int engine_step_look(struct engine *engine, struct engine_step *step, bool *busy, struct err *err);

/* --- engine_workers.c: a step's processes that share its work --- */
/* All but the first. */
int engine_workers_start(struct engine *engine, struct engine_step *step,
			 const struct engine_command *command, const char *log, const char *output,
			 struct err *err);
/* Takes in what they said. True: all have ended, *status is of one that came to the end if any
 * did. */
bool engine_workers_have_ended(struct engine_step *step, int *status);
bool engine_workers_are_there(const struct engine_step *step);
void engine_workers_stop(struct engine_step *step);
/* As engine_child_abandon. */
void engine_workers_abandon(struct engine_step *step);

/* --- engine_step_child.c --- */
int engine_step_start(struct engine *engine, struct engine_step *step, struct err *err);
/* Path of what it writes to standard output. */
struct str engine_step_output(struct engine *engine, const struct engine_step *step);
/* The last line of its log, without the time. */
struct str engine_step_last_words(struct engine *engine, const struct engine_step *step);
int engine_step_child_ended(struct engine *engine, struct engine_step *step, int status,
			    struct err *err);
/* `again`: later, unless it was tried often enough. */
int engine_step_failed(struct engine *engine, struct engine_step *step, bool again,
		       struct str reason, struct err *err);
/* The paths of a step's log and output, whose folders are made; the log is noted in the record. */
int engine_step_paths(struct engine *engine, struct engine_step *step, const char **log,
		      const char **output, struct err *err);

/* --- engine_check.c --- */
/* A check is not tried again: whoever submitted looks on, and mends it. */
int engine_check_ended(struct engine *engine, struct engine_step *step, int code, struct err *err);

#endif
