/* Pods of a Deployment that go on, and the Service in front of them. They do without whoever looks
 * after them: what is there as the task has it is left alone. */
#include "workflow/pods/pods_internal.h"

#include "base/clock.h"
#include "base/limits.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 1000
#define EVENTS_MS 5000  /* with a pod that has not begun: why? */
#define AGAIN_SECONDS 3 /* of a log that is read on with, which may stand in it twice */

struct lasting {
	struct pods *pods;
	struct json *object; /* the Deployment; NULL: it is not there */
	struct json *items;
	struct str service_line; /* what is wrong with the Service; of a look */
	bool was_ready;          /* since we look at it */
	int64_t pending_ms;      /* monotonic: since when a pod has not begun; 0: all have */
};

static const char *name_of(const struct lasting *l)
{
	return l->pods->task.name.ptr;
}

/* --- What is there, as the task has it --- */

/* What clients have is not taken from them: one that is configured otherwise now stays as it is.
 * What somebody pointed elsewhere is meant so.
 */
static struct str service_trouble(struct lasting *l, const struct json *found)
{
	const struct json *wanted = json_get(l->pods->task.spec, "service");
	const struct json *ports = json_path(found, "spec", "ports", NULL);
	int64_t port = json_i64_or(json_get(wanted, "port"), 0);
	int64_t has_port = json_i64_or(json_get(ports ? ports->first : NULL, "port"), port);
	struct str type = json_string(json_get(wanted, "type"));
	struct str has_type = json_string(json_path(found, "spec", "type", NULL));
	struct str name = json_string(json_get(wanted, "name"));

	if (str_is(has_type, "ExternalName") ||
	    (has_port == port && (has_type.len == 0 || str_eq(has_type, type))))
		return STR_NONE;
	return arena_printf(&l->pods->look,
			    "Service '" STR_FMT "' is a " STR_FMT
			    " with port %lld, and not a " STR_FMT
			    " with port %lld as configured; `kubectl delete service " STR_FMT
			    "` has it made anew, with another address",
			    STR_ARG(name), STR_ARG(has_type), (long long)has_port, STR_ARG(type),
			    (long long)port, STR_ARG(name));
}

/* 1: the Service is there; 0: another one is in the way, as is noted. */
static int keep_service(struct lasting *l, struct err *err)
{
	struct pods *pods = l->pods;
	struct str name = arena_str(
		&pods->look, json_string(json_path(pods->task.spec, "service", "name", NULL)));
	struct json *found;
	struct err why = {0};

	l->service_line = STR_NONE;
	if (name.len == 0)
		return 1;
	if (pods_get(pods, "", "services", name.ptr, &found, &why) < 0) {
		if (why.kind == ERR_NOT_FOUND)
			return pods_send(pods, "create", "", "services", NULL,
					 pods_service_manifest(&pods->task, pods->own, &pods->look),
					 err) < 0
				       ? -(int)err->kind
				       : 1;
		*err = why;
		return -(int)err->kind;
	}
	if (str_eq(json_string(json_path(found, "metadata", "labels", PODS_LABEL "step", NULL)),
		   pods->task.name)) {
		l->service_line = service_trouble(l, found);
		return 1;
	}
	pods_note(pods, arena_printf(&pods->look,
				     "a Service '" STR_FMT "' that is not of this workflow is in "
				     "the way; delete it, or give the proxy another name",
				     STR_ARG(name)));
	return 0;
}

static struct str annotation(const struct lasting *l, const char *name)
{
	return json_string(json_path(l->object, "metadata", "annotations", name, NULL));
}

static struct str configured(const struct lasting *l)
{
	return annotation(l, PODS_REPLICAS);
}

/* By what was sent: a cluster may write an image in its own way. */
static bool has_our_image(const struct lasting *l)
{
	return str_eq(annotation(l, PODS_IMAGE), pods_image(l->pods->own));
}

static bool is_as_wanted(const struct lasting *l)
{
	struct arena *mem = &l->pods->look;
	struct str wanted = arena_printf(mem, "%lld", (long long)l->pods->task.replicas);

	return pods_is_ours(l->pods, l->object) && str_eq(configured(l), wanted) &&
	       has_our_image(l);
}

/* Pod by pod, with as many replicas as somebody has scaled it to, unless the configuration has
 * another number now. */
static int replace(struct lasting *l, struct err *err)
{
	struct pods *pods = l->pods;
	struct pods_task task = pods->task;
	struct json *body, *spec;
	int64_t scaled = json_i64_or(json_path(l->object, "spec", "replicas", NULL), task.replicas);
	struct str before = configured(l);

	if (!has_our_image(l))
		pods_say(pods, arena_printf(&pods->look,
					    "the engine's image is " STR_FMT " now: pods are "
					    "replaced by such, one after another",
					    STR_ARG(pods_image(pods->own))));
	body = pods_manifest(&task, pods->own, &pods->look);
	spec = json_get(body, "spec");
	if (spec && str_eq(before, arena_printf(&pods->look, "%lld", (long long)task.replicas)))
		json_set(spec, STR("replicas"), json_new_i64(&pods->look, scaled));
	return pods_send(pods, "update", "apps", "deployments", name_of(l), body, err);
}

/* --- How its pods are --- */

static bool is_ready(const struct json *pod)
{
	json_each (condition, json_path(pod, "status", "conditions", NULL))
		if (str_is(json_string(json_get(condition, "type")), "Ready"))
			return str_is(json_string(json_get(condition, "status")), "True");
	return false;
}

/* So that we end with the same code. */
static enum err_kind kind_of(int64_t code)
{
	return code == EXIT_CODE_USAGE               ? ERR_USAGE
	       : code == EXIT_CODE_SOURCE_UNREADABLE ? ERR_UNREADABLE
						     : ERR_BLOCKED;
}

/* What never was ready as it is configured now, and says that no other try helps, needs a person.
 */
static int check_end(const struct lasting *l, const struct json *pod, struct str *line,
		     struct err *err)
{
	const struct json *end = pods_terminated(pod);
	int64_t code = json_i64_or(json_get(end, "exitCode"), 0);
	struct str words = pods_last_words(l->pods, pods_name_of(pod));

	if (!end || json_path(pod, "metadata", "deletionTimestamp", NULL) || is_ready(pod))
		return 0;
	if (!l->was_ready && pods_code_is_final(code))
		return err_set(err, kind_of(code), STR_FMT, STR_ARG(words));
	if (line->len == 0 && code != 0)
		*line = pods_restarted(l->pods, pod, code);
	return 0;
}

static bool is_pending(const struct json *pod)
{
	return str_is(json_string(json_path(pod, "status", "phase", NULL)), "Pending");
}

/* A Secret that is to be mounted and is not there is told by events alone. */
static struct str why_pending(struct lasting *l, const struct json *pod)
{
	struct arena *mem = &l->pods->look;
	struct str line;

	if (clock_monotonic_ms() - l->pending_ms < EVENTS_MS)
		return STR_NONE;
	line = pods_events_of(l->pods, pod);
	return line.len > 0 ? arena_printf(mem, "pod " STR_FMT " does not start: " STR_FMT,
					   STR_ARG(pods_name_of(pod)), STR_ARG(line))
			    : STR_NONE;
}

static void note_pending(struct lasting *l)
{
	bool any = false;

	json_each (pod, l->items)
		any |= is_pending(pod);
	l->pending_ms = !any ? 0 : l->pending_ms ? l->pending_ms : clock_monotonic_ms();
}

static int look_at_pod(struct lasting *l, const struct json *pod, struct str *line, struct err *err)
{
	bool several = json_i64_or(json_path(l->object, "spec", "replicas", NULL), 1) > 1 ||
		       l->items->count > 1;

	if (!is_pending(pod) && pods_tail(l->pods, pod, several, err) < 0)
		return -(int)err->kind;
	if (line->len == 0 && !is_ready(pod))
		*line = pods_trouble_of_pod(pod, &l->pods->look);
	if (line->len == 0 && is_pending(pod))
		*line = why_pending(l, pod);
	return check_end(l, pod, line, err);
}

static int look_at_pods(struct lasting *l, struct err *err)
{
	struct str line = pods_trouble_of_deployment(l->object, &l->pods->look);

	note_pending(l);
	json_each (pod, l->items)
		if (look_at_pod(l, pod, &line, err) < 0)
			return -(int)err->kind;
	l->was_ready |= pods_tell_status(l->pods, l->object, l->items);
	if (line.len == 0 && json_i64_or(json_path(l->object, "spec", "replicas", NULL), 1) == 0)
		line = arena_printf(&l->pods->look,
				    "scaled to 0: nothing is done until `kubectl scale deployment "
				    "%s --replicas N` asks for pods",
				    name_of(l));
	pods_note(l->pods, line.len > 0 ? line : l->service_line);
	return 0;
}

static int step(struct lasting *l, struct err *err)
{
	int rc = keep_service(l, err);

	if (rc <= 0)
		return rc;
	if (pods_look_at_deployment(l->pods, &l->object, &l->items, err) < 0)
		return -(int)err->kind;
	if (!l->object)
		return pods_create(l->pods, "apps", "deployments", err);
	if (json_path(l->object, "metadata", "deletionTimestamp", NULL))
		return 0;
	if (is_as_wanted(l))
		return look_at_pods(l, err);
	l->was_ready = false;
	return replace(l, err);
}

/* The log has what one before us read: not all of it again. */
static void set_since(struct pods *pods)
{
	struct stat log;
	struct tm at;
	time_t time;

	if (fstat(STDERR_FILENO, &log) < 0 || !S_ISREG(log.st_mode) || log.st_size == 0)
		return;
	time = log.st_mtime - AGAIN_SECONDS;
	if (gmtime_r(&time, &at))
		strftime(pods->since, sizeof(pods->since), "%Y-%m-%dT%H:%M:%SZ", &at);
}

int pods_run_lasting(struct pods *pods, struct err *err)
{
	struct lasting l = {.pods = pods};

	set_since(pods);
	for (;;) {
		struct err why = {0};
		int rc;

		arena_reset(&pods->look);
		rc = step(&l, &why);
		if (rc < 0 && why.kind == ERR_CONFLICT)
			rc = 0;
		if (rc < 0 && pods_bear(pods, &why) < 0) {
			*err = why;
			return -(int)err->kind;
		}
		if (pods_pause(pods, LOOK_MS, err) < 0)
			return -(int)err->kind;
	}
}
