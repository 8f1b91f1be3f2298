#include "workflow/pods/pods_internal.h"

#include "base/limits.h"

static const struct json *container_status(const struct json *pod)
{
	json_each (status, json_path(pod, "status", "containerStatuses", NULL))
		if (str_is(json_string(json_get(status, "name")), PODS_CONTAINER))
			return status;
	return NULL;
}

static struct str short_of(struct str text)
{
	text.len = MIN(text.len, (size_t)400);
	return text;
}

const struct json *pods_terminated(const struct json *pod)
{
	const struct json *status = container_status(pod);
	const struct json *now = json_path(status, "state", "terminated", NULL);

	return now ? now : json_path(status, "lastState", "terminated", NULL);
}

int64_t pods_restarts(const struct json *pod)
{
	return json_i64_or(json_get(container_status(pod), "restartCount"), 0);
}

/* --- What keeps it from running --- */

static struct str memory_limit(const struct json *pod)
{
	json_each (container, json_path(pod, "spec", "containers", NULL))
		if (str_is(json_string(json_get(container, "name")), PODS_CONTAINER))
			return json_string(
				json_path(container, "resources", "limits", "memory", NULL));
	return STR_NONE;
}

static struct str of_waiting(const struct json *pod, const struct json *waiting, struct arena *mem)
{
	struct str reason = json_string(json_get(waiting, "reason"));
	struct str said = short_of(json_string(json_get(waiting, "message")));
	struct str name = pods_name_of(pod);

	if (str_is(reason, "CreateContainerConfigError"))
		return arena_printf(mem,
				    "pod " STR_FMT " waits for a secret: " STR_FMT
				    "; `kubectl create secret generic NAME "
				    "--from-literal=username=… --from-literal=password=…` makes "
				    "one, and it goes on by itself",
				    STR_ARG(name), STR_ARG(said));
	if (str_is(reason, "ErrImagePull") || str_is(reason, "ImagePullBackOff") ||
	    str_is(reason, "InvalidImageName") || str_is(reason, "ErrImageNeverPull"))
		return arena_printf(mem,
				    "pod " STR_FMT " has no image: " STR_FMT
				    "; mend image.repository, image.tag or imagePullSecrets of the "
				    "chart",
				    STR_ARG(name), STR_ARG(said));
	if (str_is(reason, "CreateContainerError") || str_is(reason, "RunContainerError"))
		return arena_printf(mem, "pod " STR_FMT " does not start: " STR_FMT, STR_ARG(name),
				    STR_ARG(said));
	return STR_NONE;
}

static struct str of_end(const struct json *pod, const struct json *end, struct arena *mem)
{
	struct str reason = json_string(json_get(end, "reason")), name = pods_name_of(pod);
	long long again = (long long)pods_restarts(pod);
	struct str times = again > 0 ? arena_printf(mem, " (started again %lld time%s)", again,
						    again > 1 ? "s" : "")
				     : STR("");

	if (str_is(reason, "OOMKilled"))
		return arena_printf(mem,
				    "pod " STR_FMT " was killed: it needs more memory than its "
				    "limit " STR_FMT STR_FMT "; raise "
				    "resources.limits.memory of this step in the configuration",
				    STR_ARG(name), STR_ARG(memory_limit(pod)), STR_ARG(times));
	return STR_NONE;
}

static struct str of_scheduling(const struct json *pod, struct arena *mem)
{
	json_each (condition, json_path(pod, "status", "conditions", NULL))
		if (str_is(json_string(json_get(condition, "type")), "PodScheduled") &&
		    str_is(json_string(json_get(condition, "status")), "False"))
			return arena_printf(
				mem,
				"pod " STR_FMT " finds no node: " STR_FMT
				"; add nodes, or ask for less in resources.requests",
				STR_ARG(pods_name_of(pod)),
				STR_ARG(short_of(json_string(json_get(condition, "message")))));
	return STR_NONE;
}

bool pods_was_taken_off(const struct json *pod)
{
	struct str reason = json_string(json_path(pod, "status", "reason", NULL));

	return str_is(reason, "Evicted") || str_is(reason, "Preempting") ||
	       str_is(reason, "NodeLost");
}

struct str pods_trouble_of_pod(const struct json *pod, struct arena *mem)
{
	const struct json *status = json_get(pod, "status");
	const struct json *container = container_status(pod);
	const struct json *waiting = json_path(container, "state", "waiting", NULL);
	const struct json *end = json_path(container, "state", "terminated", NULL);
	struct str reason = json_string(json_get(status, "reason")), line = STR_NONE;

	if (pods_was_taken_off(pod))
		return arena_printf(
			mem, "pod " STR_FMT " was taken off its node (" STR_FMT "): " STR_FMT,
			STR_ARG(pods_name_of(pod)), STR_ARG(reason),
			STR_ARG(short_of(json_string(json_get(status, "message")))));
	if (waiting)
		line = of_waiting(pod, waiting, mem);
	if (line.len == 0 && !end)
		end = json_path(container, "lastState", "terminated", NULL);
	if (line.len == 0 && end)
		line = of_end(pod, end, mem);
	return line.len == 0 && str_is(json_string(json_get(status, "phase")), "Pending")
		       ? of_scheduling(pod, mem)
		       : line;
}

struct str pods_trouble_of_deployment(const struct json *deployment, struct arena *mem)
{
	json_each (condition, json_path(deployment, "status", "conditions", NULL))
		if (str_is(json_string(json_get(condition, "type")), "ReplicaFailure") &&
		    str_is(json_string(json_get(condition, "status")), "True"))
			return arena_printf(
				mem, "pods cannot be made: " STR_FMT,
				STR_ARG(short_of(json_string(json_get(condition, "message")))));
	return STR_NONE;
}

struct str pods_trouble_of_events(const struct json *events, struct arena *mem)
{
	struct str newest = STR_NONE, message = STR_NONE;

	json_each (event, events) {
		struct str at = json_string(json_get(event, "lastTimestamp"));

		if (at.len == 0)
			at = json_string(json_get(event, "eventTime"));
		if (newest.len > 0 && str_cmp(at, newest) < 0)
			continue;
		newest = at;
		message = json_string(json_get(event, "message"));
	}
	return message.len > 0 ? arena_printf(mem, STR_FMT, STR_ARG(short_of(message))) : STR_NONE;
}
