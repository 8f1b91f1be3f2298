#include "workflow/engine_internal.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "workflow/plan_spec.h"
#include "workflow/pods/pods.h"

#include <inttypes.h>

#define TASK_MAX MIB(8)
#define POD_STATE "/var/lib/shardlift"
#define PROXY_GRACE_SECONDS 150   /* its --drain-timeout twice: requests, then records to Kafka */
#define STATE_BESIDE_MB 256       /* of a pod's state directory */
#define REPLAYER_GRACE_SECONDS 90 /* for requests under way, tuples and its last commit */

/* The part of a resource's spec that says how many do it. */
static const char *shared_part(enum plan_action action)
{
	return action == PLAN_BACKFILL  ? "backfill"
	       : action == PLAN_CAPTURE ? "proxy"
	       : action == PLAN_REPLAY  ? "replayer"
					: NULL;
}

size_t engine_platform_workers(const struct engine *engine, const struct engine_step *step)
{
	const char *part = shared_part(step->plan->action);
	int64_t count = 1;

	if (part)
		count = json_i64_or(json_path(engine->run.plan.resources[step->plan->resource].spec,
					      part, "podReplicas", NULL),
				    1);
	return (size_t)MIN(MAX(count, (int64_t)1), (int64_t)ENGINE_WORKERS_MAX);
}

size_t engine_platform_processes(const struct engine *engine, size_t workers)
{
	return engine->platform == PLATFORM_LOCAL ? workers : 1;
}

int64_t engine_platform_pause(const struct engine *engine, int64_t local_ms, int64_t since_ms)
{
	/* A look costs a pod: the longer it takes, the less it is looked at. */
	return engine->platform == PLATFORM_LOCAL ? local_ms
						  : MIN(local_ms + since_ms / 10, (int64_t)30000);
}

/* --- A task of workflow/pods --- */

struct task {
	struct engine *engine;
	const struct engine_step *step;
	const struct plan_resource *resource; /* NULL: none */
	struct json *out;
	struct arena *mem;
};

static void put(struct task *t, const char *key, struct str text)
{
	json_set(t->out, str_from(key), json_new_string(t->mem, text));
}

/* The Java tool's names of what a step does. */
static const char *task_name(enum plan_action action)
{
	static const char *const names[] = {
		[PLAN_CHECK] = "connectionCheck",
		[PLAN_SNAPSHOT_CREATE] = "snapshot",
		[PLAN_SNAPSHOT_EXTERNAL] = "snapshot-import",
		[PLAN_METADATA_EVALUATE] = "metadataEvaluate",
		[PLAN_METADATA_MIGRATE] = "metadataMigrate",
		[PLAN_BACKFILL] = "reindexFromSnapshot",
		[PLAN_VERIFY] = "verify",
		[PLAN_CAPTURE] = "captureProxy",
		[PLAN_REPLAY] = "trafficReplayer",
	};

	return (size_t)action < COUNT_OF(names) && names[action] ? names[action] : "step";
}

static void put_label(struct task *t, struct json *labels, const char *name, struct str value)
{
	if (value.len > 0)
		json_set(labels, arena_printf(t->mem, PODS_LABEL "%s", name),
			 json_new_string(t->mem, value));
}

static void put_labels(struct task *t)
{
	struct json *labels = json_new(t->mem, JSON_OBJECT);
	const struct json *spec = t->resource ? t->resource->spec : t->step->plan->spec;

	put_label(t, labels, "task", str_from(task_name(t->step->plan->action)));
	put_label(t, labels, "workflow", t->engine->run.record.workflow);
	put_label(t, labels, "resource", t->step->record.resource);
	put_label(t, labels, "source", json_string(json_path(spec, "source", "name", NULL)));
	put_label(t, labels, "target", json_string(json_path(spec, "target", "name", NULL)));
	put_label(t, labels, "snapshot", json_string(json_get(spec, "snapshot")));
	if (t->resource && str_is(t->resource->kind, "snapshotmigration"))
		put_label(t, labels, "from-snapshot-migration", t->resource->name);
	if (t->step->plan->action == PLAN_BACKFILL)
		put_label(t, labels, "session",
			  engine_work_session(t->engine, t->step->plan->resource));
	json_set(t->out, STR("labels"), labels);
}

/* A pod's state directory is its own. */
static void put_words(struct task *t, const struct engine_command *command)
{
	struct json *argv = json_new(t->mem, JSON_ARRAY);
	struct str state = str_from(t->engine->options->state_dir);

	for (size_t i = 1; i < command->count; i++) {
		struct str word = str_from(command->argv[i]);

		if (str_eq(word, state) || (str_starts(word, state) && word.ptr[state.len] == '/'))
			word = arena_printf(t->mem, POD_STATE STR_FMT,
					    STR_ARG(str_from_offset(word, state.len)));
		json_append(argv, json_new_string(t->mem, word));
	}
	json_set(t->out, STR("argv"), argv);
}

static void put_secrets(struct task *t, struct json *to, const struct engine_command *command)
{
	struct json *secrets = json_new(t->mem, JSON_ARRAY);

	for (size_t i = 0; i < command->secret_count; i++) {
		struct json *one = json_new(t->mem, JSON_OBJECT);
		const struct engine_secret *secret = &command->secrets[i];

		json_set(one, STR("variable"), json_new_string(t->mem, str_from(secret->variable)));
		json_set(one, STR("name"), json_new_string(t->mem, str_from(secret->name)));
		json_set(one, STR("key"), json_new_string(t->mem, str_from(secret->key)));
		json_append(secrets, one);
	}
	json_set(to, STR("secrets"), secrets);
}

static void put_environment(struct task *t, const struct engine_command *command)
{
	struct json *variables = json_new(t->mem, JSON_OBJECT);
	struct json *folders = json_new(t->mem, JSON_ARRAY);

	for (size_t i = 0; i < command->environment_count; i++) {
		struct str name, value;

		if (str_split(str_from(command->environment[i]), '=', &name, &value) &&
		    !str_is(name, "SHARDLIFT_EXIT_FILE"))
			json_set(variables, name, json_new_string(t->mem, value));
	}
	for (size_t i = 0; i < command->folder_count; i++)
		json_append(folders, json_new_string(t->mem, str_from(command->folders[i])));
	json_set(t->out, STR("variables"), variables);
	put_secrets(t, t->out, command);
	json_set(t->out, STR("folders"), folders);
}

static void put_resources(struct task *t)
{
	static const struct {
		enum plan_action action;
		const char *member;
	} places[] = {{PLAN_METADATA_EVALUATE, "metadata"},
		      {PLAN_METADATA_MIGRATE, "metadata"},
		      {PLAN_BACKFILL, "backfill"},
		      {PLAN_VERIFY, "backfill"},
		      {PLAN_CAPTURE, "proxy"},
		      {PLAN_REPLAY, "replayer"}};

	for (size_t i = 0; t->resource && i < COUNT_OF(places); i++) {
		const struct json *found =
			json_path(t->resource->spec, places[i].member, "resources", NULL);

		if (t->step->plan->action == places[i].action && found)
			json_set(t->out, STR("resources"), json_copy(t->mem, found));
	}
}

struct str engine_platform_note(struct engine *engine, const struct engine_step *step)
{
	struct arena *mem = &engine->run.look;

	return arena_printf(mem, "%s/run/" STR_FMT ".note", engine->options->state_dir,
			    STR_ARG(pods_object_name(step->plan->name, mem)));
}

struct str engine_platform_trouble(struct engine *engine, const struct engine_step *step)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	struct str path = engine_platform_note(engine, step);
	struct err why;

	return path.ptr && small_file_read(path.ptr, &text, &why) > 0
		       ? arena_str(&engine->run.look, buf_str(&text))
		       : STR("");
}

/* The same for an engine that takes the attempt up again: what the one before made is gone on with.
 */
static void put_mark(struct task *t)
{
	struct str sum = plan_checksum(t->out, t->mem);

	put(t, "mark",
	    arena_printf(t->mem, "%" PRId64 "-%" PRId64 "-" STR_FMT, t->engine->run.record.id,
			 t->step->record.attempt, STR_ARG(sum)));
}

/* --- What goes on: proxies and replayers --- */

/* Names of Services begin with a letter. */
static struct str service_name(struct task *t)
{
	struct str name = pods_object_name(t->resource->name, t->mem);

	return name.len > 0 && name.ptr[0] >= 'a' && name.ptr[0] <= 'z'
		       ? name
		       : arena_printf(t->mem, "proxy-" STR_FMT, STR_ARG(name));
}

/* Under the proxy's name, as the Java tool has it. */
static void put_service(struct task *t)
{
	const struct json *proxy = json_get(t->resource->spec, "proxy");
	struct json *service = json_new(t->mem, JSON_OBJECT);
	struct str type = json_string(json_get(proxy, "serviceType"));

	json_set(service, STR("name"), json_new_string(t->mem, service_name(t)));
	json_set(service, STR("port"),
		 json_new_i64(t->mem, json_i64_or(json_get(proxy, "listenPort"), 0)));
	json_set(service, STR("type"),
		 json_new_string(t->mem, type.len > 0 ? type : STR("ClusterIP")));
	json_set(service, STR("internetFacing"),
		 json_new_bool(t->mem, json_bool_or(json_get(proxy, "internetFacing"), false)));
	json_set(t->out, STR("service"), service);
}

/* Its control socket answers once it listens. */
static void put_probe(struct task *t)
{
	const char *const words[] = {"shardlift", "capture",     "control", t->resource->name.ptr,
				     "status",    "--state-dir", POD_STATE};
	struct json *probe = json_new(t->mem, JSON_ARRAY);

	for (size_t i = 0; i < COUNT_OF(words); i++)
		json_append(probe, json_new_string(t->mem, str_from(words[i])));
	json_set(t->out, STR("probe"), probe);
}

/* What tuples may take, and room beside them: a pod that is beyond it is evicted, with all that it
 * has. */
static void put_state_size(struct task *t)
{
	int64_t tuples = engine_replay_tuples_mb(t->engine, t->resource);

	if (tuples > 0)
		json_set(t->out, STR("stateMb"), json_new_i64(t->mem, tuples + STATE_BESIDE_MB));
}

static void put_lasting(struct task *t)
{
	bool is_proxy = t->step->plan->action == PLAN_CAPTURE;

	put(t, "status",
	    arena_printf(t->mem, "%s/run/" STR_FMT ".status", t->engine->options->state_dir,
			 STR_ARG(t->resource->name)));
	json_set(t->out, STR("graceSeconds"),
		 json_new_i64(t->mem, is_proxy ? PROXY_GRACE_SECONDS : REPLAYER_GRACE_SECONDS));
	if (!is_proxy) {
		put_state_size(t);
		return;
	}
	put_service(t);
	put_probe(t);
}

/* Of any run: what it says is how they are, and nothing else makes them anew. */
static void put_lasting_mark(struct task *t)
{
	put(t, "mark", plan_checksum(t->out, t->mem));
}

/* What `workflow status` has of work items that are kept in the target. It is none of what the pods
 * are. */
static int add_watch(struct engine *engine, const struct engine_step *step, struct json *task,
		     struct err *err)
{
	struct task work = {.engine = engine, .step = step, .mem = &engine->run.look, .out = task};
	struct task *t = &work;
	struct json *watch = json_new(t->mem, JSON_OBJECT), *argv = json_new(t->mem, JSON_ARRAY);
	struct engine_command command;

	if (t->step->plan->action != PLAN_BACKFILL)
		return 0;
	if (engine_command_watch(t->engine, t->step, &command, err) < 0)
		return -(int)err->kind;
	for (size_t i = 1; i < command.count; i++)
		json_append(argv, json_new_string(t->mem, str_from(command.argv[i])));
	json_set(watch, STR("argv"), argv);
	put_secrets(t, watch, &command);
	json_set(watch, STR("path"),
		 json_new_string(t->mem,
				 arena_printf(t->mem, "%s/run/" STR_FMT ".work",
					      t->engine->options->state_dir,
					      STR_ARG(engine_work_session(
						      t->engine, t->step->plan->resource)))));
	json_set(t->out, STR("watch"), watch);
	return 0;
}

static struct json *make_task(struct task *t, size_t replicas, const struct engine_command *command)
{
	bool shared = t->step->plan->action == PLAN_BACKFILL;

	t->out = json_new(t->mem, JSON_OBJECT);
	put(t, "name", pods_object_name(t->step->plan->name, t->mem));
	put(t, "kind", command->lasting ? STR("lasting") : shared ? STR("workers") : STR("job"));
	put(t, "stateDir", STR(POD_STATE));
	put(t, "note", engine_platform_note(t->engine, t->step));
	put_words(t, command);
	put_environment(t, command);
	put_resources(t);
	if (command->lasting) {
		put_lasting(t);
		put_lasting_mark(t);
	}
	put_labels(t);
	if (!command->lasting)
		put_mark(t);
	json_set(t->out, STR("replicas"), json_new_i64(t->mem, (int64_t)replicas));
	return t->out;
}

struct json *engine_platform_task(struct engine *engine, const struct engine_step *step,
				  size_t replicas, const struct engine_command *command)
{
	struct task task = {.engine = engine, .step = step, .mem = &engine->run.look};

	if (step->plan->resource != PLAN_NO_RESOURCE)
		task.resource = &engine->run.plan.resources[step->plan->resource];
	return make_task(&task, replicas, command);
}

static int write_task(const struct json *task, const struct arena *mem, const char *path,
		      struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TASK_MAX);

	json_write_pretty(&text, task);
	if (mem->failed)
		return arena_fail(mem, "the task of a step", err);
	if (buf_check(&text, "the task of a step", err) < 0)
		return -(int)err->kind;
	return small_file_replace(path, buf_str(&text), err);
}

struct str engine_platform_checksum(struct engine *engine, const struct engine_step *step,
				    const struct engine_command *command)
{
	struct arena *mem = &engine->run.look;
	size_t replicas = engine_platform_workers(engine, step);
	const struct json *task;

	if (engine->platform == PLATFORM_LOCAL)
		return engine_command_checksum(command, mem);
	task = engine_platform_task(engine, step, replicas, command);
	return arena_printf(mem, STR_FMT "-%zu", STR_ARG(json_string(json_get(task, "mark"))),
			    replicas);
}

int engine_platform_wrap(struct engine *engine, struct engine_step *step, size_t replicas,
			 struct engine_command *command, struct err *err)
{
	struct arena *mem = &engine->run.look;
	struct json *task;
	const char *path;

	if (engine->platform == PLATFORM_LOCAL)
		return 0;
	task = engine_platform_task(engine, step, replicas, command);
	if (add_watch(engine, step, task, err) < 0)
		return -(int)err->kind;
	path = arena_printf(mem, "%s/run/" STR_FMT ".task", engine->options->state_dir,
			    STR_ARG(json_string(json_get(task, "name"))))
		       .ptr;
	if (!path)
		return arena_fail(mem, "the path of a task", err);
	if (write_task(task, mem, path, err) < 0)
		return -(int)err->kind;
	command->count = 0;
	command->argv[command->count++] = "shardlift";
	command->argv[command->count++] = "pods";
	command->argv[command->count++] = "run";
	command->argv[command->count++] = path;
	if (engine->options->namespace) {
		command->argv[command->count++] = "--namespace";
		command->argv[command->count++] = engine->options->namespace;
	}
	command->argv[command->count] = NULL;
	return 0;
}
