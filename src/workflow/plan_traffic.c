#include "workflow/plan_internal.h"

#include "workflow/plan_spec.h"

#include <inttypes.h>

static struct str buffer_of(const struct config_value *producer)
{
	return config_text_or(config_get(producer, "kafka"), STR("default"));
}

static size_t plan_buffer(struct planner *p, struct str name)
{
	const struct config_value *given =
		config_get_str(config_get(p->root, "kafkaClusterConfiguration"), name);
	size_t found = plan_find_resource(p, "kafkacluster", name);
	struct json *spec = json_new(p->mem, JSON_OBJECT);

	if (found != PLAN_NO_RESOURCE)
		return found;
	plan_set(
		spec, "cluster",
		given ? plan_resolve(plan_schema("kafkaClusterConfiguration")->items, given, p->mem)
		      : json_new(p->mem, JSON_OBJECT));
	return plan_add_resource(p, "kafkacluster", name, spec, NULL, 0);
}

size_t plan_topic(struct planner *p, const struct config_value *producer)
{
	struct str topic = plan_text_of(producer, "kafkaTopic");
	struct str name = arena_printf(p->mem, STR_FMT "-topic", STR_ARG(producer->key));
	size_t buffer = plan_buffer(p, buffer_of(producer));
	struct json *spec = json_new(p->mem, JSON_OBJECT);

	plan_set_text(p, spec, "topic", topic.len > 0 ? topic : producer->key);
	return plan_add_resource(p, "capturedtraffic", name, spec, &buffer, 1);
}

void plan_proxy(struct planner *p, const struct config_value *proxy)
{
	const struct config_value *source = config_get_str(config_get(p->root, "sourceClusters"),
							   plan_text_of(proxy, "source"));
	size_t topic = plan_topic(p, proxy), resource, step;
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	struct plan_waits waits = {0};
	struct str name = proxy->key;

	plan_set(spec, "source", plan_side(p, source));
	plan_set(spec, "proxy",
		 plan_section(p, "traffic.proxies.proxyConfig", config_get(proxy, "proxyConfig")));
	resource = plan_add_resource(p, "captureproxy", name, spec, &topic, 1);
	if (resource == PLAN_NO_RESOURCE)
		return;
	plan_wait_for(p, &waits, p->begin);
	step = plan_add_step(
		p,
		(struct plan_step){
			.action = PLAN_CAPTURE,
			.name = arena_printf(p->mem, "captureproxy." STR_FMT, STR_ARG(name)),
			.title = STR("Capture Proxy"),
			.resource = resource,
			.inputs = p->plan->resources[resource].checksum},
		&waits);
	if (!plan_skips(proxy, "skipApproval", NULL, p->root))
		plan_add_gate(p,
			      plan_lower(p, arena_printf(p->mem, "captureproxysetup." STR_FMT,
							 STR_ARG(name))),
			      "Approve Capture Proxy Setup", resource,
			      p->plan->resources[resource].identity, step);
}

/* What a replayer waits for: the buffer it reads, and the migrations that it names. */
static size_t replay_depends_on(struct planner *p, const struct config_value *replayer,
				struct plan_waits *waits, size_t *depends_on)
{
	struct str from = plan_text_of(replayer, "fromCapturedTraffic");
	size_t proxy = plan_find_resource(p, "captureproxy", from), count = 0;

	if (proxy != PLAN_NO_RESOURCE) {
		depends_on[count++] = proxy;
		plan_wait_for(p, waits, plan_last_step_of(p, proxy));
	} else {
		depends_on[count++] =
			plan_find_resource(p, "capturedtraffic",
					   arena_printf(p->mem, STR_FMT "-topic", STR_ARG(from)));
	}
	config_each (dependency, config_get(replayer, "dependsOnSnapshotMigrations"))
		for (size_t i = 0; i < p->plan->resource_count && count < PLAN_AFTER_MAX; i++) {
			const struct plan_resource *resource = &p->plan->resources[i];
			struct str snapshot =
				arena_printf(p->mem, "datasnapshot." STR_FMT "-" STR_FMT,
					     STR_ARG(plan_text_of(dependency, "source")),
					     STR_ARG(plan_text_of(dependency, "snapshot")));

			if (!str_is(resource->kind, "snapshotmigration") ||
			    !str_eq(resource->depends_on[0], snapshot))
				continue;
			depends_on[count++] = i;
			plan_wait_for(p, waits, plan_last_step_of(p, i));
		}
	return count;
}

/* The proxy that clients pass on their way to the target; its URL is kept in the spec. */
static size_t plan_through(struct planner *p, const struct config_value *replayer,
			   struct json *spec)
{
	struct str name = plan_text_of(replayer, "cutOverThrough");
	size_t through = plan_find_resource(p, "captureproxy", name);
	const struct json *proxy;
	struct str host;

	if (through == PLAN_NO_RESOURCE)
		return through;
	proxy = json_get(p->plan->resources[through].spec, "proxy");
	host = json_string(json_get(proxy, "listenHost"));
	plan_set_text(p, spec, "through",
		      arena_printf(p->mem, "http://" STR_FMT ":%" PRId64,
				   STR_ARG(str_is(host, "0.0.0.0") ? STR("127.0.0.1") : host),
				   json_i64_or(json_get(proxy, "listenPort"), 0)));
	return through;
}

void plan_replayer(struct planner *p, const struct config_value *replayer)
{
	const struct config_value *target = config_get_str(config_get(p->root, "targetClusters"),
							   plan_text_of(replayer, "toTarget"));
	struct str from = plan_text_of(replayer, "fromCapturedTraffic"), name;
	struct json *spec = json_new(p->mem, JSON_OBJECT);
	size_t depends_on[PLAN_AFTER_MAX], count, resource, step, through;
	struct plan_waits waits = {0};

	name = arena_printf(p->mem, STR_FMT "-" STR_FMT "-" STR_FMT, STR_ARG(from),
			    STR_ARG(target->key), STR_ARG(replayer->key));
	plan_wait_for(p, &waits, p->begin);
	count = replay_depends_on(p, replayer, &waits, depends_on);
	plan_set(spec, "target", plan_side(p, target));
	plan_set(spec, "replayer",
		 plan_resolve(plan_schema("traffic.replayers.replayerConfig"),
			      config_get(replayer, "replayerConfig"), p->mem));
	through = plan_through(p, replayer, spec);
	resource = plan_add_resource(p, "trafficreplay", name, spec, depends_on, count);
	if (resource == PLAN_NO_RESOURCE)
		return;
	step = plan_add_step(
		p,
		(struct plan_step){
			.action = PLAN_REPLAY,
			.name = arena_printf(p->mem, "trafficreplay." STR_FMT, STR_ARG(name)),
			.title = STR("Traffic Replay"),
			.resource = resource,
			.inputs = p->plan->resources[resource].checksum},
		&waits);
	if (!config_bool_or(config_get(replayer, "cutOver"), false))
		return;
	step = plan_add_gate(
		p, plan_lower(p, arena_printf(p->mem, "cutover." STR_FMT, STR_ARG(name))),
		"Approve Cut Over", resource, p->plan->resources[resource].checksum, step);
	waits.count = 0;
	plan_wait_for(p, &waits, step);
	if (through != PLAN_NO_RESOURCE)
		plan_wait_for(p, &waits, plan_last_step_of(p, through));
	plan_add_step(
		p,
		(struct plan_step){.action = PLAN_CUT_OVER,
				   .name = arena_printf(p->mem, "cutover." STR_FMT, STR_ARG(name)),
				   .title = STR("Cut Over"),
				   .resource = resource,
				   .inputs = p->plan->resources[resource].checksum},
		&waits);
}

bool plan_is_replayed(const struct planner *p, struct str source, struct str target)
{
	const struct config_value *traffic = config_get(p->root, "traffic");

	config_each (replayer, config_get(traffic, "replayers")) {
		const struct config_value *proxy =
			config_get_str(config_get(traffic, "proxies"),
				       plan_text_of(replayer, "fromCapturedTraffic"));

		if (proxy && str_eq(plan_text_of(proxy, "source"), source) &&
		    str_eq(plan_text_of(replayer, "toTarget"), target))
			return true;
	}
	return false;
}
