/* What a workflow knows across kills and power cuts: <state>/state.db.
 *
 * Written by the command line (configuration, runs, approvals) and by the engine (all else),
 * each change a transaction; read by anyone, with the engine up or down. Strings that come out live
 * in the arena given. Thread-safe. */
#ifndef WORKFLOW_STATE_H
#define WORKFLOW_STATE_H

#include "base/arena.h"
#include "base/database.h"

#define WORKFLOW_NAME_DEFAULT "migration-workflow"
#define WORKFLOW_SESSION_DEFAULT "default"
#define WORKFLOW_STATE_VERSION 1

struct workflow_state;

/* Opens <state_dir>/state.db, making folder and file. ERR_USAGE: made by a newer program. */
int workflow_state_open(const char *state_dir, struct workflow_state **out, struct err *err);
/* As workflow_state_open, to look only; ERR_NOT_FOUND: nothing was ever configured here. */
int workflow_state_open_read(const char *state_dir, struct workflow_state **out, struct err *err);
/* Accepts NULL. */
void workflow_state_close(struct workflow_state *state);
void workflow_state_closep(struct workflow_state **state);

/* --- The configuration of a session, as text, byte for byte --- */

/* 1; 0: none is saved. */
int workflow_config_read(struct workflow_state *state, const char *session, struct arena *mem,
			 struct str *text, struct err *err);
int workflow_config_write(struct workflow_state *state, const char *session, struct str text,
			  struct err *err);
/* One that is not there is a success. */
int workflow_config_clear(struct workflow_state *state, const char *session, struct err *err);

/* --- Runs: disposable; each submit makes one --- */

enum workflow_phase {
	WORKFLOW_PENDING,
	WORKFLOW_RUNNING,
	WORKFLOW_SUCCEEDED,
	WORKFLOW_COMPLETED_WITH_ERRORS,
	WORKFLOW_FAILED,
	WORKFLOW_STOPPED, /* replaced by a later run, or stopped by the user */
};
const char *workflow_phase_name(enum workflow_phase phase);

struct workflow_run {
	int64_t id;          /* milliseconds since 1970 of its submit; the run number */
	struct str workflow; /* name */
	struct str config;   /* text that was submitted */
	enum workflow_phase phase;
	int64_t started_ms, finished_ms; /* 0: not yet */
	struct str message;              /* why it failed, and what to do */
};

/* Makes a run of `config`, pending; runs of this workflow that are not finished become
 * WORKFLOW_STOPPED. */
int workflow_run_submit(struct workflow_state *state, const char *workflow, struct str config,
			int64_t now_ms, int64_t *id, struct err *err);
/* The newest run of a workflow, or run `id` of it if not 0. 1; 0: none. */
int workflow_run_read(struct workflow_state *state, const char *workflow, int64_t id,
		      struct arena *mem, struct workflow_run *out, struct err *err);
/* All runs of all workflows (workflow NULL) or one, newest first. */
int workflow_run_list(struct workflow_state *state, const char *workflow, struct arena *mem,
		      struct workflow_run **out, size_t *count, struct err *err);
/* Sets phase and message; started_ms and finished_ms as the phase says. A stopped run stays so. */
int workflow_run_set(struct workflow_state *state, int64_t id, enum workflow_phase phase,
		     struct str message, int64_t now_ms, struct err *err);

/* --- Resources: outlive runs --- */

struct workflow_resource {
	struct str kind; /* "datasnapshot", "snapshotmigration", "captureproxy", … */
	struct str name;
	struct str uid;        /* of this incarnation: in paths of outputs */
	struct str spec;       /* JSON, resolved */
	struct str depends_on; /* JSON array of "kind.name" */
	struct str checksum;   /* of spec: 16 hex digits */
	struct str converged;  /* checksum of the spec whose work is finished; "": none */
	struct str phase;      /* Created, Pending, Ready, Completed, Deleting, Error */
	struct str status;     /* JSON: progress, names that were made, endpoints */
	int64_t created_ms, updated_ms;
};

/* Inserts or replaces by (kind, name). */
int workflow_resource_put(struct workflow_state *state, const struct workflow_resource *resource,
			  struct err *err);
/* As workflow_resource_put, but only where this incarnation (uid) is there and not being reset:
 * what somebody removes meanwhile is not brought back. */
int workflow_resource_update(struct workflow_state *state, const struct workflow_resource *resource,
			     struct err *err);
/* 1; 0: none. */
int workflow_resource_read(struct workflow_state *state, const char *kind, struct str name,
			   struct arena *mem, struct workflow_resource *out, struct err *err);
int workflow_resource_list(struct workflow_state *state, struct arena *mem,
			   struct workflow_resource **out, size_t *count, struct err *err);
/* One that is not there is a success. */
int workflow_resource_remove(struct workflow_state *state, const char *kind, struct str name,
			     struct err *err);

/* --- Steps of a run --- */

enum workflow_step_phase {
	STEP_PENDING,
	STEP_WAITING, /* for a gate, or another step's resource */
	STEP_RUNNING,
	STEP_SUCCEEDED,
	STEP_SKIPPED, /* it had converged before */
	STEP_FAILED,
};
const char *workflow_step_phase_name(enum workflow_step_phase phase);

struct workflow_step {
	int64_t run;
	struct str name;  /* unique in the run: "migratemetadata.legacy-modern-first-migration-0" */
	struct str group; /* what it is shown below: the resource's name; "": at the top */
	struct str title; /* "Migrate Metadata" */
	struct str resource; /* "kind.name"; "": none */
	int64_t position;    /* order among all steps of the run */
	enum workflow_step_phase phase;
	int64_t attempt; /* from 1; 0: not begun */
	int64_t started_ms, finished_ms;
	struct str message;  /* of failure or waiting: what for, and the next step */
	struct str progress; /* JSON, see docs/workflow.md; "": none */
	struct str log;      /* path of the log of its last attempt, below the state directory */
	struct str child;    /* JSON {pid, start, …} of its process; "": none */
};

/* Inserts or replaces by (run, name). */
int workflow_step_put(struct workflow_state *state, const struct workflow_step *step,
		      struct err *err);
/* By position. */
int workflow_step_list(struct workflow_state *state, int64_t run, struct arena *mem,
		       struct workflow_step **out, size_t *count, struct err *err);

/* --- Gates --- */

enum workflow_gate_category { GATE_STEP, GATE_CHANGE, GATE_RETRY };
enum workflow_gate_status {
	GATE_PENDING, /* not reached yet */
	GATE_WAITING, /* the run stands at it */
	GATE_APPROVED,
};
const char *workflow_gate_category_name(enum workflow_gate_category category);
const char *workflow_gate_status_name(enum workflow_gate_status status);

struct workflow_gate {
	struct str workflow;
	struct str
		name; /* "documentbackfill.legacy-modern-first-migration-0"; unique in a workflow */
	enum workflow_gate_category category;
	enum workflow_gate_status status;
	struct str resource;     /* "kind.name" */
	struct str reason;       /* what approving means, or why it was denied */
	struct str prerequisite; /* command to be run before it may be approved; "": none */
	int64_t run;             /* that the approval is for; a later run asks again */
	int64_t updated_ms;
};

/* Inserts or replaces by (workflow, name), but never takes an approval of the same run back. */
int workflow_gate_put(struct workflow_state *state, const struct workflow_gate *gate,
		      struct err *err);
int workflow_gate_list(struct workflow_state *state, const char *workflow, struct arena *mem,
		       struct workflow_gate **out, size_t *count, struct err *err);
/* ERR_NOT_FOUND: no such gate. */
int workflow_gate_approve(struct workflow_state *state, const char *workflow, struct str name,
			  int64_t now_ms, struct err *err);
int workflow_gate_remove(struct workflow_state *state, const char *workflow, struct str name,
			 struct err *err);

#endif
