#include "workflow/pods/pods_internal.h"

#include "base/limits.h"

#define GRACE_SECONDS 60
#define AWAY_SECONDS "5" /* for the Service to hear that a pod goes, before its port is closed */

/* Building JSON, in the order it is written. */
struct maker {
	const struct pods_task *task;
	const struct json *own, *own_spec, *own_container;
	struct arena *mem;
};

static struct json *object(struct maker *m)
{
	return json_new(m->mem, JSON_OBJECT);
}

static void put(struct json *to, const char *key, struct json *value)
{
	json_set(to, str_from(key), value);
}

static void put_text(struct maker *m, struct json *to, const char *key, struct str text)
{
	put(to, key, json_new_string(m->mem, text));
}

static void put_copy(struct maker *m, struct json *to, const char *key, const struct json *from)
{
	if (from)
		put(to, key, json_copy(m->mem, from));
}

/* {name: …} appended to a list. */
static struct json *add_named(struct maker *m, struct json *list, struct str name)
{
	struct json *one = object(m);

	put_text(m, one, "name", name);
	json_append(list, one);
	return one;
}

/* --- Metadata --- */

static struct json *labels_of(struct maker *m)
{
	struct json *labels = object(m);

	put_text(m, labels, "app.kubernetes.io/name", STR("shardlift-step"));
	put_text(m, labels, "app.kubernetes.io/managed-by", STR("shardlift"));
	put_text(m, labels, PODS_LABEL "step", m->task->name);
	json_each (label, json_get(m->task->spec, "labels"))
		json_set(labels, label->key,
			 json_new_string(m->mem, pods_label_value(json_string(label), m->mem)));
	return labels;
}

/* What owns the engine's pod, else that pod. */
static struct json *owner_of(struct maker *m)
{
	const struct json *owners = json_path(m->own, "metadata", "ownerReferences", NULL);
	static const char *const members[] = {"apiVersion", "kind", "name", "uid"};
	struct json *list = json_new(m->mem, JSON_ARRAY), *one = object(m);

	for (size_t i = 0; owners && owners->first && i < COUNT_OF(members); i++)
		put_copy(m, one, members[i], json_get(owners->first, members[i]));
	if (!owners || !owners->first) {
		put_text(m, one, "apiVersion", STR("v1"));
		put_text(m, one, "kind", STR("Pod"));
		put_copy(m, one, "name", json_path(m->own, "metadata", "name", NULL));
		put_copy(m, one, "uid", json_path(m->own, "metadata", "uid", NULL));
	}
	json_append(list, one);
	return list;
}

static struct json *metadata_of(struct maker *m)
{
	struct json *metadata = object(m), *annotations = object(m);

	put_text(m, metadata, "name", m->task->name);
	put(metadata, "labels", labels_of(m));
	put_text(m, annotations, PODS_MARK, m->task->mark);
	put_text(m, annotations, PODS_REPLICAS,
		 arena_printf(m->mem, "%lld", (long long)m->task->replicas));
	put_text(m, annotations, PODS_IMAGE, json_string(json_get(m->own_container, "image")));
	put(metadata, "annotations", annotations);
	put(metadata, "ownerReferences", owner_of(m));
	return metadata;
}

/* --- The container --- */

/* What the user set for the engine and is no setting of one of its commands. */
static bool passes(struct str name)
{
	static const char *const ours[] = {"TARGET_", "SOURCE_", "RFS_", "KUBERNETES_"};
	static const char *const taken[] = {"CREDENTIALS_DIRECTORY", "HOME", "HOSTNAME"};

	if (str_starts(name, STR("SHARDLIFT_")))
		return str_starts(name, STR("SHARDLIFT_S3_"));
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (str_starts(name, str_from(ours[i])))
			return false;
	for (size_t i = 0; i < COUNT_OF(taken); i++)
		if (str_is(name, taken[i]))
			return false;
	return true;
}

static void add_variable(struct maker *m, struct json *list, struct str name, struct str value)
{
	put_text(m, add_named(m, list, name), "value", value);
}

static struct json *environment_of(struct maker *m)
{
	struct json *list = json_new(m->mem, JSON_ARRAY);

	json_each (variable, json_get(m->own_container, "env"))
		if (passes(json_string(json_get(variable, "name"))))
			json_append(list, json_copy(m->mem, variable));
	add_variable(m, list, STR("HOME"), json_string(json_get(m->task->spec, "stateDir")));
	add_variable(m, list, STR("SHARDLIFT_PLATFORM"), STR("local"));
	add_variable(m, list,
		     m->task->kind == PODS_LASTING ? STR("SHARDLIFT_STATUS_IN_LOG")
						   : STR("SHARDLIFT_OUTPUT_IN_LOG"),
		     STR("1"));
	json_each (variable, json_get(m->task->spec, "variables"))
		add_variable(m, list, variable->key, json_string(variable));
	json_each (secret, json_get(m->task->spec, "secrets")) {
		struct json *from = object(m), *key = object(m);

		put_copy(m, key, "name", json_get(secret, "name"));
		put_copy(m, key, "key", json_get(secret, "key"));
		put(from, "secretKeyRef", key);
		put(add_named(m, list, json_string(json_get(secret, "variable"))), "valueFrom",
		    from);
	}
	return list;
}

static void add_mount(struct maker *m, struct json *list, struct str name, struct str path)
{
	put_text(m, add_named(m, list, name), "mountPath", path);
}

/* "secret-0", "secret-1": names of Secrets may be longer than those of volumes. */
static struct str volume_name(struct maker *m, size_t number)
{
	return arena_printf(m->mem, "secret-%zu", number);
}

static struct json *mounts_of(struct maker *m)
{
	struct json *list = json_new(m->mem, JSON_ARRAY);
	struct str state = json_string(json_get(m->task->spec, "stateDir"));
	size_t number = 0;

	add_mount(m, list, STR("state"), state);
	add_mount(m, list, STR("tmp"), STR("/tmp"));
	json_each (folder, json_get(m->task->spec, "folders"))
		add_mount(m, list, volume_name(m, number++),
			  arena_printf(m->mem, STR_FMT "/secrets/" STR_FMT, STR_ARG(state),
				       STR_ARG(json_string(folder))));
	return list;
}

static struct json *volumes_of(struct maker *m)
{
	struct json *list = json_new(m->mem, JSON_ARRAY), *state = object(m);
	int64_t state_mb = json_i64_or(json_get(m->task->spec, "stateMb"), 0);
	size_t number = 0;

	if (state_mb > 0)
		put_text(m, state, "sizeLimit",
			 arena_printf(m->mem, "%lldMi", (long long)state_mb));
	put(add_named(m, list, STR("state")), "emptyDir", state);
	put(add_named(m, list, STR("tmp")), "emptyDir", object(m));
	json_each (folder, json_get(m->task->spec, "folders")) {
		struct json *secret = object(m);

		put_text(m, secret, "secretName", json_string(folder));
		put(secret, "defaultMode", json_new_i64(m->mem, 0440));
		put(add_named(m, list, volume_name(m, number++)), "secret", secret);
	}
	return list;
}

static struct json *resources_of(struct maker *m)
{
	static const char defaults[] = "{\"requests\":{\"cpu\":\"50m\",\"memory\":\"128Mi\"},"
				       "\"limits\":{\"memory\":\"2Gi\"}}";
	const struct json *given = json_get(m->task->spec, "resources");
	struct json *out = NULL;

	if (given)
		return json_copy(m->mem, given);
	return json_parse(str_from(defaults), m->mem, &out, NULL) < 0 ? NULL : out;
}

/* {exec: {command: …}, periodSeconds, …} */
static struct json *probe_of(struct maker *m, const struct json *words)
{
	struct json *probe = object(m), *exec = object(m);

	put_copy(m, exec, "command", words);
	put(probe, "exec", exec);
	put(probe, "periodSeconds", json_new_i64(m->mem, 5));
	put(probe, "timeoutSeconds", json_new_i64(m->mem, 10));
	return probe;
}

/* What stands behind a Service. */
static void put_serving(struct maker *m, struct json *container)
{
	const struct json *service = json_get(m->task->spec, "service");
	const struct json *words = json_get(m->task->spec, "probe");
	struct json *ports = json_new(m->mem, JSON_ARRAY), *lifecycle = object(m);
	struct json *stop = object(m), *exec = object(m);
	struct json *away = json_new(m->mem, JSON_ARRAY);

	if (words)
		put(container, "readinessProbe", probe_of(m, words));
	if (!service)
		return;
	put_copy(m, add_named(m, ports, STR("clients")), "containerPort",
		 json_get(service, "port"));
	put(container, "ports", ports);
	/* A command: clusters before 1.30 know no `sleep` of their own. */
	json_append(away, json_new_string(m->mem, STR("sleep")));
	json_append(away, json_new_string(m->mem, STR(AWAY_SECONDS)));
	put(exec, "command", away);
	put(stop, "exec", exec);
	put(lifecycle, "preStop", stop);
	put(container, "lifecycle", lifecycle);
}

static struct json *container_of(struct maker *m)
{
	struct json *one = object(m);

	put_text(m, one, "name", STR(PODS_CONTAINER));
	put_copy(m, one, "image", json_get(m->own_container, "image"));
	put_copy(m, one, "imagePullPolicy", json_get(m->own_container, "imagePullPolicy"));
	put_copy(m, one, "args", json_get(m->task->spec, "argv"));
	put_copy(m, one, "envFrom", json_get(m->own_container, "envFrom"));
	put(one, "env", environment_of(m));
	put(one, "resources", resources_of(m));
	put_copy(m, one, "securityContext", json_get(m->own_container, "securityContext"));
	put_text(m, one, "terminationMessagePolicy", STR("FallbackToLogsOnError"));
	put(one, "volumeMounts", mounts_of(m));
	put_serving(m, one);
	return one;
}

/* --- Pods --- */

static struct json *step_selector(struct maker *m)
{
	struct json *labels = object(m);

	put_text(m, labels, PODS_LABEL "step", m->task->name);
	return labels;
}

/* So that a node that goes does not take them all, where there are several. */
static struct json *spread_of(struct maker *m)
{
	struct json *list = json_new(m->mem, JSON_ARRAY), *one = object(m), *selector = object(m);

	put(one, "maxSkew", json_new_i64(m->mem, 1));
	put_text(m, one, "topologyKey", STR("kubernetes.io/hostname"));
	put_text(m, one, "whenUnsatisfiable", STR("ScheduleAnyway"));
	put(selector, "matchLabels", step_selector(m));
	put(one, "labelSelector", selector);
	json_append(list, one);
	return list;
}

static struct json *pod_spec(struct maker *m)
{
	static const char *const same[] = {
		"serviceAccountName", "securityContext", "imagePullSecrets",  "nodeSelector",
		"tolerations",        "affinity",        "priorityClassName", "runtimeClassName"};
	struct json *spec = object(m), *containers = json_new(m->mem, JSON_ARRAY);

	for (size_t i = 0; i < COUNT_OF(same); i++)
		put_copy(m, spec, same[i], json_get(m->own_spec, same[i]));
	put(spec, "automountServiceAccountToken", json_new_bool(m->mem, false));
	put(spec, "enableServiceLinks", json_new_bool(m->mem, false));
	put(spec, "terminationGracePeriodSeconds",
	    json_new_i64(m->mem, json_i64_or(json_get(m->task->spec, "graceSeconds"),
					     (int64_t)GRACE_SECONDS)));
	if (m->task->kind == PODS_LASTING)
		put(spec, "topologySpreadConstraints", spread_of(m));
	put_text(m, spec, "restartPolicy",
		 m->task->kind == PODS_JOB ? STR("Never") : STR("Always"));
	json_append(containers, container_of(m));
	put(spec, "containers", containers);
	put(spec, "volumes", volumes_of(m));
	return spec;
}

static struct json *pod_template(struct maker *m)
{
	struct json *template = object(m), *metadata = object(m);

	put(metadata, "labels", labels_of(m));
	put(template, "metadata", metadata);
	put(template, "spec", pod_spec(m));
	return template;
}

static const struct json *engine_container(const struct json *spec)
{
	const struct json *containers = json_get(spec, "containers");

	json_each (one, containers)
		if (str_is(json_string(json_get(one, "name")), "engine"))
			return one;
	return containers ? containers->first : NULL;
}

struct str pods_image(const struct json *own)
{
	return json_string(json_get(engine_container(json_get(own, "spec")), "image"));
}

static void put_job(struct maker *m, struct json *spec)
{
	put(spec, "backoffLimit", json_new_i64(m->mem, 0));
	put(spec, "template", pod_template(m));
}

static void put_deployment(struct maker *m, struct json *spec)
{
	struct json *selector = object(m), *strategy = object(m), *rolling = object(m);

	put(spec, "replicas", json_new_i64(m->mem, m->task->replicas));
	put(selector, "matchLabels", step_selector(m));
	put(spec, "selector", selector);
	if (m->task->kind == PODS_LASTING) {
		put_text(m, strategy, "type", STR("RollingUpdate"));
		put(rolling, "maxUnavailable", json_new_i64(m->mem, 0));
		put(rolling, "maxSurge", json_new_i64(m->mem, 1));
		put(strategy, "rollingUpdate", rolling);
		put(spec, "strategy", strategy);
	}
	put(spec, "template", pod_template(m));
}

struct json *pods_manifest(const struct pods_task *task, const struct json *own, struct arena *mem)
{
	struct maker m = {.task = task, .own = own, .own_spec = json_get(own, "spec"), .mem = mem};
	struct json *out = object(&m), *spec = object(&m);
	bool is_job = task->kind == PODS_JOB;

	m.own_container = engine_container(m.own_spec);
	put_text(&m, out, "apiVersion", is_job ? STR("batch/v1") : STR("apps/v1"));
	put_text(&m, out, "kind", is_job ? STR("Job") : STR("Deployment"));
	put(out, "metadata", metadata_of(&m));
	if (is_job)
		put_job(&m, spec);
	else
		put_deployment(&m, spec);
	put(out, "spec", spec);
	return out;
}

/* --- Services --- */

/* What clouds look at to make a load balancer that only their own network reaches, or a public one.
 */
static void put_balancer(struct maker *m, struct json *annotations, bool is_public)
{
	static const char *const internal[][2] = {
		{"service.beta.kubernetes.io/aws-load-balancer-internal", "true"},
		{"service.beta.kubernetes.io/azure-load-balancer-internal", "true"},
		{"networking.gke.io/load-balancer-type", "Internal"}};

	put_text(m, annotations, "service.beta.kubernetes.io/aws-load-balancer-scheme",
		 is_public ? STR("internet-facing") : STR("internal"));
	for (size_t i = 0; !is_public && i < COUNT_OF(internal); i++)
		put_text(m, annotations, internal[i][0], str_from(internal[i][1]));
}

static struct json *service_ports(struct maker *m, const struct json *service)
{
	struct json *ports = json_new(m->mem, JSON_ARRAY);
	struct json *one = add_named(m, ports, STR("clients"));

	put_copy(m, one, "port", json_get(service, "port"));
	put_text(m, one, "targetPort", STR("clients"));
	return ports;
}

struct json *pods_service_manifest(const struct pods_task *task, const struct json *own,
				   struct arena *mem)
{
	struct maker m = {.task = task, .own = own, .own_spec = json_get(own, "spec"), .mem = mem};
	const struct json *service = json_get(task->spec, "service");
	struct str type = json_string(json_get(service, "type"));
	struct json *out = object(&m), *metadata = object(&m), *spec = object(&m);
	struct json *annotations = object(&m);

	put_text(&m, out, "apiVersion", STR("v1"));
	put_text(&m, out, "kind", STR("Service"));
	put_text(&m, metadata, "name", json_string(json_get(service, "name")));
	put(metadata, "labels", labels_of(&m));
	if (str_is(type, "LoadBalancer"))
		put_balancer(&m, annotations,
			     json_bool_or(json_get(service, "internetFacing"), false));
	put(metadata, "annotations", annotations);
	put(metadata, "ownerReferences", owner_of(&m));
	put(out, "metadata", metadata);
	put_text(&m, spec, "type", type.len > 0 ? type : STR("ClusterIP"));
	put(spec, "selector", step_selector(&m));
	put(spec, "ports", service_ports(&m, service));
	put(out, "spec", spec);
	return out;
}
