#include "workflow/plan_internal.h"

#include "workflow/plan_spec.h"

/* --- Snapshots --- */

static bool takes_one_at_a_time(const struct config_value *source)
{
	struct str version = plan_text_of(source, "version");
	bool modern = str_starts(version, STR("ES 8")) || str_starts(version, STR("ES 9")) ||
		      str_starts(version, STR("OS 2")) || str_starts(version, STR("OS 3"));

	return config_bool_or(
		config_get(config_get(source, "snapshotInfo"), "serializeSnapshotCreation"),
		!modern);
}

/* No write may fall between the start of the capture and the snapshot. */
static size_t wait_for_proxies(struct planner *p, struct str source, struct plan_waits *waits,
			       size_t *depends_on)
{
	size_t count = 0;

	config_each (proxy, config_get(config_get(p->root, "traffic"), "proxies")) {
		size_t resource = plan_find_resource(p, "captureproxy", proxy->key);

		if (!str_eq(plan_text_of(proxy, "source"), source) ||
		    resource == PLAN_NO_RESOURCE || count == PLAN_AFTER_MAX)
			continue;
		depends_on[count++] = resource;
		plan_wait_for(p, waits, plan_last_step_of(p, resource));
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
	struct str name = plan_text_of(snapshot, "repoName");
	struct json *spec = json_new(p->mem, JSON_OBJECT), *repository;

	config = config_get(snapshot, "config");
	repository = plan_resolve(plan_schema("sourceClusters.snapshotInfo.repos")->items,
				  config_get_str(config_get(info, "repos"), name), p->mem);
	plan_set_text(p, repository, "name", name);
	plan_set(spec, "source", plan_side(p, source));
	plan_set(spec, "repository", repository);
	plan_set_text(p, spec, "snapshot", snapshot->key);
	if (config_get(config, "createSnapshotConfig"))
		plan_set(
			spec, "create",
			plan_section(
				p,
				"sourceClusters.snapshotInfo.snapshots.config.createSnapshotConfig",
				config_get(config, "createSnapshotConfig")));
	else
		plan_set_text(p, spec, "external",
			      plan_text_of(config, "externallyManagedSnapshotName"));
	return spec;
}

static size_t plan_snapshot(struct planner *p, const struct config_value *source,
			    const struct config_value *snapshot)
{
	struct str name = arena_printf(p->mem, STR_FMT "-" STR_FMT, STR_ARG(source->key),
				       STR_ARG(snapshot->key));
	size_t resource = plan_find_resource(p, "datasnapshot", name), proxies[PLAN_AFTER_MAX];
	struct plan_waits waits = {0};
	size_t count;
	struct json *spec;
	bool create;

	if (resource != PLAN_NO_RESOURCE)
		return resource;
	spec = snapshot_spec(p, source, snapshot);
	create = json_get(spec, "create") != NULL;
	plan_wait_for(p, &waits, p->begin);
	count = wait_for_proxies(p, source->key, &waits, proxies);
	if (create && takes_one_at_a_time(source))
		plan_wait_for(p, &waits, snapshot_before(p, source->key));
	resource = plan_add_resource(p, "datasnapshot", name, spec, proxies, count);
	if (resource != PLAN_NO_RESOURCE)
		plan_add_step(
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
	plan_set_text(p, read, "step", str_from(tag));
	plan_set(read, "part", json_copy(p->mem, json_get(spec, part)));
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
	struct plan_waits waits = {0};
	size_t added;

	plan_wait_for(p, &waits, previous);
	added = plan_add_step(
		p,
		(struct plan_step){.action = step->action,
				   .name = arena_printf(p->mem, "%s." STR_FMT, step->tag,
							STR_ARG(owner->name)),
				   .title = str_from(step->title),
				   .resource = resource,
				   .inputs = inputs},
		&waits);
	if (!step->asks)
		return added;
	return plan_add_gate(
		p,
		plan_lower(p, arena_printf(p->mem, "%s." STR_FMT, step->tag, STR_ARG(owner->name))),
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
		 !plan_skips(metadata, "skipEvaluateApproval", entry, p->root)},
		{PLAN_METADATA_MIGRATE, "migratemetadata", "Migrate Metadata",
		 "Approve Migrate Metadata", "metadata",
		 !plan_skips(metadata, "skipMigrateApproval", entry, p->root)},
		{PLAN_BACKFILL, "documentbackfill", "Document Backfill",
		 "Approve Document Backfill", "backfill",
		 !plan_skips(backfill, "skipApproval", entry, p->root)},
		{PLAN_VERIFY, "verify", "Verify", "Approve Verify", "verify",
		 !plan_skips(verify, "skipApproval", entry, p->root)},
	};
	const bool wanted[] = {metadata, metadata, backfill, verify};
	size_t previous = plan_last_step_of(p, snapshot);

	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (wanted[i])
			previous = add_migration_step(p, resource, previous, &steps[i]);
}

static void plan_migration(struct planner *p, const struct config_value *entry, size_t snapshot,
			   const struct config_value *migration, size_t number)
{
	const struct config_value *target = config_get_str(config_get(p->root, "targetClusters"),
							   plan_text_of(entry, "toTarget"));
	const struct json *taken = p->plan->resources[snapshot].spec;
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	struct str label = plan_text_of(migration, "label"), name;
	size_t resource;

	if (label.len == 0)
		label = arena_printf(p->mem, "migration-%zu", number);
	name = arena_printf(p->mem, STR_FMT "-" STR_FMT "-" STR_FMT "-" STR_FMT,
			    STR_ARG(plan_text_of(entry, "fromSource")), STR_ARG(target->key),
			    STR_ARG(json_string(json_get(taken, "snapshot"))), STR_ARG(label));
	plan_set(spec, "source", json_copy(p->mem, json_get(taken, "source")));
	plan_set(spec, "repository", json_copy(p->mem, json_get(taken, "repository")));
	plan_set(spec, "target", plan_side(p, target));
	plan_set_text(p, spec, "label", label);
	if (plan_is_replayed(p, plan_text_of(entry, "fromSource"), target->key) ||
	    config_bool_or(
		    config_get(config_get(migration, "documentBackfillConfig"), "sourceVersions"),
		    false))
		plan_set(spec, "sourceVersions", json_new_bool(p->mem, true));
	plan_set(spec, "metadata",
		 plan_section(p,
			      "snapshotMigrationConfigs.perSnapshotConfig.metadataMigrationConfig",
			      config_get(migration, "metadataMigrationConfig")));
	plan_set(spec, "backfill",
		 plan_section(p,
			      "snapshotMigrationConfigs.perSnapshotConfig.documentBackfillConfig",
			      config_get(migration, "documentBackfillConfig")));
	plan_set(spec, "verify",
		 plan_section(p, "snapshotMigrationConfigs.perSnapshotConfig.verifyConfig",
			      config_get(migration, "verifyConfig")));
	resource = plan_add_resource(p, "snapshotmigration", name, spec, &snapshot, 1);
	if (resource != PLAN_NO_RESOURCE)
		add_migration_steps(p, resource, snapshot, entry, migration);
}

static void plan_entry(struct planner *p, const struct config_value *entry)
{
	const struct config_value *source = config_get_str(config_get(p->root, "sourceClusters"),
							   plan_text_of(entry, "fromSource"));
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

int plan_make(const struct config_value *root, struct arena *mem, struct plan *out, struct err *err)
{
	const struct config_value *traffic = config_get(root, "traffic");
	struct planner p = {.root = root, .mem = mem, .plan = out, .begin = SIZE_MAX};

	*out = (struct plan){
		.resources = arena_zalloc(mem, PLAN_STEPS_MAX, sizeof(struct plan_resource)),
		.steps = arena_zalloc(mem, PLAN_STEPS_MAX, sizeof(struct plan_step))};
	if (!out->resources || !out->steps)
		return arena_fail(mem, "the plan", err);
	plan_checks(&p);
	if (config_bool_or(config_get(root, "requireBeginApproval"), false))
		p.begin = plan_add_gate(&p, STR("begin"), "Approve Begin", PLAN_NO_RESOURCE,
					STR(""), p.begin);
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
			       PLAN_STEPS_MAX, PLAN_AFTER_MAX);
	return mem->failed ? arena_fail(mem, "the plan", err) : 0;
}
