/* The ILM actions that move, cut and roll indices. */
#include "metadata/ilm_internal.h"

#include "base/opt.h"
#include "metadata/settings_tree.h"

#include <ctype.h>

#define FIRST_WITH_PRIMARY_SHARD_SIZE 1003
#define FIRST_WITH_SHRINK 1003

enum condition_form { FORM_TEXT, FORM_NUMBER, FORM_SIZE };

/* Any one of them rolls an index over, on both sides. */
static const struct {
	const char *ilm, *ism;
	enum condition_form form;
	int from; /* version of OpenSearch */
} conditions[] = {
	{"max_size", "min_size", FORM_SIZE, 0},
	{"max_age", "min_index_age", FORM_TEXT, 0},
	{"max_docs", "min_doc_count", FORM_NUMBER, 0},
	{"max_primary_shard_size", "min_primary_shard_size", FORM_SIZE,
	 FIRST_WITH_PRIMARY_SHARD_SIZE},
};

static struct str lower(struct str text, struct arena *mem)
{
	char *copy = arena_alloc(mem, text.len);

	for (size_t i = 0; copy && i < text.len; i++)
		copy[i] = (char)tolower((unsigned char)text.ptr[i]);
	return copy ? str_of(copy, text.len) : STR_NONE;
}

static struct json *in_form(const struct json *value, enum condition_form form, struct arena *mem)
{
	if (form == FORM_NUMBER)
		return json_new_i64(mem, json_i64_or(value, 0));
	if (form == FORM_SIZE)
		return json_new_string(mem, lower(json_text_or(value, STR_NONE), mem));
	return json_new_string(mem, json_text_or(value, STR_NONE));
}

static bool put_condition(struct ilm_phase *phase, const struct json *condition, struct json *body)
{
	for (size_t i = 0; i < COUNT_OF(conditions); i++) {
		if (!str_is(condition->key, conditions[i].ilm) ||
		    !ilm_target_from(phase, conditions[i].from))
			continue;
		json_set(body, str_from(conditions[i].ism),
			 in_form(condition, conditions[i].form, &phase->scope->set->mem));
		return true;
	}
	return false;
}

void ilm_convert_rollover(struct ilm_phase *phase, const struct json *action)
{
	struct json *body = ilm_object(phase);

	json_each (condition, action)
		if (condition->type != JSON_NULL && !put_condition(phase, condition, body))
			ilm_note(phase, "rollover", NOTE_WARN,
				 "dropped " STR_FMT ": the target's ISM has nothing like it",
				 STR_ARG(condition->key));
	/* Without a condition, ISM would roll over at once, and again with every new index. */
	if (body && !body->first) {
		rule_block(phase->scope, ILM_RULE,
			   "ISM has none of the conditions of its rollover; give it max_age, "
			   "max_docs or max_size on the source, or write an ISM policy by hand");
		return;
	}
	ilm_put(phase, "rollover", body);
}

/* What stands before "=" in one of the list, and is `from`; STR_NONE: none is. */
static struct str mapped(const struct opt_list *list, struct str from)
{
	for (size_t i = 0; list && i < list->count; i++) {
		struct str name, value;

		if (str_split(str_from(list->items[i]), '=', &name, &value) && str_eq(name, from))
			return value;
	}
	return STR_NONE;
}

/* Attributes have other names on other nodes: --attr-map data=temp, or data:hot=temp:h. */
static void put_attribute(struct ilm_phase *phase, const struct json *attribute, struct json *body)
{
	struct arena *mem = &phase->scope->set->mem;
	const struct opt_list *map = phase->scope->options->attribute_map;
	struct str name = attribute->key, value = json_text_or(attribute, STR_NONE);
	struct str pair =
		mapped(map, arena_printf(mem, STR_FMT ":" STR_FMT, STR_ARG(name), STR_ARG(value)));
	struct str renamed = mapped(map, name);

	if (pair.len > 0)
		str_split(pair, ':', &name, &value);
	else if (renamed.len > 0)
		name = renamed;
	json_set(body, name, json_new_string(mem, value));
}

static bool put_allocation(struct ilm_phase *phase, const struct json *action)
{
	static const char *const kinds[] = {"require", "include", "exclude"};
	struct json *body = ilm_object(phase);

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct json *attributes = json_get(action, kinds[i]);
		struct json *converted = ilm_object(phase);

		if (!attributes || !attributes->first)
			continue;
		json_each (attribute, attributes)
			put_attribute(phase, attribute, converted);
		json_set(body, str_from(kinds[i]), converted);
	}
	if (!body || !body->first)
		return false;
	ilm_put(phase, "allocation", body);
	return true;
}

void ilm_convert_allocate(struct ilm_phase *phase, const struct json *action)
{
	int64_t replicas = json_i64_or(json_get(action, "number_of_replicas"), -1);

	if (put_allocation(phase, action))
		ilm_note(phase, "allocate", NOTE_WARN,
			 "the target's nodes need these attributes; --attr-map translates them");
	if (replicas >= 0) {
		struct json *body = ilm_object(phase);

		json_set(body, STR("number_of_replicas"),
			 json_new_i64(&phase->scope->set->mem, replicas));
		ilm_put(phase, "replica_count", body);
	}
	if (json_i64_or(json_get(action, "total_shards_per_node"), -1) >= 0)
		ilm_note(phase, "allocate", NOTE_WARN,
			 "dropped total_shards_per_node: ISM has nothing like it");
}

static bool allocates(const struct ilm_phase *phase)
{
	const struct json *allocate =
		json_path(json_get_str(phase->phases, phase->name), "actions", "allocate", NULL);

	return json_get(allocate, "require") || json_get(allocate, "include") ||
	       json_get(allocate, "exclude");
}

/* Without being told, ILM moves indices to the nodes of the phase's tier. */
void ilm_convert_migrate(struct ilm_phase *phase, const struct json *action)
{
	struct arena *mem = &phase->scope->set->mem;
	struct str wanted = mapped(phase->scope->options->tier_attributes, phase->name);
	struct str name, value;
	struct json *body, *require;

	if (!json_bool_or(json_get(action, "enabled"), true))
		return;
	if (!str_split(wanted, ':', &name, &value) || allocates(phase)) {
		if (action)
			ilm_note(phase, "migrate", NOTE_CHANGE,
				 "dropped: OpenSearch has no data tiers; --tier-attr moves indices "
				 "by an attribute of nodes");
		return;
	}
	body = ilm_object(phase);
	require = ilm_object(phase);
	json_set(require, name, json_new_string(mem, value));
	json_set(body, STR("require"), require);
	ilm_put(phase, "allocation", body);
}

static struct json *shrunken_name(struct ilm_phase *phase)
{
	struct json *template = ilm_object(phase);

	json_set(template, STR("source"),
		 json_new_string(&phase->scope->set->mem, STR("{{ctx.index}}_shrunken")));
	return template;
}

/* Of an index's body: nothing but that it is one. */
static bool is_plain(const struct json *alias)
{
	return !json_get(alias, "filter") && !json_get(alias, "index_routing") &&
	       !json_get(alias, "search_routing") && !json_get(alias, "routing");
}

static bool has_policy(const struct metadata_item *item, struct str policy)
{
	return item->kind == METADATA_INDEX && item->outcome != OUTCOME_EXCLUDED &&
	       str_eq(json_string(
			      settings_get(json_get(item->source, "settings"), "lifecycle.name")),
		      policy);
}

/* The aliases that all indices of the policy have: one list serves them all. */
static struct json *common_aliases(struct ilm_phase *phase)
{
	const struct metadata_set *set = phase->scope->set;
	struct json *common = NULL, *list = json_new(&phase->scope->set->mem, JSON_ARRAY);

	for (size_t i = 0; i < set->count; i++) {
		const struct json *aliases = json_get(set->items[i]->source, "aliases");
		struct json *kept = ilm_object(phase);

		if (!has_policy(set->items[i], phase->scope->item->name))
			continue;
		json_each (alias, aliases)
			if (is_plain(alias) && (!common || json_get_str(common, alias->key)))
				json_set(kept, alias->key, ilm_object(phase));
		common = kept;
	}
	json_each (alias, common) {
		struct json *one = ilm_object(phase);

		json_set(one, alias->key, ilm_object(phase));
		json_append(list, one);
	}
	return list;
}

void ilm_convert_shrink(struct ilm_phase *phase, const struct json *action)
{
	struct arena *mem = &phase->scope->set->mem;
	const struct json *shards = json_get(action, "number_of_shards");
	struct json *body = ilm_object(phase), *aliases;

	if (!ilm_target_from(phase, FIRST_WITH_SHRINK)) {
		ilm_note(phase, "shrink", NOTE_WARN, "dropped: ISM shrinks from OpenSearch 1.3 on");
		return;
	}
	if (shards && shards->type != JSON_NULL)
		json_set(body, STR("num_new_shards"), json_new_i64(mem, json_i64_or(shards, 1)));
	else
		json_set(body, STR("max_shard_size"),
			 in_form(json_get(action, "max_primary_shard_size"), FORM_SIZE, mem));
	json_set(body, STR("target_index_name_template"), shrunken_name(phase));
	aliases = common_aliases(phase);
	if (aliases && aliases->first)
		json_set(body, STR("aliases"), aliases);
	ilm_put(phase, "shrink", body);
	ilm_note(phase, "shrink", NOTE_WARN,
		 "the small index is called <index>_shrunken and gets the aliases that all indices "
		 "of the policy have; ISM neither deletes the large one nor takes its aliases: add "
		 "others to \"aliases\" of the action");
}
