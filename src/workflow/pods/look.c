#include "workflow/pods/pods_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"

#include <stdio.h>
#include <time.h>

#define PATIENCE_MS 3000 /* between tries of what the API refuses or does not answer */

struct str pods_name_of(const struct json *object)
{
	return json_string(json_path(object, "metadata", "name", NULL));
}

int pods_get(struct pods *pods, const char *group, const char *resource, const char *name,
	     struct json **out, struct err *err)
{
	const struct kubernetes_call call = {
		.verb = "get", .group = group, .resource = resource, .name = name};

	return kubernetes_send(pods->api, &call, &pods->look, out, err);
}

int pods_list(struct pods *pods, const char *group, const char *resource, const char *selector,
	      struct json **items, struct err *err)
{
	struct kubernetes_call call = {
		.verb = "list", .group = group, .resource = resource, .query = str_from(selector)};
	struct json *list;

	if (kubernetes_send(pods->api, &call, &pods->look, &list, err) < 0)
		return -(int)err->kind;
	*items = json_get(list, "items");
	return 0;
}

int pods_delete(struct pods *pods, const char *group, const char *resource, const char *name,
		bool foreground, struct err *err)
{
	const struct kubernetes_call call = {
		.verb = "delete",
		.group = group,
		.resource = resource,
		.name = name,
		.query = foreground ? STR("propagationPolicy=Foreground")
				    : STR("propagationPolicy=Background")};
	struct json *answer;
	struct err why = {0};

	if (kubernetes_send(pods->api, &call, &pods->look, &answer, &why) == 0 ||
	    why.kind == ERR_NOT_FOUND)
		return 0;
	*err = why;
	return -(int)err->kind;
}

void pods_say(struct pods *pods, struct str line)
{
	struct str whole = arena_printf(&pods->look, STR_FMT "\n", STR_ARG(line));

	if (whole.ptr)
		pods->options->log(whole);
}

void pods_note(struct pods *pods, struct str line)
{
	struct err err;

	line.len = MIN(line.len, sizeof(pods->noted_text));
	if (str_eq(line, pods->noted))
		return;
	if (line.len > 0)
		memcpy(pods->noted_text, line.ptr, line.len);
	pods->noted = str_of(pods->noted_text, line.len);
	if (line.len > 0)
		pods_say(pods, line);
	if (pods->task.note && (line.len > 0 ? small_file_replace(pods->task.note, line, &err)
					     : small_file_remove(pods->task.note, &err)) < 0)
		pods_say(pods, str_from(err.message));
}

int pods_send(struct pods *pods, const char *verb, const char *group, const char *resource,
	      const char *name, struct json *body, struct err *err)
{
	const struct kubernetes_call call = {
		.verb = verb, .group = group, .resource = resource, .name = name, .body = body};
	struct json *made;

	if (pods->look.failed)
		return arena_fail(&pods->look, "the manifest of a step", err);
	return kubernetes_send(pods->api, &call, &pods->look, &made, err);
}

int pods_create(struct pods *pods, const char *group, const char *resource, struct err *err)
{
	return pods_send(pods, "create", group, resource, NULL,
			 pods_manifest(&pods->task, pods->own, &pods->look), err);
}

int pods_look_at_deployment(struct pods *pods, struct json **object, struct json **items,
			    struct err *err)
{
	const char *name = pods->task.name.ptr;
	struct str selector = arena_printf(&pods->look, "labelSelector=%s%%3D%s",
					   "migrations.opensearch.org%2Fstep", name);
	struct err why = {0};

	*object = NULL;
	*items = NULL;
	if (!selector.ptr)
		return arena_fail(&pods->look, "the pods of a step", err);
	if (pods_get(pods, "apps", "deployments", name, object, &why) < 0 &&
	    why.kind != ERR_NOT_FOUND) {
		*err = why;
		return -(int)err->kind;
	}
	return *object ? pods_list(pods, "", "pods", selector.ptr, items, err) : 0;
}

struct str pods_events_of(struct pods *pods, const struct json *object)
{
	struct str uid = json_string(json_path(object, "metadata", "uid", NULL));
	struct str selector = arena_printf(
		&pods->look, "fieldSelector=type%%3DWarning%%2CinvolvedObject.uid%%3D" STR_FMT,
		STR_ARG(uid));
	struct json *events;
	struct err err;

	if (!selector.ptr || pods_list(pods, "", "events", selector.ptr, &events, &err) < 0)
		return STR_NONE;
	return pods_trouble_of_events(events, &pods->look);
}

bool pods_code_is_final(int64_t code)
{
	return code == EXIT_CODE_USAGE || code == EXIT_CODE_BLOCKED ||
	       code == EXIT_CODE_SOURCE_UNREADABLE;
}

struct str pods_restarted(struct pods *pods, const struct json *pod, int64_t code)
{
	struct str words = pods_last_words(pods, pods_name_of(pod));
	int64_t again = pods_restarts(pod);

	return arena_printf(&pods->look, "pod " STR_FMT " ended with code %lld: " STR_FMT "; %s",
			    STR_ARG(pods_name_of(pod)), (long long)code, STR_ARG(words),
			    again > 0 ? arena_printf(&pods->look, "started again (restart %lld)",
						     (long long)again)
						.ptr
				      : "it is started again");
}

bool pods_is_ours(const struct pods *pods, const struct json *object)
{
	return str_eq(json_string(json_path(object, "metadata", "annotations", PODS_MARK, NULL)),
		      pods->task.mark);
}

int pods_pause(const struct pods *pods, int64_t ms, struct err *err)
{
	const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + ms;

	do {
		if (*pods->options->stop)
			return err_set(err, ERR_CANCELLED, "stopped");
		nanosleep(&moment, NULL);
	} while (clock_monotonic_ms() < until);
	return 0;
}

int pods_bear(struct pods *pods, struct err *err)
{
	char line[1100];

	if (!kubernetes_may_pass(err))
		return -(int)err->kind;
	snprintf(line, sizeof(line), "%s; waiting until that is mended", err->message);
	pods_note(pods, str_from(line));
	return pods_pause(pods, PATIENCE_MS, err);
}
