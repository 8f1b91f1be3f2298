#include "workflow/export_argo.h"

#include "base/limits.h"
#include "workflow/engine_internal.h"
#include "workflow/pods/pods.h"

#define LOOK_ARENA MIB(64)
/* Argo puts it in: another snapshot and another session of work for each workflow created. */
#define UID "{{workflow.uid}}"

struct exporter {
	const struct export_argo_options *options;
	struct engine engine; /* as it would be on Kubernetes, with nothing written down */
	struct json *templates, *tasks;
	const struct str *names; /* of the tasks of steps */
	struct arena *mem;
};

static struct json *object(struct exporter *x)
{
	return json_new(x->mem, JSON_OBJECT);
}

static void put(struct json *to, const char *key, struct json *value)
{
	json_set(to, str_from(key), value);
}

static void put_text(struct exporter *x, struct json *to, const char *key, struct str text)
{
	put(to, key, json_new_string(x->mem, text));
}

static void put_copy(struct exporter *x, struct json *to, const char *key, const struct json *from)
{
	if (from)
		put(to, key, json_copy(x->mem, from));
}

/* --- Templates --- */

/* What may pass is tried again, as the engine does: out of reach, too late, interrupted, killed.
 * No maxDuration: Argo counts it from the first try's beginning, and ends the next ones by it. */
static struct json *retries(struct exporter *x)
{
	static const char text[] =
		"{\"limit\":\"3\",\"retryPolicy\":\"Always\","
		"\"expression\":\"lastRetry.status == 'Error' || "
		"asInt(lastRetry.exitCode) in [3, 7, 8] || asInt(lastRetry.exitCode) > 128\","
		"\"backoff\":{\"duration\":\"10s\",\"factor\":\"2\"}}";
	struct json *out;

	_Static_assert(ENGINE_TRIES == 4, "one try and three again");
	_Static_assert(EXIT_CODE_UNREACHABLE == 3 && EXIT_CODE_TIMEOUT == 7 &&
			       EXIT_CODE_INTERRUPTED == 8,
		       "as the expression has them");
	return json_parse(str_from(text), x->mem, &out, NULL) < 0 ? NULL : out;
}

/* Argo names the container itself, and wants to be told what it runs. */
static struct json *container_of(struct exporter *x, const struct json *spec)
{
	const struct json *containers = json_get(spec, "containers");
	struct json *out = object(x), *command = json_new(x->mem, JSON_ARRAY);

	json_append(command, json_new_string(x->mem, STR("shardlift")));
	put(out, "command", command);
	json_each (member, containers ? containers->first : NULL)
		if (!str_is(member->key, "name"))
			json_set(out, member->key, json_copy(x->mem, member));
	return out;
}

static void add_template(struct exporter *x, struct str name, const struct json *task)
{
	struct json *pod =
		json_copy(x->mem, pods_template(task, x->options->image, &x->engine.run.look));
	const struct json *spec = json_get(pod, "spec");
	struct json *out = object(x);

	put_text(x, out, "name", name);
	put_copy(x, out, "metadata", json_get(pod, "metadata"));
	put(out, "container", container_of(x, spec));
	put_copy(x, out, "volumes", json_get(spec, "volumes"));
	put_copy(x, out, "securityContext", json_get(spec, "securityContext"));
	put(out, "retryStrategy", retries(x));
	json_append(x->templates, out);
}

static void add_gate_template(struct exporter *x)
{
	struct json *out = object(x);

	put_text(x, out, "name", STR("gate"));
	put(out, "suspend", object(x));
	json_append(x->templates, out);
}

/* --- Tasks --- */

static struct json *add_task(struct exporter *x, struct str name, struct str template)
{
	struct json *task = object(x);

	put_text(x, task, "name", name);
	put_text(x, task, "template", template);
	json_append(x->tasks, task);
	return task;
}

static void put_dependencies(struct exporter *x, struct json *task, const struct plan_step *step)
{
	struct json *list = json_new(x->mem, JSON_ARRAY);

	for (size_t i = 0; i < step->after_count; i++)
		json_append(list, json_new_string(x->mem, x->names[step->after[i]]));
	if (step->after_count > 0)
		put(task, "dependencies", list);
}

static void put_workers(struct exporter *x, struct json *task, size_t workers)
{
	struct json *sequence = object(x);

	if (workers < 2)
		return;
	put_text(x, sequence, "count", arena_printf(x->mem, "%zu", workers));
	put(task, "withSequence", sequence);
}

/* A command of a step, as a template of its own. */
static int add_command(struct exporter *x, struct engine_step *step, struct str name,
		       struct err *err)
{
	struct engine_command command;
	size_t workers = engine_platform_workers(&x->engine, step);

	arena_reset(&x->engine.run.look);
	if (engine_command_make(&x->engine, step, &command, err) < 0)
		return -(int)err->kind;
	add_template(x, name, engine_platform_task(&x->engine, step, workers, &command));
	return x->engine.run.look.failed ? arena_fail(&x->engine.run.look, "a step", err) : 0;
}

/* A snapshot is registered, then taken: two commands. */
static int add_snapshot(struct exporter *x, struct engine_step *step, struct str name,
			struct err *err)
{
	struct str before = arena_printf(x->mem, STR_FMT "-register", STR_ARG(name));
	struct json *list = json_new(x->mem, JSON_ARRAY), *task;

	step->stage = STAGE_REGISTER;
	if (add_command(x, step, before, err) < 0)
		return -(int)err->kind;
	put_dependencies(x, add_task(x, before, before), step->plan);
	step->stage = STAGE_CREATE;
	if (add_command(x, step, name, err) < 0)
		return -(int)err->kind;
	task = add_task(x, name, name);
	json_append(list, json_new_string(x->mem, before));
	put(task, "dependencies", list);
	return 0;
}

static int add_step(struct exporter *x, struct engine_step *step, struct str name, struct err *err)
{
	enum plan_action action = step->plan->action;
	struct json *task;

	if (action == PLAN_CAPTURE || action == PLAN_REPLAY || action == PLAN_CUT_OVER)
		return err_set(err, ERR_UNSUPPORTED,
			       "step " STR_FMT " has to be watched while it lasts, which Argo does "
			       "not do: `workflow submit` does it, on Kubernetes too",
			       STR_ARG(step->plan->name));
	if (action == PLAN_GATE) {
		put_dependencies(x, add_task(x, name, STR("gate")), step->plan);
		return 0;
	}
	if (action == PLAN_SNAPSHOT_CREATE)
		return add_snapshot(x, step, name, err);
	if (add_command(x, step, name, err) < 0)
		return -(int)err->kind;
	task = add_task(x, name, name);
	put_dependencies(x, task, step->plan);
	if (action == PLAN_BACKFILL)
		put_workers(x, task, engine_platform_workers(&x->engine, step));
	return 0;
}

static int add_steps(struct exporter *x, struct err *err)
{
	struct engine_run *run = &x->engine.run;

	for (size_t i = 0; i < run->plan.step_count; i++) {
		struct engine_step *step = &run->steps[i];

		step->plan = &run->plan.steps[i];
		step->record.name = step->plan->name;
		step->record.resource =
			plan_resource_label(&run->plan, step->plan->resource, x->mem);
		if (add_step(x, step, x->names[i], err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* --- The whole --- */

static struct json *manifest(struct exporter *x)
{
	const struct export_argo_options *o = x->options;
	struct json *out = object(x), *metadata = object(x), *spec = object(x);
	struct json *main = object(x), *dag = object(x);

	put_text(x, out, "apiVersion", STR("argoproj.io/v1alpha1"));
	put_text(x, out, "kind", STR("Workflow"));
	put_text(x, metadata, "generateName", arena_printf(x->mem, "%s-", o->name));
	if (o->namespace)
		put_text(x, metadata, "namespace", str_from(o->namespace));
	put(out, "metadata", metadata);
	put_text(x, spec, "entrypoint", STR("main"));
	if (o->service_account)
		put_text(x, spec, "serviceAccountName", str_from(o->service_account));
	put_text(x, main, "name", STR("main"));
	put(dag, "tasks", x->tasks);
	put(main, "dag", dag);
	json_append(x->templates, main);
	put(spec, "templates", x->templates);
	put(out, "spec", spec);
	return out;
}

static int name_steps(struct exporter *x, struct err *err)
{
	const struct plan *plan = &x->engine.run.plan;
	struct str *names = arena_zalloc(x->mem, plan->step_count, sizeof(*names));

	for (size_t i = 0; names && i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];

		names[i] = step->action == PLAN_GATE
				   ? arena_printf(x->mem, "approve-" STR_FMT,
						  STR_ARG(pods_object_name(step->gate, x->mem)))
				   : pods_object_name(step->name, x->mem);
	}
	x->names = names;
	return x->mem->failed ? arena_fail(x->mem, "the names of steps", err) : 0;
}

/* Resources as at their beginning, under names that hold for one workflow of Argo. */
static int begin(struct exporter *x, const struct plan *plan, struct err *err)
{
	struct engine_run *run = &x->engine.run;

	run->plan = *plan;
	run->record.workflow = str_from(x->options->name);
	run->steps = arena_zalloc(x->mem, plan->step_count, sizeof(*run->steps));
	run->resources = arena_zalloc(x->mem, plan->resource_count, sizeof(*run->resources));
	for (size_t i = 0; run->resources && i < plan->resource_count; i++) {
		struct str name = json_string(json_get(plan->resources[i].spec, "snapshot"));

		run->resources[i].uid = STR(UID);
		run->resources[i].status = arena_printf(
			x->mem, "{\"snapshotName\":\"" STR_FMT "_" UID "\"}", STR_ARG(name));
	}
	x->templates = json_new(x->mem, JSON_ARRAY);
	x->tasks = json_new(x->mem, JSON_ARRAY);
	return name_steps(x, err);
}

int export_argo(const struct export_argo_options *options, const struct plan *plan,
		struct arena *mem, struct json **out, struct err *err)
{
	static const struct engine_options engine_options = {.state_dir = "/var/lib/shardlift"};
	struct exporter x = {.options = options,
			     .engine = {.options = &engine_options,
					.platform = PLATFORM_KUBERNETES,
					.run.look = ARENA_INIT(LOOK_ARENA)},
			     .mem = mem};
	int rc = begin(&x, plan, err);

	if (rc == 0) {
		add_gate_template(&x);
		rc = add_steps(&x, err);
	}
	if (rc == 0) {
		*out = manifest(&x);
		rc = mem->failed ? arena_fail(mem, "the manifest", err) : 0;
	}
	arena_release(&x.engine.run.look);
	return rc;
}
