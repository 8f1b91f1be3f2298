#include "workflow/pods/pods_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"

#include <stdlib.h>
#include <time.h>

#define MEMORY MIB(64)
#define DOWN_MS 120000 /* for pods to end */
#define LOOK_MS 500

static void release(struct pods *pods)
{
	kubernetes_close(pods->api);
	arena_release(&pods->mem);
	arena_release(&pods->look);
}

static int open_api(struct pods *pods, const struct pods_options *options, const atomic_bool *stop,
		    struct err *err)
{
	const struct kubernetes_options api = {.namespace = options->namespace, .stop = stop};

	pods->options = options;
	pods->mem = ARENA_INIT(MEMORY);
	pods->look = ARENA_INIT(MEMORY);
	return kubernetes_open(&api, &pods->api, err);
}

/* What the engine's pod looks like. */
static int find_own(struct pods *pods, struct err *err)
{
	const char *name = getenv("SHARDLIFT_POD");
	struct json *found;

	if (!name || !*name)
		name = getenv("HOSTNAME");
	if (!name || !*name)
		return err_set(err, ERR_USAGE,
			       "SHARDLIFT_POD does not name the pod that this runs in");
	for (;;) {
		struct err why = {0};

		arena_reset(&pods->look);
		if (pods_get(pods, "", "pods", name, &found, &why) == 0)
			break;
		if (pods_bear(pods, &why) < 0) {
			*err = why;
			return err_wrap(err, "what pods are to look like");
		}
	}
	pods->own = json_copy(&pods->mem, found);
	return pods->own ? 0 : arena_fail(&pods->mem, "the engine's pod", err);
}

/* A foreground deletion is over when the object is gone, with all that belonged to it. */
static int wait_until_gone(struct pods *pods, const char *group, const char *resource,
			   const char *name, int64_t patience_ms, struct err *err)
{
	const struct timespec moment = {.tv_nsec = LOOK_MS * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + patience_ms;

	for (;;) {
		struct json *found;
		struct err why = {0};

		arena_reset(&pods->look);
		if (pods_get(pods, group, resource, name, &found, &why) < 0 &&
		    why.kind == ERR_NOT_FOUND)
			return 0;
		if (clock_monotonic_ms() >= until)
			return err_set(err, ERR_TIMEOUT,
				       "%s '%s' in namespace '%s' does not go; look at it with "
				       "kubectl describe",
				       resource, name, kubernetes_namespace(pods->api));
		nanosleep(&moment, NULL);
	}
}

static int take_down(struct pods *pods, bool wait, struct err *err)
{
	bool is_job = pods->task.kind == PODS_JOB;
	const char *group = is_job ? "batch" : "apps";
	const char *resource = is_job ? "jobs" : "deployments";

	arena_reset(&pods->look);
	if (pods_delete(pods, group, resource, pods->task.name.ptr, wait, err) < 0)
		return -(int)err->kind;
	return wait ? wait_until_gone(pods, group, resource, pods->task.name.ptr, DOWN_MS, err) : 0;
}

/* The stop that ended the work must not end its clean-up. */
static void end_stopped(struct pods *pods)
{
	static const atomic_bool never;
	const struct kubernetes_options api = {.namespace = pods->options->namespace,
					       .stop = &never};
	struct err err;

	kubernetes_close(pods->api);
	pods->api = NULL;
	if (kubernetes_open(&api, &pods->api, &err) < 0 || take_down(pods, true, &err) < 0)
		pods_say(pods, str_from(err.message));
	pods_note(pods, STR_NONE);
}

/* Workers that found no work are started again until their Deployment is gone. */
static void end_done(struct pods *pods)
{
	struct err why = {0};

	while (take_down(pods, pods->task.kind == PODS_WORKERS, &why) < 0) {
		if (!why.retry) {
			pods_say(pods, str_from(why.message));
			break;
		}
		if (pods_bear(pods, &why) < 0) {
			end_stopped(pods);
			return;
		}
		why = (struct err){0};
	}
	pods_note(pods, STR_NONE);
}

int pods_run(const struct pods_options *options, const char *task_path, int *code, struct err *err)
{
	cleanup(release) struct pods pods = {0};
	int rc;

	if (open_api(&pods, options, options->stop, err) < 0 ||
	    pods_task_read(task_path, &pods.mem, &pods.task, err) < 0)
		return -(int)err->kind;
	/* What was in the way of one before us is not in ours, or is told again. */
	if (pods.task.note && small_file_remove(pods.task.note, err) < 0)
		return -(int)err->kind;
	rc = find_own(&pods, err);
	if (pods.task.kind == PODS_LASTING)
		return rc < 0 ? rc : pods_run_lasting(&pods, err);
	if (rc == 0)
		rc = pods.task.kind == PODS_JOB ? pods_run_job(&pods, code, err)
						: pods_run_workers(&pods, code, err);
	if (rc < 0 && err->kind == ERR_CANCELLED) {
		end_stopped(&pods);
		return rc;
	}
	end_done(&pods);
	return rc;
}

/* --- What the command line asks --- */

static int list_labelled(struct pods *pods, const char *group, const char *resource,
			 const char *label, struct str value, struct json **items, struct err *err)
{
	struct str selector = arena_printf(
		&pods->look, "labelSelector=migrations.opensearch.org%%2F%s%%3D" STR_FMT, label,
		STR_ARG(pods_label_value(value, &pods->look)));

	if (!selector.ptr)
		return arena_fail(&pods->look, "a list of pods", err);
	return pods_list(pods, group, resource, selector.ptr, items, err);
}

static int patch_replicas(struct pods *pods, const char *name, unsigned replicas, struct err *err)
{
	struct arena *mem = &pods->look;
	struct json *body = json_new(mem, JSON_OBJECT), *spec = json_new(mem, JSON_OBJECT);
	const struct kubernetes_call call = {.verb = "patch",
					     .group = "apps",
					     .resource = "deployments",
					     .subresource = "scale",
					     .name = name,
					     .body = body};
	struct json *answer;

	json_set(spec, STR("replicas"), json_new_i64(mem, replicas));
	json_set(body, STR("spec"), spec);
	return mem->failed ? arena_fail(mem, "a number of replicas", err)
			   : kubernetes_send(pods->api, &call, mem, &answer, err);
}

/* NULL: there are none. */
static int find_deployment(struct pods *pods, const struct pods_options *options, const char *label,
			   const char *value, struct json **out, struct err *err)
{
	struct json *items = NULL;

	if (open_api(pods, options, options->stop, err) < 0 ||
	    list_labelled(pods, "apps", "deployments", label, str_from(value), &items, err) < 0)
		return -(int)err->kind;
	*out = items ? items->first : NULL;
	return 0;
}

int pods_count(const struct pods_options *options, const char *session, unsigned *running,
	       struct err *err)
{
	cleanup(release) struct pods pods = {0};
	struct json *one;

	if (find_deployment(&pods, options, "session", session, &one, err) < 0)
		return -(int)err->kind;
	*running = (unsigned)json_i64_or(json_path(one, "status", "readyReplicas", NULL), 0);
	return 0;
}

int pods_scale(const struct pods_options *options, const char *label, const char *value,
	       unsigned replicas, unsigned *before, struct err *err)
{
	cleanup(release) struct pods pods = {0};
	struct json *one = NULL;

	if (find_deployment(&pods, options, label, value, &one, err) < 0)
		return -(int)err->kind;
	if (!one)
		return err_set(err, ERR_NOT_FOUND,
			       "no pods of '%s' are there in namespace '%s'; they are while its "
			       "step runs (`workflow status`)",
			       value, kubernetes_namespace(pods.api));
	*before = (unsigned)json_i64_or(json_path(one, "spec", "replicas", NULL), 0);
	return patch_replicas(&pods, arena_str(&pods.look, pods_name_of(one)).ptr, replicas, err);
}

int pods_remove(const struct pods_options *options, struct str resource, int64_t patience_ms,
		struct err *err)
{
	static const char *const kinds[][2] = {
		{"batch", "jobs"}, {"apps", "deployments"}, {"", "services"}};
	cleanup(release) struct pods pods = {0};

	if (open_api(&pods, options, options->stop, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct json *items = NULL, *kept;

		arena_reset(&pods.look);
		if (list_labelled(&pods, kinds[i][0], kinds[i][1], "resource", resource, &items,
				  err) < 0)
			return -(int)err->kind;
		kept = json_copy(&pods.mem, items);
		json_each (item, kept) {
			const char *name = arena_str(&pods.mem, pods_name_of(item)).ptr;

			if (!name)
				return arena_fail(&pods.mem, "what is to be deleted", err);
			if (pods_delete(&pods, kinds[i][0], kinds[i][1], name, true, err) < 0 ||
			    wait_until_gone(&pods, kinds[i][0], kinds[i][1], name, patience_ms,
					    err) < 0)
				return -(int)err->kind;
		}
	}
	return 0;
}
