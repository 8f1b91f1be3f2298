/* One pod that ends. */
#include "workflow/pods/pods_internal.h"

#include "base/clock.h"
#include "base/limits.h"

#define LOOK_MS 500
#define EVENTS_MS 5000 /* without a pod, or with one that has not begun: why? */
#define DISRUPTIONS_MAX 20

#define LOG_MS 10000

struct job {
	struct pods *pods;
	struct json *object;  /* NULL: it is not there */
	struct json *items;   /* its pods */
	int64_t waiting_ms;   /* monotonic: since when nothing runs; 0: it does */
	int64_t ended_ms;     /* monotonic: since when its pod has ended; 0: it has not */
	unsigned disruptions; /* pods that were deleted or lost */
};

static const char *name_of(const struct job *job)
{
	return job->pods->task.name.ptr;
}

static int look(struct job *job, struct err *err)
{
	struct pods *pods = job->pods;
	struct str selector;
	struct err why = {0};

	job->object = NULL;
	job->items = NULL;
	if (pods_get(pods, "batch", "jobs", name_of(job), &job->object, &why) < 0 &&
	    why.kind != ERR_NOT_FOUND) {
		*err = why;
		return -(int)err->kind;
	}
	if (!job->object)
		return 0;
	/* Those of a Job of this name before it may still be there, with their exit codes. */
	selector = arena_printf(
		&pods->look, "labelSelector=batch.kubernetes.io%%2Fcontroller-uid%%3D" STR_FMT,
		STR_ARG(json_string(json_path(job->object, "metadata", "uid", NULL))));
	return selector.ptr ? pods_list(pods, "", "pods", selector.ptr, &job->items, err)
			    : arena_fail(&pods->look, "the pods of a step", err);
}

static bool is_going(const struct json *object)
{
	return json_path(object, "metadata", "deletionTimestamp", NULL) != NULL;
}

static bool has_failed(const struct job *job)
{
	json_each (condition, json_path(job->object, "status", "conditions", NULL))
		if (str_is(json_string(json_get(condition, "type")), "Failed") &&
		    str_is(json_string(json_get(condition, "status")), "True"))
			return true;
	return false;
}

static void tell_trouble(struct job *job, const struct json *pod)
{
	struct arena *mem = &job->pods->look;
	struct str line = pod ? pods_trouble_of_pod(pod, mem) : STR_NONE;
	bool runs = pod && !str_is(json_string(json_path(pod, "status", "phase", NULL)), "Pending");
	int64_t now = clock_monotonic_ms();

	job->waiting_ms = runs ? 0 : job->waiting_ms ? job->waiting_ms : now;
	if (line.len == 0 && !runs && now - job->waiting_ms >= EVENTS_MS) {
		line = pods_events_of(job->pods, pod ? pod : job->object);
		if (line.len > 0)
			line = arena_printf(mem, "its pod does not start: " STR_FMT, STR_ARG(line));
	}
	pods_note(job->pods, line);
}

/* A pod that was deleted, evicted or lost is no failure of what it did. */
static int disrupted(struct job *job, const char *how, struct err *err)
{
	if (++job->disruptions > DISRUPTIONS_MAX)
		return err_set(err, ERR_TIMEOUT,
			       "the pod of this step %s, for the %u. time; `kubectl describe job "
			       "%s` tells more",
			       how, job->disruptions, name_of(job));
	pods_say(job->pods, arena_printf(&job->pods->look,
					 "the pod of this step %s; it is made again (the %u. time)",
					 how, job->disruptions));
	job->ended_ms = 0;
	return pods_delete(job->pods, "batch", "jobs", name_of(job), true, err);
}

/* The log may come a moment behind the end, or never where the program was killed. */
static bool is_read(struct job *job, const struct json *pod)
{
	int64_t now = clock_monotonic_ms();

	job->ended_ms = job->ended_ms ? job->ended_ms : now;
	return pods_log_is_whole(job->pods, pods_name_of(pod)) ||
	       json_i64_or(json_get(pods_terminated(pod), "exitCode"), 0) > 128 ||
	       now - job->ended_ms >= LOG_MS;
}

/* 1: it has ended, *code is of it. */
static int take_end(struct job *job, const struct json *pod, int *code, struct err *err)
{
	const struct json *end = pods_terminated(pod);
	struct str trouble = pods_trouble_of_pod(pod, &job->pods->look);

	if (!end || !is_read(job, pod))
		return 0;
	*code = (int)json_i64_or(json_get(end, "exitCode"), EXIT_CODE_INTERRUPTED);
	if (*code != EXIT_CODE_OK && is_going(pod))
		return disrupted(job, "was deleted", err);
	if (*code != EXIT_CODE_OK && pods_was_taken_off(pod))
		return disrupted(job, "was taken off its node", err);
	if (trouble.len > 0) {
		pods_say(job->pods, trouble);
		*code = EXIT_CODE_INTERRUPTED;
	} else if (*code > 128) {
		pods_say(job->pods,
			 arena_printf(&job->pods->look, "pod " STR_FMT " was ended by signal %d",
				      STR_ARG(pods_name_of(pod)), *code - 128));
		*code = EXIT_CODE_INTERRUPTED;
	}
	return 1;
}

static int look_at_pod(struct job *job, const struct json *pod, int *code, struct err *err)
{
	struct str phase = json_string(json_path(pod, "status", "phase", NULL));
	int rc;

	if (!str_is(phase, "Pending") && pods_tail(job->pods, pod, false, err) < 0)
		return -(int)err->kind;
	rc = take_end(job, pod, code, err);
	if (rc != 0)
		return rc;
	if (str_is(phase, "Failed"))
		return disrupted(job, "was taken off its node", err);
	tell_trouble(job, pod);
	return 0;
}

/* 1: it has ended. */
static int step(struct job *job, int *code, struct err *err)
{
	const struct json *pod;

	if (look(job, err) < 0)
		return -(int)err->kind;
	if (!job->object)
		return pods_create(job->pods, "batch", "jobs", err);
	if (is_going(job->object))
		return 0; /* until it is gone */
	if (!pods_is_ours(job->pods, job->object))
		return pods_delete(job->pods, "batch", "jobs", name_of(job), true, err);
	pod = job->items ? job->items->first : NULL;
	if (pod)
		return look_at_pod(job, pod, code, err);
	if (has_failed(job))
		return disrupted(job, "was deleted", err);
	tell_trouble(job, NULL);
	return 0;
}

int pods_run_job(struct pods *pods, int *code, struct err *err)
{
	struct job job = {.pods = pods};

	for (;;) {
		struct err why = {0};
		int rc;

		arena_reset(&pods->look);
		rc = step(&job, code, &why);
		if (rc < 0 && why.kind == ERR_CONFLICT)
			rc = 0; /* somebody else made or changed it: look again */
		if (rc < 0 && pods_bear(pods, &why) < 0) {
			*err = why;
			return -(int)err->kind;
		}
		if (rc > 0)
			break;
		if (pods_pause(pods, LOOK_MS, err) < 0)
			return -(int)err->kind;
	}
	pods_note(pods, STR_NONE);
	return 0;
}
