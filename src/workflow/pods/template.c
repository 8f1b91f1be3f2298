#include "workflow/pods/pods_internal.h"

/* In place of the engine's pod, which the others look like. */
static struct json *pod_of_image(const char *image, struct arena *mem)
{
	static const char text[] =
		"{\"spec\":{\"securityContext\":{\"runAsNonRoot\":true,\"runAsUser\":10001,"
		"\"fsGroup\":10001,\"seccompProfile\":{\"type\":\"RuntimeDefault\"}},"
		"\"containers\":[{\"name\":\"engine\",\"securityContext\":"
		"{\"allowPrivilegeEscalation\":false,\"readOnlyRootFilesystem\":true,"
		"\"capabilities\":{\"drop\":[\"ALL\"]}}}]}}";
	struct json *pod;

	if (json_parse(str_from(text), mem, &pod, NULL) < 0)
		return NULL;
	json_set(json_get(json_get(pod, "spec"), "containers")->first, STR("image"),
		 json_new_string(mem, str_from(image)));
	return pod;
}

struct json *pods_template(const struct json *task, const char *image, struct arena *mem)
{
	const struct pods_task job = {.kind = PODS_JOB,
				      .name = json_string(json_get(task, "name")),
				      .replicas = 1,
				      .spec = task,
				      .mark = STR("")};
	struct json *own = pod_of_image(image, mem);

	return own ? json_get(json_get(pods_manifest(&job, own, mem), "spec"), "template") : NULL;
}
