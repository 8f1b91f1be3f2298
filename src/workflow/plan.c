#include "workflow/plan.h"

#include "workflow/plan_spec.h"

#include <ctype.h>

#define STEPS_MAX 4096

struct planner {
	const struct config_value *root;
	struct arena *mem;
	struct plan *plan;
	size_t begin; /* the gate before all; SIZE_MAX: none */
	bool full;
};

static struct str text_of(const struct config_value *map, const char *key)
{
	return config_text_or(config_get(map, key), STR_NONE);
}

static struct str lower(struct planner *p, struct str text)
{
	char *copy = arena_zalloc(p->mem, text.len + 1, 1);

	for (size_t i = 0; copy && i < text.len; i++)
		copy[i] = (char)tolower((unsigned char)text.ptr[i]);
	return (struct str){copy, copy ? text.len : 0};
}

static void set_text(struct planner *p, struct json *object, const char *key, struct str value)
{
	json_set(object, str_from(key), json_new_string(p->mem, value));
}

/* Members of a cluster that its resources keep. */
static struct json *side(struct planner *p, const struct config_value *cluster)
{
	static const char *const members[] = {"endpoint", "allowInsecure", "authConfig", "version"};
	const struct schema *schema =
		plan_schema(config_get_str(config_get(p->root, "sourceClusters"), cluster->key)
				    ? "sourceClusters"
				    : "targetClusters")
			->items;
	struct json *all = plan_resolve(schema, cluster, p->mem);
	struct json *out = json_new(p->mem, JSON_OBJECT);

	set_text(p, out, "name", cluster->key);
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		struct json *member = json_remove(all, str_from(members[i]));

		if (member)
			json_set(out, str_from(members[i]), member);
	}
	return out;
}

static struct json *section(struct planner *p, const char *path, const struct config_value *value)
{
	return value ? plan_resolve(plan_schema(path), value, p->mem) : NULL;
}

static void set(struct json *object, const char *key, struct json *value)
{
	if (value)
		json_set(object, str_from(key), value);
}

struct str plan_resource_label(const struct plan *plan, size_t resource, struct arena *mem)
{
	if (resource == PLAN_NO_RESOURCE)
		return STR("");
	return arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(plan->resources[resource].kind),
			    STR_ARG(plan->resources[resource].name));
}

static size_t find_resource(const struct planner *p, const char *kind, struct str name)
{
	for (size_t i = 0; i < p->plan->resource_count; i++)
		if (str_is(p->plan->resources[i].kind, kind) &&
		    str_eq(p->plan->resources[i].name, name))
			return i;
	return PLAN_NO_RESOURCE;
}

/* Its spec takes in what it sees of those it depends on. */
static size_t add_resource(struct planner *p, const char *kind, struct str name, struct json *spec,
			   const size_t *depends_on, size_t depends_on_count)
{
	struct plan *plan = p->plan;
	struct plan_resource *resource = &plan->resources[plan->resource_count];
	struct json *behind = json_new(p->mem, JSON_OBJECT);

	if (plan->resource_count == STEPS_MAX || p->mem->failed) {
		p->full = true;
		return PLAN_NO_RESOURCE;
	}
	*resource = (struct plan_resource){
		.kind = str_from(kind),
		.name = name,
		.spec = spec,
		.depends_on = arena_zalloc(p->mem, depends_on_count, sizeof(struct str))};
	for (size_t i = 0; resource->depends_on && i < depends_on_count; i++) {
		struct str label = plan_resource_label(plan, depends_on[i], p->mem);

		resource->depends_on[resource->depends_on_count++] = label;
		json_set(behind, label,
			 json_new_string(p->mem, plan->resources[depends_on[i]].identity));
	}
	set(spec, "dependencies", behind);
	resource->checksum = plan_checksum(spec, p->mem);
	resource->identity = plan_checksum(plan_spec_part(spec, CHANGE_GATED, p->mem), p->mem);
	resource->session = plan_checksum(plan_spec_part(spec, CHANGE_IMPOSSIBLE, p->mem), p->mem);
	return plan->resource_count++;
}

/* What steps wait for: collected, then copied. */
struct waits {
	size_t list[PLAN_AFTER_MAX];
	size_t count;
};

static void wait_for(struct planner *p, struct waits *waits, size_t step)
{
	if (step == SIZE_MAX)
		return;
	if (waits->count == PLAN_AFTER_MAX)
		p->full = true;
	else
		waits->list[waits->count++] = step;
}

static size_t add_step(struct planner *p, struct plan_step step, const struct waits *waits)
{
	struct plan *plan = p->plan;
	size_t *after = arena_zalloc(p->mem, waits->count, sizeof(size_t));

	if (plan->step_count == STEPS_MAX || !after) {
		p->full = true;
		return SIZE_MAX;
	}
	for (size_t i = 0; i < waits->count; i++)
		after[i] = waits->list[i];
	step.after = after;
	step.after_count = waits->count;
	plan->steps[plan->step_count] = step;
	return plan->step_count++;
}

/* A gate behind `step`; returns what later steps wait for. */
static size_t add_gate(struct planner *p, struct str gate, const char *title, size_t resource,
		       struct str inputs, size_t step)
{
	struct waits waits = {0};

	wait_for(p, &waits, step);
	return add_step(
		p,
		(struct plan_step){.action = PLAN_GATE,
				   .name = arena_printf(p->mem, "approve." STR_FMT, STR_ARG(gate)),
				   .title = str_from(title),
				   .gate = gate,
				   .resource = resource,
				   .inputs = inputs},
		&waits);
}

static bool skips(const struct config_value *step, const char *flag,
		  const struct config_value *entry, const struct config_value *root)
{
	bool global = config_bool_or(config_get(root, "skipApprovals"), false);
	bool item = config_bool_or(config_get(entry, "skipApprovals"), global);

	return config_bool_or(config_get(step, flag), item);
}

/* --- Traffic --- */

static struct str buffer_of(const struct config_value *producer)
{
	return config_text_or(config_get(producer, "kafka"), STR("default"));
}

static size_t plan_buffer(struct planner *p, struct str name)
{
	const struct config_value *given =
		config_get_str(config_get(p->root, "kafkaClusterConfiguration"), name);
	size_t found = find_resource(p, "kafkacluster", name);
	struct json *spec = json_new(p->mem, JSON_OBJECT);

	if (found != PLAN_NO_RESOURCE)
		return found;
	set(spec, "cluster",
	    given ? plan_resolve(plan_schema("kafkaClusterConfiguration")->items, given, p->mem)
		  : json_new(p->mem, JSON_OBJECT));
	return add_resource(p, "kafkacluster", name, spec, NULL, 0);
}

static size_t plan_topic(struct planner *p, const struct config_value *producer)
{
	struct str topic = text_of(producer, "kafkaTopic");
	struct str name = arena_printf(p->mem, STR_FMT "-topic", STR_ARG(producer->key));
	size_t buffer = plan_buffer(p, buffer_of(producer));
	struct json *spec = json_new(p->mem, JSON_OBJECT);

	set_text(p, spec, "topic", topic.len > 0 ? topic : producer->key);
	return add_resource(p, "capturedtraffic", name, spec, &buffer, 1);
}

static void plan_proxy(struct planner *p, const struct config_value *proxy)
{
	const struct config_value *source =
		config_get_str(config_get(p->root, "sourceClusters"), text_of(proxy, "source"));
	size_t topic = plan_topic(p, proxy), resource, step;
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	struct waits waits = {0};
	struct str name = proxy->key;

	set(spec, "source", side(p, source));
	set(spec, "proxy",
	    section(p, "traffic.proxies.proxyConfig", config_get(proxy, "proxyConfig")));
	resource = add_resource(p, "captureproxy", name, spec, &topic, 1);
	if (resource == PLAN_NO_RESOURCE)
		return;
	wait_for(p, &waits, p->begin);
	step = add_step(p,
			(struct plan_step){.action = PLAN_CAPTURE,
					   .name = arena_printf(p->mem, "captureproxy." STR_FMT,
								STR_ARG(name)),
					   .title = STR("Capture Proxy"),
					   .resource = resource,
					   .inputs = p->plan->resources[resource].checksum},
			&waits);
	if (!skips(proxy, "skipApproval", NULL, p->root))
		add_gate(
			p,
			lower(p, arena_printf(p->mem, "captureproxysetup." STR_FMT, STR_ARG(name))),
			"Approve Capture Proxy Setup", resource,
			p->plan->resources[resource].identity, step);
}

/* The last step of a resource: its gate if it has one. */
static size_t last_step_of(const struct planner *p, size_t resource)
{
	for (size_t i = p->plan->step_count; i-- > 0;)
		if (p->plan->steps[i].resource == resource)
			return i;
	return SIZE_MAX;
}

/* --- Snapshots --- */

static bool takes_one_at_a_time(const struct config_value *source)
{
	struct str version = text_of(source, "version");
	bool modern = str_starts(version, STR("ES 8")) || str_starts(version, STR("ES 9")) ||
		      str_starts(version, STR("OS 2")) || str_starts(version, STR("OS 3"));

	return config_bool_or(
		config_get(config_get(source, "snapshotInfo"), "serializeSnapshotCreation"),
		!modern);
}

/* No write may fall between the start of the capture and the snapshot. */
static size_t wait_for_proxies(struct planner *p, struct str source, struct waits *waits,
			       size_t *depends_on)
{
	size_t count = 0;

	config_each (proxy, config_get(config_get(p->root, "traffic"), "proxies")) {
		size_t resource = find_resource(p, "captureproxy", proxy->key);

		if (!str_eq(text_of(proxy, "source"), source) || resource == PLAN_NO_RESOURCE ||
		    count == PLAN_AFTER_MAX)
			continue;
		depends_on[count++] = resource;
		wait_for(p, waits, last_step_of(p, resource));
	}
	return count;
}

static size_t snapshot_before(const struct planner *p, struct str source)
{
	for (size_t i = p->plan->step_count; i-- > 0;) {
		const struct plan_step *step = &p->plan->steps[i];

		if (step->action == PLAN_SNAPSHOT_CREATE &&
		    str_eq(json_string(json_path(p->plan->resources[step->resource].spec, "source",
						 "name", NULL)),
			   source))
			return i;
	}
	return SIZE_MAX;
}

static struct json *snapshot_spec(struct planner *p, const struct config_value *source,
				  const struct config_value *snapshot)
{
	const struct config_value *info = config_get(source, "snapshotInfo"), *config;
	struct str name = text_of(snapshot, "repoName");
	struct json *spec = json_new(p->mem, JSON_OBJECT), *repository;

	config = config_get(snapshot, "config");
	repository = plan_resolve(plan_schema("sourceClusters.snapshotInfo.repos")->items,
				  config_get_str(config_get(info, "repos"), name), p->mem);
	set_text(p, repository, "name", name);
	set(spec, "source", side(p, source));
	set(spec, "repository", repository);
	set_text(p, spec, "snapshot", snapshot->key);
	if (config_get(config, "createSnapshotConfig"))
		set(spec, "create",
		    section(p, "sourceClusters.snapshotInfo.snapshots.config.createSnapshotConfig",
			    config_get(config, "createSnapshotConfig")));
	else
		set_text(p, spec, "external", text_of(config, "externallyManagedSnapshotName"));
	return spec;
}

static size_t plan_snapshot(struct planner *p, const struct config_value *source,
			    const struct config_value *snapshot)
{
	struct str name = arena_printf(p->mem, STR_FMT "-" STR_FMT, STR_ARG(source->key),
				       STR_ARG(snapshot->key));
	size_t resource = find_resource(p, "datasnapshot", name), proxies[PLAN_AFTER_MAX];
	struct waits waits = {0};
	size_t count;
	struct json *spec;
	bool create;

	if (resource != PLAN_NO_RESOURCE)
		return resource;
	spec = snapshot_spec(p, source, snapshot);
	create = json_get(spec, "create") != NULL;
	wait_for(p, &waits, p->begin);
	count = wait_for_proxies(p, source->key, &waits, proxies);
	if (create && takes_one_at_a_time(source))
		wait_for(p, &waits, snapshot_before(p, source->key));
	resource = add_resource(p, "datasnapshot", name, spec, proxies, count);
	if (resource != PLAN_NO_RESOURCE)
		add_step(
			p,
			(struct plan_step){
				.action = create ? PLAN_SNAPSHOT_CREATE : PLAN_SNAPSHOT_EXTERNAL,
				.name = arena_printf(p->mem, "%s." STR_FMT,
						     create ? "createsnapshot" : "externalsnapshot",
						     STR_ARG(name)),
				.title = create ? STR("Create Snapshot") : STR("External Snapshot"),
				.resource = resource,
				.inputs = p->plan->resources[resource].session},
			&waits);
	return resource;
}

/* --- Migrations --- */

/* The checksum of what a step of a migration reads: where from and to, and its own part. */
static struct str inputs_of(struct planner *p, const struct json *spec, const char *tag,
			    const char *part)
{
	struct json *read = json_new(p->mem, JSON_OBJECT);
	struct json *sides = plan_spec_part(spec, CHANGE_IMPOSSIBLE, p->mem);

	json_remove(sides, STR("metadata"));
	json_remove(sides, STR("backfill"));
	json_remove(sides, STR("verify"));
	json_set(read, STR("sides"), sides);
	set_text(p, read, "step", str_from(tag));
	set(read, "part", json_copy(p->mem, json_get(spec, part)));
	return plan_checksum(read, p->mem);
}

struct migration_step {
	enum plan_action action;
	const char *tag, *title, *approve, *part;
	bool asks;
};

static size_t add_migration_step(struct planner *p, size_t resource, size_t previous,
				 const struct migration_step *step)
{
	const struct plan_resource *owner = &p->plan->resources[resource];
	struct str inputs = inputs_of(p, owner->spec, step->tag, step->part);
	struct waits waits = {0};
	size_t added;

	wait_for(p, &waits, previous);
	added = add_step(p,
			 (struct plan_step){.action = step->action,
					    .name = arena_printf(p->mem, "%s." STR_FMT, step->tag,
								 STR_ARG(owner->name)),
					    .title = str_from(step->title),
					    .resource = resource,
					    .inputs = inputs},
			 &waits);
	if (!step->asks)
		return added;
	return add_gate(
		p, lower(p, arena_printf(p->mem, "%s." STR_FMT, step->tag, STR_ARG(owner->name))),
		step->approve, resource, inputs, added);
}

static void add_migration_steps(struct planner *p, size_t resource, size_t snapshot,
				const struct config_value *entry,
				const struct config_value *migration)
{
	const struct config_value *metadata = config_get(migration, "metadataMigrationConfig");
	const struct config_value *backfill = config_get(migration, "documentBackfillConfig");
	const struct config_value *verify = config_get(migration, "verifyConfig");
	const struct migration_step steps[] = {
		{PLAN_METADATA_EVALUATE, "evaluatemetadata", "Evaluate Metadata",
		 "Approve Evaluate Metadata", "metadata",
		 !skips(metadata, "skipEvaluateApproval", entry, p->root)},
		{PLAN_METADATA_MIGRATE, "migratemetadata", "Migrate Metadata",
		 "Approve Migrate Metadata", "metadata",
		 !skips(metadata, "skipMigrateApproval", entry, p->root)},
		{PLAN_BACKFILL, "documentbackfill", "Document Backfill",
		 "Approve Document Backfill", "backfill",
		 !skips(backfill, "skipApproval", entry, p->root)},
		{PLAN_VERIFY, "verify", "Verify", "Approve Verify", "verify",
		 !skips(verify, "skipApproval", entry, p->root)},
	};
	const bool wanted[] = {metadata, metadata, backfill, verify};
	size_t previous = last_step_of(p, snapshot);

	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (wanted[i])
			previous = add_migration_step(p, resource, previous, &steps[i]);
}

static void plan_migration(struct planner *p, const struct config_value *entry, size_t snapshot,
			   const struct config_value *migration, size_t number)
{
	const struct config_value *target =
		config_get_str(config_get(p->root, "targetClusters"), text_of(entry, "toTarget"));
	const struct json *taken = p->plan->resources[snapshot].spec;
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	struct str label = text_of(migration, "label"), name;
	size_t resource;

	if (label.len == 0)
		label = arena_printf(p->mem, "migration-%zu", number);
	name = arena_printf(p->mem, STR_FMT "-" STR_FMT "-" STR_FMT "-" STR_FMT,
			    STR_ARG(text_of(entry, "fromSource")), STR_ARG(target->key),
			    STR_ARG(json_string(json_get(taken, "snapshot"))), STR_ARG(label));
	set(spec, "source", json_copy(p->mem, json_get(taken, "source")));
	set(spec, "repository", json_copy(p->mem, json_get(taken, "repository")));
	set(spec, "target", side(p, target));
	set_text(p, spec, "label", label);
	set(spec, "metadata",
	    section(p, "snapshotMigrationConfigs.perSnapshotConfig.metadataMigrationConfig",
		    config_get(migration, "metadataMigrationConfig")));
	set(spec, "backfill",
	    section(p, "snapshotMigrationConfigs.perSnapshotConfig.documentBackfillConfig",
		    config_get(migration, "documentBackfillConfig")));
	set(spec, "verify",
	    section(p, "snapshotMigrationConfigs.perSnapshotConfig.verifyConfig",
		    config_get(migration, "verifyConfig")));
	resource = add_resource(p, "snapshotmigration", name, spec, &snapshot, 1);
	if (resource != PLAN_NO_RESOURCE)
		add_migration_steps(p, resource, snapshot, entry, migration);
}

static void plan_entry(struct planner *p, const struct config_value *entry)
{
	const struct config_value *source =
		config_get_str(config_get(p->root, "sourceClusters"), text_of(entry, "fromSource"));
	const struct config_value *snapshots =
		config_get(config_get(source, "snapshotInfo"), "snapshots");

	config_each (migrations, config_get(entry, "perSnapshotConfig")) {
		const struct config_value *snapshot = config_get_str(snapshots, migrations->key);
		size_t resource, number = 0;

		if (!snapshot)
			continue; /* of Solr, which plan_check_supported names */
		resource = plan_snapshot(p, source, snapshot);
		if (resource == PLAN_NO_RESOURCE)
			return;
		config_each (migration, migrations)
			plan_migration(p, entry, resource, migration, number++);
	}
}

/* --- Replay --- */

/* What a replayer waits for: the buffer it reads, and the migrations that it names. */
static size_t replay_depends_on(struct planner *p, const struct config_value *replayer,
				struct waits *waits, size_t *depends_on)
{
	struct str from = text_of(replayer, "fromCapturedTraffic");
	size_t proxy = find_resource(p, "captureproxy", from), count = 0;

	if (proxy != PLAN_NO_RESOURCE) {
		depends_on[count++] = proxy;
		wait_for(p, waits, last_step_of(p, proxy));
	} else {
		depends_on[count++] =
			find_resource(p, "capturedtraffic",
				      arena_printf(p->mem, STR_FMT "-topic", STR_ARG(from)));
	}
	config_each (dependency, config_get(replayer, "dependsOnSnapshotMigrations"))
		for (size_t i = 0; i < p->plan->resource_count && count < PLAN_AFTER_MAX; i++) {
			const struct plan_resource *resource = &p->plan->resources[i];
			struct str snapshot =
				arena_printf(p->mem, "datasnapshot." STR_FMT "-" STR_FMT,
					     STR_ARG(text_of(dependency, "source")),
					     STR_ARG(text_of(dependency, "snapshot")));

			if (!str_is(resource->kind, "snapshotmigration") ||
			    !str_eq(resource->depends_on[0], snapshot))
				continue;
			depends_on[count++] = i;
			wait_for(p, waits, last_step_of(p, i));
		}
	return count;
}

static void plan_replayer(struct planner *p, const struct config_value *replayer)
{
	const struct config_value *target = config_get_str(config_get(p->root, "targetClusters"),
							   text_of(replayer, "toTarget"));
	struct str from = text_of(replayer, "fromCapturedTraffic"), name;
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	size_t depends_on[PLAN_AFTER_MAX], count, resource, step;
	struct waits waits = {0};

	name = arena_printf(p->mem, STR_FMT "-" STR_FMT "-" STR_FMT, STR_ARG(from),
			    STR_ARG(target->key), STR_ARG(replayer->key));
	wait_for(p, &waits, p->begin);
	count = replay_depends_on(p, replayer, &waits, depends_on);
	set(spec, "target", side(p, target));
	set(spec, "replayer",
	    plan_resolve(plan_schema("traffic.replayers.replayerConfig"),
			 config_get(replayer, "replayerConfig"), p->mem));
	resource = add_resource(p, "trafficreplay", name, spec, depends_on, count);
	if (resource == PLAN_NO_RESOURCE)
		return;
	step = add_step(p,
			(struct plan_step){.action = PLAN_REPLAY,
					   .name = arena_printf(p->mem, "trafficreplay." STR_FMT,
								STR_ARG(name)),
					   .title = STR("Traffic Replay"),
					   .resource = resource,
					   .inputs = p->plan->resources[resource].checksum},
			&waits);
	if (!config_bool_or(config_get(replayer, "cutOver"), false))
		return;
	step = add_gate(p, lower(p, arena_printf(p->mem, "cutover." STR_FMT, STR_ARG(name))),
			"Approve Cut Over", resource, p->plan->resources[resource].checksum, step);
	waits.count = 0;
	wait_for(p, &waits, step);
	add_step(p,
		 (struct plan_step){.action = PLAN_CUT_OVER,
				    .name = arena_printf(p->mem, "cutover." STR_FMT, STR_ARG(name)),
				    .title = STR("Cut Over"),
				    .resource = resource,
				    .inputs = p->plan->resources[resource].checksum},
		 &waits);
}

int plan_make(const struct config_value *root, struct arena *mem, struct plan *out, struct err *err)
{
	const struct config_value *traffic = config_get(root, "traffic");
	struct planner p = {.root = root, .mem = mem, .plan = out, .begin = SIZE_MAX};

	*out = (struct plan){.resources =
				     arena_zalloc(mem, STEPS_MAX, sizeof(struct plan_resource)),
			     .steps = arena_zalloc(mem, STEPS_MAX, sizeof(struct plan_step))};
	if (!out->resources || !out->steps)
		return arena_fail(mem, "the plan", err);
	if (config_bool_or(config_get(root, "requireBeginApproval"), false))
		p.begin = add_gate(&p, STR("begin"), "Approve Begin", PLAN_NO_RESOURCE, STR(""),
				   SIZE_MAX);
	config_each (proxy, config_get(traffic, "proxies"))
		plan_proxy(&p, proxy);
	config_each (recorded, config_get(traffic, "s3Sources"))
		plan_topic(&p, recorded);
	config_each (entry, config_get(root, "snapshotMigrationConfigs"))
		plan_entry(&p, entry);
	config_each (replayer, config_get(traffic, "replayers"))
		plan_replayer(&p, replayer);
	if (p.full)
		return err_set(err, ERR_LIMIT,
			       "the configuration makes more than %d steps, or one that waits for "
			       "more than %d others; divide it into several workflows",
			       STEPS_MAX, PLAN_AFTER_MAX);
	return mem->failed ? arena_fail(mem, "the plan", err) : 0;
}

/* Given, and not what it is anyway. */
static bool is_used(const struct json *value)
{
	return value && value->type != JSON_NULL && value->type != JSON_FALSE &&
	       !(value->type == JSON_ARRAY && value->count == 0);
}

static int check_migration_fields(const struct plan_resource *resource, struct err *err)
{
	static const char *const parts[] = {"metadata", "backfill"};
	static const char *const unknown[] = {"metadataTransforms", "documentTransforms",
					      "enableSourcelessMigrations", "useRecoverySource",
					      "failedDocumentStreamS3Bucket"};

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		for (size_t j = 0; j < COUNT_OF(unknown); j++)
			if (is_used(json_path(resource->spec, parts[i], unknown[j], NULL)))
				return err_set(err, ERR_UNSUPPORTED,
					       STR_FMT
					       "." STR_FMT
					       ": this build cannot carry out '%s'; take it "
					       "out (transforms: give transformerConfig or "
					       "docTransformerConfig)",
					       STR_ARG(resource->kind), STR_ARG(resource->name),
					       unknown[j]);
	return 0;
}

int plan_check_supported(const struct config_value *root, const struct plan *plan, struct err *err)
{
	static const char *const missing[] = {[PLAN_CAPTURE] = "capture proxies",
					      [PLAN_REPLAY] = "replayers",
					      [PLAN_CUT_OVER] = "cut-over"};

	config_each (source, config_get(root, "sourceClusters"))
		if (str_starts(text_of(source, "version"), STR("SOLR")))
			return err_set(err, ERR_UNSUPPORTED,
				       "sourceClusters." STR_FMT " is " STR_FMT
				       ": Solr cannot be migrated by this program; take the "
				       "source out",
				       STR_ARG(source->key), STR_ARG(text_of(source, "version")));
	for (size_t i = 0; i < plan->resource_count; i++)
		if (check_migration_fields(&plan->resources[i], err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];

		if ((size_t)step->action < COUNT_OF(missing) && missing[step->action])
			return err_set(err, ERR_UNSUPPORTED,
				       "step " STR_FMT ": the workflow of this build cannot run "
				       "%s yet; take 'traffic' out to migrate the rest",
				       STR_ARG(step->name), missing[step->action]);
	}
	return 0;
}
