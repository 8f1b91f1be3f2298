/* Pods of a Deployment that share work, and end when there is none left. A Deployment starts again
 * what ends, so the work is done when one pod has come to the end of it. */
#include "workflow/pods/pods_internal.h"

#include "base/clock.h"
#include "base/limits.h"

#define LOOK_MS 1000
#define RESTARTS_MAX 6  /* of a pod that never ends well, before the step fails */
#define OTHERS_MS 20000 /* what the others still have to say, once one is done */

struct workers {
	struct pods *pods;
	struct json *object; /* NULL: it is not there */
	struct json *items;
	int64_t done_ms; /* monotonic: since when one is at the end; 0: none is */
	int best;        /* its exit code */
};

static const char *name_of(const struct workers *w)
{
	return w->pods->task.name.ptr;
}

/* One that left errors behind says more than one that found nothing to do any more. */
static bool is_the_end(int64_t code)
{
	return code == EXIT_CODE_OK || code == EXIT_CODE_COMPLETED_WITH_ERRORS;
}

static int give_up(struct workers *w, const struct json *pod, int64_t code, int *out)
{
	struct str words = pods_last_words(w->pods, pods_name_of(pod));

	/* The last line of the log is what the step says. What it said before a signal is not why.
	 */
	if (code > 128)
		words = pods_trouble_of_pod(pod, &w->pods->look);
	if (code > 128 && words.len == 0)
		words = pods_restarted(w->pods, pod, code);
	pods_say(w->pods, words);
	*out = pods_code_is_final(code) ? (int)code : EXIT_CODE_INTERRUPTED;
	return 1;
}

/* 1: the step is over, by what this pod did. */
static int look_at_pod(struct workers *w, const struct json *pod, struct str *line, int *out,
		       struct err *err)
{
	const struct json *end;
	int64_t code;

	if (!str_is(json_string(json_path(pod, "status", "phase", NULL)), "Pending") &&
	    pods_tail(w->pods, pod, true, err) < 0)
		return -(int)err->kind;
	if (line->len == 0)
		*line = pods_trouble_of_pod(pod, &w->pods->look);
	end = pods_terminated(pod);
	if (!end || json_path(pod, "metadata", "deletionTimestamp", NULL))
		return 0;
	code = json_i64_or(json_get(end, "exitCode"), EXIT_CODE_INTERRUPTED);
	if (is_the_end(code)) {
		w->best = w->done_ms == 0 ? (int)code : MAX(w->best, (int)code);
		w->done_ms = w->done_ms ? w->done_ms : clock_monotonic_ms();
		return 0;
	}
	if (pods_code_is_final(code) || pods_restarts(pod) > RESTARTS_MAX)
		return give_up(w, pod, code, out);
	if (line->len == 0)
		*line = pods_restarted(w->pods, pod, code);
	return 0;
}

static bool has_ended(const struct json *pod)
{
	const struct json *end = pods_terminated(pod);

	return end && is_the_end(json_i64_or(json_get(end, "exitCode"), -1));
}

static bool all_have_ended(const struct workers *w)
{
	json_each (pod, w->items)
		if (!has_ended(pod) && !json_path(pod, "metadata", "deletionTimestamp", NULL))
			return false;
	return true;
}

/* 1: it is over. */
static int look_at_pods(struct workers *w, int *code, struct err *err)
{
	struct str line = pods_trouble_of_deployment(w->object, &w->pods->look);

	json_each (pod, w->items) {
		int rc = look_at_pod(w, pod, &line, code, err);

		if (rc != 0)
			return rc;
	}
	if (w->done_ms != 0 &&
	    (all_have_ended(w) || clock_monotonic_ms() - w->done_ms >= OTHERS_MS)) {
		*code = w->best;
		return 1;
	}
	if (line.len == 0 && json_i64_or(json_path(w->object, "spec", "replicas", NULL), 1) == 0)
		line = STR("scaled to 0: nothing is done until `console backfill scale N` asks for "
			   "workers");
	pods_note(w->pods, line);
	return 0;
}

static int step(struct workers *w, int *code, struct err *err)
{
	if (pods_look_at_deployment(w->pods, &w->object, &w->items, err) < 0)
		return -(int)err->kind;
	if (!w->object)
		return pods_create(w->pods, "apps", "deployments", err);
	if (json_path(w->object, "metadata", "deletionTimestamp", NULL))
		return 0;
	if (!pods_is_ours(w->pods, w->object))
		return pods_delete(w->pods, "apps", "deployments", name_of(w), true, err);
	return look_at_pods(w, code, err);
}

static int run_workers(struct pods *pods, int *code, struct err *err)
{
	struct workers w = {.pods = pods};

	for (;;) {
		struct err why = {0};
		int rc;

		arena_reset(&pods->look);
		rc = step(&w, code, &why);
		if (rc < 0 && why.kind == ERR_CONFLICT)
			rc = 0;
		if (rc < 0 && pods_bear(pods, &why) < 0) {
			*err = why;
			return -(int)err->kind;
		}
		if (rc > 0)
			break;
		pods_watch(pods);
		if (pods_pause(pods, LOOK_MS, err) < 0)
			return -(int)err->kind;
	}
	pods_note(pods, STR_NONE);
	return 0;
}

int pods_run_workers(struct pods *pods, int *code, struct err *err)
{
	int rc = run_workers(pods, code, err);

	pods_watch_end(pods, rc == 0);
	return rc;
}
