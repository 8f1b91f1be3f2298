/* Which indices to come get which policy. */
#include "metadata/ism_policy.h"

#include "metadata/settings_tree.h"

#include <stdlib.h>

#define PRIORITY_MAX 2000000000 /* ISM's are of 32 bits; room above for those made unique */

struct pattern {
	struct str policy, template;
	const struct json *patterns;
	bool composable;
	int64_t priority;
};

static struct str policy_in(const struct json *content)
{
	return json_string(settings_get(json_get(content, "settings"), "lifecycle.name"));
}

/* What the template says itself, else the last of its components that says it. */
static struct str policy_of(const struct metadata_set *set, const struct metadata_item *item)
{
	struct str policy;

	if (item->kind == METADATA_LEGACY_TEMPLATE)
		return policy_in(item->source);
	policy = policy_in(json_get(item->source, "template"));
	if (policy.len > 0)
		return policy;
	json_each (name, json_get(item->source, "composed_of")) {
		const struct metadata_item *component =
			metadata_set_find(set, METADATA_COMPONENT_TEMPLATE, json_string(name));
		struct str said =
			component ? policy_in(json_get(component->source, "template")) : STR_NONE;

		if (said.len > 0)
			policy = said;
	}
	return policy;
}

static bool is_template(const struct metadata_item *item)
{
	return item->outcome != OUTCOME_EXCLUDED &&
	       (item->kind == METADATA_LEGACY_TEMPLATE || item->kind == METADATA_INDEX_TEMPLATE);
}

static int by_precedence(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	if (x->composable != y->composable)
		return x->composable ? 1 : -1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return str_cmp(x->template, y->template);
}

static size_t collect(const struct metadata_set *set, struct pattern *patterns)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct metadata_item *item = set->items[i];
		bool composable = item->kind == METADATA_INDEX_TEMPLATE;
		struct str policy = is_template(item) ? policy_of(set, item) : STR_NONE;
		const struct json *names = json_get(item->source, "index_patterns");

		if (policy.len == 0 || !names)
			continue;
		patterns[count++] = (struct pattern){
			.policy = policy,
			.template = item->name,
			.patterns = names,
			.composable = composable,
			.priority = json_i64_or(
				json_get(item->source, composable ? "priority" : "order"), 0),
		};
	}
	if (count > 1)
		qsort(patterns, count, sizeof(*patterns), by_precedence);
	return count;
}

static void add_pattern(struct json *templates, const struct pattern *pattern, int64_t priority,
			struct arena *mem)
{
	struct json *list = json_get_str(templates, pattern->policy);
	struct json *entry = json_new(mem, JSON_OBJECT);

	if (!list) {
		list = json_new(mem, JSON_ARRAY);
		json_set(templates, pattern->policy, list);
	}
	json_set(entry, STR("index_patterns"), json_copy(mem, pattern->patterns));
	json_set(entry, STR("priority"), json_new_i64(mem, priority));
	json_append(list, entry);
}

static struct json *of_templates(struct metadata_set *set)
{
	struct json *templates = json_new(&set->mem, JSON_OBJECT);
	struct pattern *patterns = mem_zalloc((set->count + 1) * sizeof(*patterns));
	size_t count = collect(set, patterns);
	int64_t next = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t wanted = MIN(patterns[i].priority, (int64_t)PRIORITY_MAX);
		int64_t priority = MAX(wanted, next);

		add_pattern(templates, &patterns[i], priority, &set->mem);
		next = priority + 1;
	}
	free(patterns);
	return templates;
}

/* A list; early versions have one object. */
static void copy_template(struct json *templates, const struct metadata_item *item,
			  struct arena *mem)
{
	const struct json *said = json_path(item->source, "policy", "ism_template", NULL);
	struct json *list = json_new(mem, JSON_ARRAY);

	if (!list || !said || said->type == JSON_NULL)
		return;
	if (said->type == JSON_OBJECT)
		json_append(list, json_copy(mem, said));
	else
		json_each (entry, said)
			json_append(list, json_copy(mem, entry));
	json_each (entry, list)
		json_remove(entry, STR("last_updated_time"));
	if (list->first)
		json_set(templates, item->name, list);
}

struct json *ism_templates(struct metadata_set *set)
{
	struct json *templates;

	if (set->version.flavour == CLUSTER_OPENSEARCH) {
		templates = json_new(&set->mem, JSON_OBJECT);
		for (size_t i = 0; i < set->count; i++)
			if (set->items[i]->kind == METADATA_LIFECYCLE_POLICY &&
			    set->items[i]->outcome != OUTCOME_EXCLUDED)
				copy_template(templates, set->items[i], &set->mem);
	} else {
		templates = of_templates(set);
	}
	return set->mem.failed ? NULL : templates;
}
