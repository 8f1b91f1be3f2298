#include "workflow/plan_internal.h"

#include "workflow/plan_spec.h"

#include <ctype.h>

struct str plan_text_of(const struct config_value *map, const char *key)
{
	return config_text_or(config_get(map, key), STR_NONE);
}

struct str plan_lower(struct planner *p, struct str text)
{
	char *copy = arena_zalloc(p->mem, text.len + 1, 1);

	for (size_t i = 0; copy && i < text.len; i++)
		copy[i] = (char)tolower((unsigned char)text.ptr[i]);
	return (struct str){copy, copy ? text.len : 0};
}

void plan_set_text(struct planner *p, struct json *object, const char *key, struct str value)
{
	json_set(object, str_from(key), json_new_string(p->mem, value));
}

/* Members of a cluster that its resources keep. */
struct json *plan_side(struct planner *p, const struct config_value *cluster)
{
	static const char *const members[] = {"endpoint", "allowInsecure", "authConfig", "version"};
	const struct schema *schema =
		plan_schema(config_get_str(config_get(p->root, "sourceClusters"), cluster->key)
				    ? "sourceClusters"
				    : "targetClusters")
			->items;
	struct json *all = plan_resolve(schema, cluster, p->mem);
	struct json *out = json_new(p->mem, JSON_OBJECT);

	plan_set_text(p, out, "name", cluster->key);
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		struct json *member = json_remove(all, str_from(members[i]));

		if (member)
			json_set(out, str_from(members[i]), member);
	}
	return out;
}

struct json *plan_section(struct planner *p, const char *path, const struct config_value *value)
{
	return value ? plan_resolve(plan_schema(path), value, p->mem) : NULL;
}

void plan_set(struct json *object, const char *key, struct json *value)
{
	if (value)
		json_set(object, str_from(key), value);
}

const struct plan_resource *plan_resource_of(const struct plan *plan, struct str label)
{
	for (size_t i = 0; i < plan->resource_count; i++) {
		const struct plan_resource *resource = &plan->resources[i];

		if (label.len == resource->kind.len + 1 + resource->name.len &&
		    str_starts(label, resource->kind) &&
		    str_eq(str_from_offset(label, resource->kind.len + 1), resource->name))
			return resource;
	}
	return NULL;
}

struct str plan_resource_label(const struct plan *plan, size_t resource, struct arena *mem)
{
	if (resource == PLAN_NO_RESOURCE)
		return STR("");
	return arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(plan->resources[resource].kind),
			    STR_ARG(plan->resources[resource].name));
}

size_t plan_find_resource(const struct planner *p, const char *kind, struct str name)
{
	for (size_t i = 0; i < p->plan->resource_count; i++)
		if (str_is(p->plan->resources[i].kind, kind) &&
		    str_eq(p->plan->resources[i].name, name))
			return i;
	return PLAN_NO_RESOURCE;
}

/* Gated members of a proxy that change nothing of what it records. */
static const char *const unseen[] = {
	"setHeader",        "maxTrafficBufferSize", "tls",  "enableMSKAuth",
	"onCaptureFailure", "captureTimeout",       "sync", "redactAuth"};

/* What a change of invalidates what others did with it. */
static struct str identity_of(struct planner *p, const char *kind, const struct json *spec)
{
	struct json *seen = plan_spec_part(spec, CHANGE_GATED, p->mem);
	struct json *proxy = strcmp(kind, "captureproxy") == 0 ? json_get(seen, "proxy") : NULL;

	for (size_t i = 0; proxy && i < COUNT_OF(unseen); i++)
		json_remove(proxy, str_from(unseen[i]));
	return plan_checksum(seen, p->mem);
}

/* Its spec takes in what it sees of those it depends on. */
size_t plan_add_resource(struct planner *p, const char *kind, struct str name, struct json *spec,
			 const size_t *depends_on, size_t depends_on_count)
{
	struct plan *plan = p->plan;
	struct plan_resource *resource = &plan->resources[plan->resource_count];
	struct json *behind = json_new(p->mem, JSON_OBJECT);

	if (plan->resource_count == PLAN_STEPS_MAX || p->mem->failed) {
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
	plan_set(spec, "dependencies", behind);
	resource->checksum = plan_checksum(spec, p->mem);
	resource->identity = identity_of(p, kind, spec);
	resource->session = plan_checksum(plan_spec_part(spec, CHANGE_IMPOSSIBLE, p->mem), p->mem);
	return plan->resource_count++;
}

void plan_wait_for(struct planner *p, struct plan_waits *waits, size_t step)
{
	if (step == SIZE_MAX)
		return;
	if (waits->count == PLAN_AFTER_MAX)
		p->full = true;
	else
		waits->list[waits->count++] = step;
}

size_t plan_add_step(struct planner *p, struct plan_step step, const struct plan_waits *waits)
{
	struct plan *plan = p->plan;
	size_t *after = arena_zalloc(p->mem, waits->count, sizeof(size_t));

	if (plan->step_count == PLAN_STEPS_MAX || !after) {
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
size_t plan_add_gate(struct planner *p, struct str gate, const char *title, size_t resource,
		     struct str inputs, size_t step)
{
	struct plan_waits waits = {0};

	plan_wait_for(p, &waits, step);
	return plan_add_step(
		p,
		(struct plan_step){.action = PLAN_GATE,
				   .name = arena_printf(p->mem, "approve." STR_FMT, STR_ARG(gate)),
				   .title = str_from(title),
				   .gate = gate,
				   .resource = resource,
				   .inputs = inputs},
		&waits);
}

bool plan_skips(const struct config_value *step, const char *flag, const struct config_value *entry,
		const struct config_value *root)
{
	bool global = config_bool_or(config_get(root, "skipApprovals"), false);
	bool item = config_bool_or(config_get(entry, "skipApprovals"), global);

	return config_bool_or(config_get(step, flag), item);
}

/* The last step of a resource: its gate if it has one. */
size_t plan_last_step_of(const struct planner *p, size_t resource)
{
	for (size_t i = p->plan->step_count; i-- > 0;)
		if (p->plan->steps[i].resource == resource)
			return i;
	return SIZE_MAX;
}
