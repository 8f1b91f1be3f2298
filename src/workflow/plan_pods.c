/* What proxies and replayers cannot do as pods. */
#include "workflow/plan_internal.h"

static int refuse(const struct plan_resource *resource, const char *what, const char *instead,
		  struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, STR_FMT "." STR_FMT ": %s; %s",
		       STR_ARG(resource->kind), STR_ARG(resource->name), what, instead);
}

static bool is_given(const struct json *value)
{
	return json_text_or(value, STR_NONE).len > 0;
}

/* The cluster that a proxy writes to, a replayer reads. */
static const struct json *kafka_of(const struct plan *plan, const struct plan_resource *resource)
{
	while (resource && !str_is(resource->kind, "kafkacluster"))
		resource = resource->depends_on_count > 0
				   ? plan_resource_of(plan, resource->depends_on[0])
				   : NULL;
	return resource ? json_path(resource->spec, "cluster", "existing", NULL) : NULL;
}

static int check_records(const struct plan *plan, const struct plan_resource *resource,
			 struct err *err)
{
	if (kafka_of(plan, resource))
		return 0;
	return refuse(resource,
		      "a log of captured traffic in a pod ends with it, and no replayer reaches it",
		      "give a Kafka cluster that is there, with the proxy's topic in it: "
		      "kafkaClusterConfiguration.NAME.existing {kafkaConnection: HOST:PORT}",
		      err);
}

static int check_proxy(const struct plan *plan, const struct plan_resource *resource,
		       struct err *err)
{
	const struct json *proxy = json_get(resource->spec, "proxy");

	if (is_given(json_path(proxy, "tls", "clientAuth", "trustedClientCaFile", "path", NULL)))
		return refuse(resource, "tls.clientAuth.trustedClientCaFile is not in a pod",
			      "give the certificate itself, in trustedClientCaPem", err);
	if (str_is(json_string(json_get(proxy, "onCaptureFailure")), "spool"))
		return refuse(resource, "onCaptureFailure: what a pod spools ends with it",
			      "take it out (block: such writes are answered 503), or give forward",
			      err);
	return json_bool_or(json_get(proxy, "noCapture"), false)
		       ? 0
		       : check_records(plan, resource, err);
}

static int check_replayer(const struct plan *plan, const struct plan_resource *resource,
			  struct err *err)
{
	if (is_given(json_path(resource->spec, "replayer", "kafkaTrafficPropertyFile", NULL)))
		return refuse(resource, "the file of kafkaTrafficPropertyFile is not in a pod",
			      "take it out", err);
	return check_records(plan, resource, err);
}

/* Its replicas would have to hold, switch and release their clients as one, and a pod that comes up
 * in between must not send any to the source. */
static int check_step(const struct plan *plan, const struct plan_step *step, struct err *err)
{
	if (step->action != PLAN_CUT_OVER)
		return 0;
	return refuse(&plan->resources[step->resource],
		      "cutOver: the pods of a proxy cannot be switched together yet",
		      "take it out; when the replay has caught up and `verify` says equal, stop "
		      "writing and re-point the clients to the target (docs/kubernetes.md)",
		      err);
}

int plan_check_pods(const struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->resource_count; i++) {
		const struct plan_resource *resource = &plan->resources[i];

		if ((str_is(resource->kind, "captureproxy") &&
		     check_proxy(plan, resource, err) < 0) ||
		    (str_is(resource->kind, "trafficreplay") &&
		     check_replayer(plan, resource, err) < 0))
			return -(int)err->kind;
	}
	for (size_t i = 0; i < plan->step_count; i++)
		if (check_step(plan, &plan->steps[i], err) < 0)
			return -(int)err->kind;
	return 0;
}
