#include "metadata/template_flatten.h"

/* Of a legacy template's order, which is an int. */
#define ORDER_MAX 2147483647

static bool lacks(const struct cluster_version *target, int number)
{
	return target->flavour == CLUSTER_ELASTICSEARCH && !target->serverless &&
	       target->major * 1000 + target->minor < number;
}

static void block(struct metadata_set *set, struct metadata_item *item, struct str reason)
{
	item->outcome = OUTCOME_BLOCKED;
	item->reason = reason;
	metadata_item_note(set, item, NOTE_ERROR, "", STR_NONE, STR_FMT, STR_ARG(reason));
}

/* Objects are merged, everything else is the later one's. A field that is none in one of both is
 * replaced whole, as the server does. */
static void merge(struct json *into, const struct json *from, bool fields, struct arena *mem)
{
	json_each (member, from) {
		struct json *there = json_get_str(into, member->key);
		bool objects = there && there->type == JSON_OBJECT && member->type == JSON_OBJECT;
		bool nested = str_is(member->key, "properties");

		if (fields)
			objects = objects && json_get(there, "properties") &&
				  json_get(member, "properties");
		if (objects)
			merge(there, member, nested && !fields, mem);
		else
			json_set(into, member->key, json_copy(mem, member));
	}
}

static bool same_name(const struct json *one, const struct json *other)
{
	return one->first && other->first && str_eq(one->first->key, other->first->key);
}

/* A list of objects of one name each; the later one of a name counts. */
static struct json *merge_dynamic_templates(const struct json *before, const struct json *after,
					    struct arena *mem)
{
	struct json *merged = json_new(mem, JSON_ARRAY);

	json_each (one, before) {
		bool replaced = false;

		json_each (other, after)
			replaced |= same_name(one, other);
		if (!replaced)
			json_append(merged, json_copy(mem, one));
	}
	json_each (one, after)
		json_append(merged, json_copy(mem, one));
	return merged;
}

static void merge_content(struct json *body, const struct json *content, struct arena *mem)
{
	static const char *const parts[] = {"settings", "mappings", "aliases"};
	const struct json *before = json_path(body, "mappings", "dynamic_templates", NULL);
	const struct json *after = json_path(content, "mappings", "dynamic_templates", NULL);
	struct json *dynamic = before && after ? merge_dynamic_templates(before, after, mem) : NULL;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		const struct json *from = json_get(content, parts[i]);
		struct json *into = json_get(body, parts[i]);

		if (from && !into)
			json_set(body, str_from(parts[i]), json_copy(mem, from));
		else if (from)
			merge(into, from, false, mem);
	}
	if (dynamic)
		json_set(json_get(body, "mappings"), STR("dynamic_templates"), dynamic);
}

static const struct json *body_of(const struct metadata_item *item)
{
	return item->result ? item->result : item->source;
}

static bool may_miss(const struct json *template, struct str component)
{
	json_each (name, json_get(template, "ignore_missing_component_templates"))
		if (str_eq(json_string(name), component))
			return true;
	return false;
}

static bool merge_components(struct metadata_set *set, struct metadata_item *item,
			     struct json *body)
{
	json_each (name, json_get(body_of(item), "composed_of")) {
		struct str component = json_string(name);
		const struct metadata_item *found =
			metadata_set_find(set, METADATA_COMPONENT_TEMPLATE, component);

		if (found) {
			merge_content(body, json_get(body_of(found), "template"), &set->mem);
		} else if (!may_miss(body_of(item), component)) {
			block(set, item,
			      arena_printf(&set->mem,
					   "its component template '" STR_FMT
					   "' is not on the source",
					   STR_ARG(component)));
			return false;
		}
	}
	return true;
}

static struct json *legacy_of(const struct metadata_item *item, struct arena *mem)
{
	const struct json *source = body_of(item), *version = json_get(source, "version");
	struct json *body = json_new(mem, JSON_OBJECT);
	int64_t priority = json_i64_or(json_get(source, "priority"), 0);

	json_set(body, STR("index_patterns"), json_copy(mem, json_get(source, "index_patterns")));
	json_set(body, STR("order"), json_new_i64(mem, MIN(priority, ORDER_MAX)));
	if (version)
		json_set(body, STR("version"), json_copy(mem, version));
	return body;
}

static void flatten(struct metadata_set *set, struct metadata_item *item)
{
	struct json *body;

	if (json_get(body_of(item), "data_stream")) {
		block(set, item,
		      STR("it is of a data stream, which the target does not have; give its "
			  "indices a template and an alias"));
		return;
	}
	if (metadata_set_find(set, METADATA_LEGACY_TEMPLATE, item->name)) {
		block(set, item,
		      STR("the target has legacy templates only, and one of this name goes along; "
			  "select one of them"));
		return;
	}
	body = legacy_of(item, &set->mem);
	if (!merge_components(set, item, body))
		return;
	merge_content(body, json_get(body_of(item), "template"), &set->mem);
	item->kind = METADATA_LEGACY_TEMPLATE;
	item->result = body;
	metadata_item_note(set, item, NOTE_WARN, "", STR_NONE,
			   "made a legacy template with the content of its components: the target "
			   "has no composable ones. Of legacy templates all that match an index "
			   "apply, in their order");
}

int templates_flatten(struct metadata_set *set, const struct cluster_version *target,
		      struct err *err)
{
	for (size_t i = 0; i < set->count; i++) {
		struct metadata_item *item = set->items[i];

		if (item->outcome != OUTCOME_NONE)
			continue;
		if (item->kind == METADATA_DATA_STREAM && lacks(target, 7009))
			block(set, item,
			      STR("the target has no data streams: they came with Elasticsearch "
				  "7.9"));
		else if (item->kind == METADATA_INDEX_TEMPLATE && lacks(target, 7008))
			flatten(set, item);
	}
	for (size_t i = 0; i < set->count; i++) {
		struct metadata_item *item = set->items[i];

		if (item->outcome != OUTCOME_NONE || item->kind != METADATA_COMPONENT_TEMPLATE ||
		    !lacks(target, 7008))
			continue;
		item->outcome = OUTCOME_REPORTED;
		item->reason = STR("its content is in the templates that name it");
	}
	return set->mem.failed ? arena_fail(&set->mem, "the metadata to be written", err) : 0;
}
