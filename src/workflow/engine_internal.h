/* What the files of the engine share. */
#ifndef WORKFLOW_ENGINE_INTERNAL_H
#define WORKFLOW_ENGINE_INTERNAL_H

#include "base/process_identity.h"
#include "workflow/engine.h"
#include "workflow/plan.h"
#include "workflow/platform.h"
#include "workflow/state.h"

#include <sys/types.h>

#define ENGINE_TRIES 4 /* 1 and the reference's 3 again */
#define ENGINE_RETRY_MS 10000
#define ENGINE_RETRY_MAX_MS 60000
#define ENGINE_ARGUMENTS_MAX 512
#define ENGINE_WORKERS_MAX 64  /* processes of a step */
#define ENGINE_LOG_MAX MIB(16) /* of one attempt; what comes behind is dropped and said so */

struct engine_child {
	pid_t pid; /* 0: none */
	struct process_identity identity;
	int error_fd; /* what it says on standard error */
	int log_fd;
	int go_fd;     /* lets it begin */
	size_t logged; /* bytes */
	bool line_open, cut;
};

/* A variable that takes a key of a secret. */
struct engine_secret {
	const char *variable, *name, *key;
};

struct engine_command {
	const char *argv[ENGINE_ARGUMENTS_MAX]; /* NULL at the end */
	size_t count;
	const char *environment[16]; /* "NAME=VALUE", beside our own */
	size_t environment_count;
	const int *listeners; /* sockets that it is given as LISTEN_FDS */
	size_t listener_count;
	/* Of Kubernetes, where a pod gets them without our reading them. */
	struct engine_secret secrets[16];
	size_t secret_count;
	const char *folders[8]; /* secrets whose keys are files in <state>/secrets/NAME */
	size_t folder_count;
	bool lasting; /* outlives the engine, and writes to the log itself */
	bool failed;  /* too many, or the arena is full */
};

/* Snapshots are taken by several commands. */
enum engine_stage { STAGE_LOOK, STAGE_REGISTER, STAGE_CREATE };

/* A proxy or a replayer; see workflow/service.h. */
struct engine_service {
	struct process_identity process; /* pid 0: none */
	bool looked;                     /* for one of an engine before us */
	bool ready;
	bool stopping;
	bool retired;      /* by a cut-over: not started again */
	unsigned deaths;   /* in a row */
	unsigned hopeless; /* the last of them, that no other try would have helped */
	int *listeners;    /* of one that is replaced, for the next; NULL: none */
	size_t listener_count;
	int64_t since_ms, stop_until_ms; /* monotonic */
};

struct engine_cut_over {
	int64_t told_ms; /* monotonic: when its gate was told how far the replay is */
	int64_t held_ms; /* monotonic: when we closed the gate; 0: we did not */
	int64_t sent_ms; /* monotonic: Kafka had all that was recorded before it; 0: not yet */
};

struct engine_step {
	const struct plan_step *plan;
	struct workflow_step record; /* as it was written last */
	struct arena mem;            /* strings of the record that change; the run's has the rest */
	enum engine_stage stage;
	struct engine_child child;
	struct engine_child workers[ENGINE_WORKERS_MAX - 1]; /* that share its work */
	int status;                                          /* the best of those that ended */
	bool status_known;
	struct process_identity former; /* child of an engine before us; pid 0: none */
	int64_t not_before_ms;          /* monotonic */
	bool imperfect;                 /* done, with errors that were written down */
	struct engine_service service;
	struct engine_cut_over cut_over;
	bool as_planned; /* its command is made as if there were no cut-over */
};

struct engine_run {
	struct arena mem;
	struct arena look; /* forgotten with each look: gates wait for days */
	struct workflow_run record;
	struct plan plan;
	struct engine_step *steps;
	struct workflow_resource *resources; /* as they were written last, by the plan's index */
	bool *admitted;                      /* the resource is as the plan wants it */
	bool ended; /* it is over, but for proxies and replayers that are watched */
};

struct engine {
	const struct engine_options *options;
	enum workflow_platform platform;
	struct workflow_state *state; /* NULL: nothing is written down, for what is exported */
	struct process_identity self;
	struct engine_run run; /* record.id 0: none */
	/* The newest before it with proxies or replayers, where `run` has none (a pilot): they are
	 * looked after all the same. record.id 0: none. */
	struct engine_run beside;
	bool watched; /* it was looked for a run that is over and has something to watch */
};

/* --- engine_wake.c: run/engine.sock --- */
/* -1: there is none, and waiting is only for the time. */
int engine_wake_open(const char *state_dir);
/* Until somebody wakes the engine, or the time is over. */
void engine_wake_wait(int fd, int timeout_ms);

/* --- engine_run.c --- */
/* One look at everything; *busy: there is still something to wait for. */
int engine_run_look(struct engine *engine, bool *busy, struct err *err);
/* Ends the children; the records stay as they are. */
void engine_run_leave(struct engine *engine);

/* --- engine_resource.c --- */
/* What is written down of it, where it is; one may be needed that is not admitted any more. */
int engine_resource_load(struct engine *engine, size_t index, struct err *err);
/* Makes the record of what a plan wants, or a gate where that must be approved. */
int engine_resource_admit(struct engine *engine, size_t index, struct err *err);
/* A gate of this run. 1: there is one; 0: nobody was asked yet, *out untouched. */
int engine_gate_find(struct engine *engine, struct str name, enum workflow_gate_status *out,
		     struct err *err);
/* 0: it was admitted, and somebody has reset it since; else 1. */
int engine_resource_lasts(struct engine *engine, size_t index, struct err *err);
bool engine_step_is_done(const struct engine *engine, const struct engine_step *step);
/* When it was done, it was with errors that were written down. */
bool engine_step_was_imperfect(const struct engine *engine, const struct engine_step *step);
/* Written before the step's own record. */
int engine_step_mark_done(struct engine *engine, struct engine_step *step, struct err *err);
struct str engine_resource_fact(struct engine *engine, size_t index, const char *name);
int engine_resource_set_fact(struct engine *engine, size_t index, const char *name,
			     struct str value, struct err *err);
/* What of a migration's allowlist of documents was not come to the end with before it was
 * widened. */
struct json *engine_resource_uncovered(struct engine *engine, size_t index);
/* Nothing is left to be done for it. */
int engine_resource_set_ready(struct engine *engine, size_t index, struct err *err);

/* --- engine_command.c --- */
int engine_command_make(struct engine *engine, struct engine_step *step, struct engine_command *out,
			struct err *err);
/* The command that tells how far a backfill is that is coordinated in the target. */
int engine_command_watch(struct engine *engine, const struct engine_step *step,
			 struct engine_command *out, struct err *err);
/* A checksum of the command as it is, but for secrets. */
struct str engine_command_checksum(const struct engine_command *command, struct arena *mem);
/* Folder of the segment log that a proxy writes to, a replayer reads; STR_NONE: it is in Kafka. */
struct str engine_log_folder(struct engine *engine, const struct plan_resource *resource);
/* What a replayer's progress is kept under. */
struct str engine_replay_group(struct engine *engine, const struct plan_resource *resource);
/* What a replayer's files of tuples may take; 0: any size, or there are none. */
int64_t engine_replay_tuples_mb(const struct engine *engine, const struct plan_resource *resource);
/* URL of "source" or "target", as a proxy writes it. */
struct str engine_destination(struct engine *engine, const struct json *spec, const char *side);
/* What the work items of a migration are kept under. */
struct str engine_work_session(struct engine *engine, size_t index);
/* Name of the snapshot that a resource stands for; written down before it is taken. */
int engine_snapshot_name(struct engine *engine, size_t index, struct str *out, struct err *err);

/* --- engine_log.c --- */
/* Of a process that writes its log itself, with O_APPEND: what is beyond ENGINE_LOG_MAX goes to
 * <path>.old, in place of what went there before. `log` is below the state directory. */
void engine_log_bound(const char *state_dir, struct str log);

/* --- engine_platform.c: what is not the same everywhere --- */
/* Makes the command of a step what starts its process here: itself, or what stands in for
 * `replicas` pods. */
int engine_platform_wrap(struct engine *engine, struct engine_step *step, size_t replicas,
			 struct engine_command *command, struct err *err);
/* The task of workflow/pods that a command is; in the arena of the look, which may fail. */
struct json *engine_platform_task(struct engine *engine, const struct engine_step *step,
				  size_t replicas, const struct engine_command *command);
/* What a proxy or a replayer is started with: another one, when it is to be replaced. */
struct str engine_platform_checksum(struct engine *engine, const struct engine_step *step,
				    const struct engine_command *command);
/* How many workers share a step's work, and how many processes of ours that makes. */
size_t engine_platform_workers(const struct engine *engine, const struct engine_step *step);
size_t engine_platform_processes(const struct engine *engine, size_t workers);
/* Between two looks at something that takes long: `local_ms` on this machine. */
int64_t engine_platform_pause(const struct engine *engine, int64_t local_ms, int64_t since_ms);
/* The file that says what is in the way of a step's pods. */
struct str engine_platform_note(struct engine *engine, const struct engine_step *step);
/* What that says; empty: nothing is in the way. */
struct str engine_platform_trouble(struct engine *engine, const struct engine_step *step);

/* --- engine_child.c --- */
/* It waits for engine_child_go, so that it can be written down first who it is. stderr goes to
 * `log`, each line with its time, stdout to `output`. */
int engine_child_start(struct engine *engine, const struct engine_command *command, const char *log,
		       const char *output, struct engine_child *child, struct err *err);
/* Lets it run. */
void engine_child_go(struct engine_child *child);
/* Takes in what it said. True: it has ended, *status as waitpid has it. */
bool engine_child_ended(struct engine_child *child, int *status);
void engine_child_stop(struct engine_child *child);
/* Ends what stands in for pods, which go on. */
void engine_child_abandon(struct engine_child *child);

#endif
