#include "metadata/transform_items.h"

#include "metadata/transform_changes.h"

#include <stdio.h>

/* NULL: such items pass by. */
static const char *type_of(enum metadata_kind kind)
{
	if (kind == METADATA_INDEX)
		return "index";
	if (kind == METADATA_LEGACY_TEMPLATE)
		return "template";
	if (kind == METADATA_INDEX_TEMPLATE)
		return "index_template";
	return kind == METADATA_COMPONENT_TEMPLATE ? "component_template" : NULL;
}

static bool is_wanted(const struct metadata_item *item)
{
	return type_of(item->kind) && item->outcome == OUTCOME_NONE;
}

/* One run through a part of the steps. */
struct run {
	struct metadata_set *set;
	struct transform_message *messages;
	struct metadata_item **items; /* of the messages */
	const struct json **bodies;   /* as they were */
	size_t count;
	bool before_rules;
};

static int add_message(struct run *run, struct metadata_item *item)
{
	struct arena *mem = &run->set->mem;
	struct json *value = json_new(mem, JSON_OBJECT), *body;

	run->bodies[run->count] = item->result ? item->result : item->source;
	body = json_copy(mem, run->bodies[run->count]);
	json_set(value, STR("type"), json_new_string(mem, str_from(type_of(item->kind))));
	json_set(value, STR("name"), json_new_string(mem, item->target_name));
	json_set(value, STR("body"), body);
	run->items[run->count] = item;
	run->messages[run->count] = (struct transform_message){
		.name = arena_printf(mem, "%s " STR_FMT, metadata_kind_name(item->kind),
				     STR_ARG(item->target_name)),
		.value = value,
	};
	run->count++;
	return body ? 0 : -1;
}

static int make_messages(struct run *run, struct err *err)
{
	struct metadata_set *set = run->set;
	struct arena *mem = &set->mem;

	run->messages = arena_zalloc(mem, set->count, sizeof(*run->messages));
	run->items = arena_zalloc(mem, set->count, sizeof(struct metadata_item *));
	run->bodies = arena_zalloc(mem, set->count, sizeof(struct json *));
	for (size_t i = 0; i < set->count && !mem->failed; i++)
		if (is_wanted(set->items[i]))
			add_message(run, set->items[i]);
	return mem->failed ? arena_fail(mem, "the metadata to be transformed", err) : 0;
}

static void block(struct metadata_set *set, struct metadata_item *item, const char *reason)
{
	item->outcome = OUTCOME_BLOCKED;
	item->reason = arena_str(&set->mem, str_from(reason));
	metadata_item_note(set, item, NOTE_ERROR, TRANSFORM_RULE, STR_NONE, "%s", reason);
}

/* NULL: it can be written. */
static const char *problem_of(const struct metadata_item *item, const struct json *value)
{
	const struct json *body = json_get(value, "body");

	if (value->type != JSON_OBJECT)
		return "what came out of the transformers is no object";
	if (!str_is(json_string(json_get(value, "type")), type_of(item->kind)))
		return "the transformers changed its 'type'; an item stays what it is";
	if (json_string(json_get(value, "name")).len == 0)
		return "the transformers left it without a 'name'";
	if (!body || body->type != JSON_OBJECT)
		return "the transformers left it without a 'body'";
	return NULL;
}

static void take_value(struct metadata_set *set, struct metadata_item *item,
		       const struct json *before, const struct json *value)
{
	struct json *body = json_get(value, "body");
	struct str name = json_string(json_get(value, "name"));
	const char *problem = problem_of(item, value);

	if (problem) {
		block(set, item, problem);
		return;
	}
	if (!str_eq(item->target_name, name))
		metadata_item_note(set, item, NOTE_CHANGE, TRANSFORM_RULE, STR_NONE,
				   "called '" STR_FMT "' on the target", STR_ARG(name));
	transform_changes_note(set, item, before, body);
	item->target_name = name;
	/* It goes on as the root of a tree of its own. */
	body->key = STR_NONE;
	body->next = NULL;
	item->result = body;
}

static struct metadata_item *new_part(struct metadata_set *set, struct metadata_item *item)
{
	struct metadata_item *part = metadata_set_add(set, item->kind, item->name, item->source);

	if (!part)
		return NULL;
	part->target_name = item->target_name;
	part->split_from = item;
	part->routing_shards = item->routing_shards;
	part->closed = item->closed;
	part->hidden = item->hidden;
	part->partial_source = item->partial_source;
	return part;
}

static void take_values(const struct run *run, struct metadata_item *item,
			const struct json *before, const struct json *list)
{
	struct metadata_set *set = run->set;
	struct str whole = item->target_name;
	struct metadata_item *part = item;

	json_each (value, list) {
		if (!part)
			part = new_part(set, item);
		if (!part)
			return;
		part->target_name = whole;
		part->typed = item->typed && !run->before_rules;
		take_value(set, part, before, value);
		part = NULL;
	}
}

static void take_message(struct run *run, size_t i)
{
	const struct transform_message *message = &run->messages[i];
	struct metadata_item *item = run->items[i];
	const struct json *value = message->value;

	if (message->error.kind != ERR_NONE) {
		block(run->set, item, message->error.message);
	} else if (!value || (value->type == JSON_ARRAY && !value->first)) {
		item->outcome = OUTCOME_EXCLUDED;
		item->reason = STR("the transformers drop it");
	} else if (value->type == JSON_ARRAY) {
		take_values(run, item, run->bodies[i], value);
	} else if (message->changed) {
		take_value(run->set, item, run->bodies[i], value);
		/* Steps that want types leave a mapping without. */
		item->typed &= !run->before_rules;
	}
}

/* Two items cannot be written under one name. */
static void check_names(struct run *run)
{
	struct metadata_set *set = run->set;

	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < i && is_wanted(set->items[i]); j++) {
			const struct metadata_item *other = set->items[j];
			struct metadata_item *item = set->items[i];
			char reason[256];

			if (other->kind != item->kind || !is_wanted(other) ||
			    !str_eq(other->target_name, item->target_name))
				continue;
			snprintf(reason, sizeof(reason),
				 "the transformers give it the same name as '%.*s'; let one of "
				 "the two go elsewhere",
				 (int)MIN(other->name.len, (size_t)100), other->name.ptr);
			block(set, item, reason);
		}
}

int transform_items(struct metadata_set *set, struct transform *transform,
		    enum transform_items_part part, struct err *err)
{
	struct run run = {.set = set, .before_rules = part == TRANSFORM_ITEMS_BEFORE_RULES};
	struct arena *mem = &set->mem;

	if (!transform || set->count == 0)
		return 0;
	if (make_messages(&run, err) < 0 ||
	    transform_apply_part(transform, run.before_rules, run.messages, run.count, mem, err) <
		    0)
		return -(int)err->kind;
	for (size_t i = 0; i < run.count; i++)
		take_message(&run, i);
	check_names(&run);
	metadata_set_sort(set);
	return mem->failed ? arena_fail(mem, "the transformed metadata", err) : 0;
}
