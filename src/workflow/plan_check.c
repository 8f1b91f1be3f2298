#include "workflow/plan_internal.h"

#include "workflow/plan_spec.h"

/* The repository of the first snapshot of an entry, and which one is looked for in it. */
static void add_repository(struct planner *p, struct json *spec, const struct config_value *source,
			   const struct config_value *entry)
{
	const struct config_value *info = config_get(source, "snapshotInfo"), *snapshot, *config;
	const struct config_value *chosen = config_get(entry, "perSnapshotConfig");
	struct json *repository;

	chosen = chosen ? chosen->first : NULL;
	snapshot = chosen ? config_get_str(config_get(info, "snapshots"), chosen->key) : NULL;
	if (!snapshot)
		return;
	repository = plan_resolve(
		plan_schema("sourceClusters.snapshotInfo.repos")->items,
		config_get_str(config_get(info, "repos"), plan_text_of(snapshot, "repoName")),
		p->mem);
	plan_set(spec, "repository", repository);
	config = config_get(snapshot, "config");
	plan_set_text(p, spec, "snapshot", plan_text_of(config, "externallyManagedSnapshotName"));
}

static bool is_checked(const struct planner *p, struct str name)
{
	for (size_t i = 0; i < p->plan->step_count; i++)
		if (str_eq(p->plan->steps[i].name, name))
			return true;
	return false;
}

/* `entry` NULL: they have to do with one another by live traffic. */
static void add_check(struct planner *p, struct str from, struct str to,
		      const struct config_value *entry)
{
	const struct config_value *source =
		config_get_str(config_get(p->root, "sourceClusters"), from);
	const struct config_value *target =
		config_get_str(config_get(p->root, "targetClusters"), to);
	struct str name = arena_printf(p->mem, "checkconnection." STR_FMT "-" STR_FMT,
				       STR_ARG(from), STR_ARG(to));
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	struct plan_waits waits = {0};

	if (!source || !target || is_checked(p, name))
		return;
	plan_set(spec, "source", plan_side(p, source));
	plan_set(spec, "target", plan_side(p, target));
	add_repository(p, spec, source, entry);
	plan_wait_for(p, &waits, p->begin);
	p->begin = plan_add_step(p,
				 (struct plan_step){.action = PLAN_CHECK,
						    .name = name,
						    .title = STR("Check Connection"),
						    .resource = PLAN_NO_RESOURCE,
						    .spec = spec,
						    .inputs = STR("")},
				 &waits);
}

void plan_checks(struct planner *p)
{
	const struct config_value *traffic = config_get(p->root, "traffic"), *proxy;

	config_each (entry, config_get(p->root, "snapshotMigrationConfigs"))
		add_check(p, plan_text_of(entry, "fromSource"), plan_text_of(entry, "toTarget"),
			  entry);
	config_each (replayer, config_get(traffic, "replayers")) {
		proxy = config_get_str(config_get(traffic, "proxies"),
				       plan_text_of(replayer, "fromCapturedTraffic"));
		if (proxy)
			add_check(p, plan_text_of(proxy, "source"),
				  plan_text_of(replayer, "toTarget"), NULL);
	}
}
