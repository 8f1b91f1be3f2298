/* What the files of pods share. */
#ifndef WORKFLOW_PODS_INTERNAL_H
#define WORKFLOW_PODS_INTERNAL_H

#include "base/buf.h"
#include "net/kubernetes.h"
#include "workflow/pods/pods.h"

#include <sys/types.h>

#define PODS_CONTAINER "shardlift"             /* name of the container of a step's pod */
#define PODS_OUTPUT "shardlift-output: "       /* begins a log's lines of standard output */
#define PODS_OUTPUT_END "shardlift-output-end" /* behind them: the log is whole */
#define PODS_STATUS "shardlift-status: "       /* begins a line that says how far it is, as JSON */
#define PODS_MARK PODS_LABEL "mark"            /* annotation */
#define PODS_REPLICAS PODS_LABEL "replicas"
#define PODS_IMAGE PODS_LABEL "image"
#define PODS_MAX 128 /* pods of one step that are looked at */

enum pods_kind { PODS_JOB, PODS_WORKERS, PODS_LASTING };

struct pods_task {
	enum pods_kind kind;
	struct str name;
	int64_t replicas;
	const struct json *spec; /* as it was read */
	struct str mark;
	const char *note;   /* path */
	const char *status; /* path; NULL: none */
};

/* How far the log of a pod was read. */
struct pods_tail {
	struct str pod;   /* owned by the arena of the run */
	char last[40];    /* time of the line that was read last */
	size_t repeated;  /* lines of that time that were read */
	bool whole;       /* the program said that it has said all */
	int64_t restarts; /* of the instance that is read */
	struct str words; /* the last line */
	char text[600];
	struct str status;        /* what it said last of how far it is; len 0: nothing */
	char status_text[KIB(5)]; /* what a replayer waits for is 600 bytes, six times in JSON */
};

/* The command that looks how far workers are. */
struct pods_watch {
	const char *path, *fresh; /* where it is told, and where it is while it is written */
	pid_t child;              /* 0: none looks */
	int64_t since_ms;         /* monotonic: when the last one began; 0: none did */
};

struct pods {
	const struct pods_options *options;
	struct kubernetes *api;
	struct arena mem;  /* as long as the run */
	struct arena look; /* as long as a look */
	struct pods_task task;
	struct json *own; /* the engine's pod */
	struct str noted; /* what the note says */
	char noted_text[900];
	struct pods_tail tails[PODS_MAX];
	size_t tail_count;
	char since[40]; /* time from which logs are read; "": from their beginning */
	struct pods_watch watch;
	struct str reporter; /* the pod whose output is the step's; ptr NULL: none so far */
};

/* --- task.c --- */
int pods_task_read(const char *path, struct arena *mem, struct pods_task *out, struct err *err);

/* --- manifest.c --- */
/* The Job or Deployment of a task; all in `mem`. */
struct json *pods_manifest(const struct pods_task *task, const struct json *own, struct arena *mem);
/* The image that pods get: the engine's. */
struct str pods_image(const struct json *own);
/* The Service of a lasting one. */
struct json *pods_service_manifest(const struct pods_task *task, const struct json *own,
				   struct arena *mem);

/* --- trouble.c: what is in the way, in a line; STR_NONE: nothing --- */
struct str pods_trouble_of_pod(const struct json *pod, struct arena *mem);
/* By its node or the scheduler, and not for what it did. */
bool pods_was_taken_off(const struct json *pod);
/* Of a Deployment that cannot make its pods. */
struct str pods_trouble_of_deployment(const struct json *deployment, struct arena *mem);
/* The newest warning about an object. */
struct str pods_trouble_of_events(const struct json *events, struct arena *mem);
/* The state of our container, terminated now or before its last restart; NULL: it is not. */
const struct json *pods_terminated(const struct json *pod);
int64_t pods_restarts(const struct json *pod);

/* --- tail.c --- */
/* Takes in what is new of a pod's log: lines to standard error, its output to standard output. */
int pods_tail(struct pods *pods, const struct json *pod, bool several, struct err *err);
/* It has said all, and that was read. */
bool pods_log_is_whole(struct pods *pods, struct str pod);
/* How far it said it is, JSON; len 0: it did not. */
struct str pods_last_status(struct pods *pods, struct str pod);
/* What it said last. */
struct str pods_last_words(struct pods *pods, struct str pod);

/* --- look.c: calls that every kind makes --- */
struct str pods_name_of(const struct json *object);
int pods_get(struct pods *pods, const char *group, const char *resource, const char *name,
	     struct json **out, struct err *err);
int pods_list(struct pods *pods, const char *group, const char *resource, const char *selector,
	      struct json **items, struct err *err);
/* Foreground: it is there until all that belongs to it is gone. One that is not there is a
 * success. */
int pods_delete(struct pods *pods, const char *group, const char *resource, const char *name,
		bool foreground, struct err *err);
/* The Job or Deployment of the task. */
int pods_create(struct pods *pods, const char *group, const char *resource, struct err *err);
/* Makes an object, or with "update" replaces the one of this name. */
int pods_send(struct pods *pods, const char *verb, const char *group, const char *resource,
	      const char *name, struct json *body, struct err *err);
/* The Deployment of the task and its pods; *object NULL: it is not there, nor looked for further.
 */
int pods_look_at_deployment(struct pods *pods, struct json **object, struct json **items,
			    struct err *err);
/* What the cluster warns of about a Job or a pod, the newest; STR_NONE: nothing. */
struct str pods_events_of(struct pods *pods, const struct json *object);
/* An exit code that another try does not change. */
bool pods_code_is_final(int64_t code);
/* That a pod ended and was started again. */
struct str pods_restarted(struct pods *pods, const struct json *pod, int64_t code);
/* Whether a Job or Deployment that is there was made for this attempt. */
bool pods_is_ours(const struct pods *pods, const struct json *object);
/* A line of our own in the log. */
void pods_say(struct pods *pods, struct str line);
/* Writes the note when it changes. */
void pods_note(struct pods *pods, struct str line);
/* Notes an error that may pass, and waits a moment; negative: it is not one of these. */
int pods_bear(struct pods *pods, struct err *err);
/* Negative: it is to stop. */
int pods_pause(const struct pods *pods, int64_t ms, struct err *err);

/* --- lasting_status.c --- */
/* Writes down how far the pods of a Deployment are; true: all that are wanted are ready. */
bool pods_tell_status(struct pods *pods, const struct json *deployment, const struct json *items);

/* --- watch.c --- */
/* With each look at workers: waits for nothing. */
void pods_watch(struct pods *pods);
/* The work is over, or left. `last`: one more look, which is waited for. */
void pods_watch_end(struct pods *pods, bool last);

/* --- job.c, workers.c, lasting.c --- */
int pods_run_job(struct pods *pods, int *code, struct err *err);
int pods_run_workers(struct pods *pods, int *code, struct err *err);
/* Until it is stopped. */
int pods_run_lasting(struct pods *pods, struct err *err);

#endif
