/* Mapping types: of sources before Elasticsearch 7. */
#include "metadata/index_body.h"
#include "metadata/rules_internal.h"

const struct rule rules_of_types[] = {{0}};

/* Types that hold documents: _default_ is none. */
static size_t count_types(const struct json *types)
{
	size_t count = 0;

	json_each (type, types)
		count += !str_is(type->key, "_default_");
	return count;
}

static void add_missing(struct json *into, const struct json *from, struct arena *mem)
{
	json_each (member, from) {
		struct json *there = json_get_str(into, member->key);

		if (!there)
			json_set(into, member->key, json_copy(mem, member));
		else if (str_is(member->key, "properties"))
			add_missing(there, member, mem);
	}
}

/* What _default_ says is part of every type that is made: of a template's, and of the one that an
 * index without types will have. */
static void fold_default(const struct metadata_item *item, struct json *types, struct arena *mem)
{
	struct json *model = json_get(types, "_default_");
	size_t count = count_types(types);

	if (!model || (count > 0 && item->kind == METADATA_INDEX))
		return;
	if (count == 0)
		json_set(types, STR("_doc"), json_copy(mem, model));
	json_each (type, types)
		if (!str_is(type->key, "_default_"))
			add_missing(type, model, mem);
}

/* One item a type, named index_type; the first keeps the item. */
static int split(struct metadata_set *set, struct metadata_item *item, struct json *body,
		 struct err *err)
{
	struct json *types = json_remove(body, STR("mappings"));
	struct metadata_item *part = item;
	struct str whole = item->target_name;

	json_each (type, types) {
		struct json *own = json_copy(&set->mem, body);

		if (str_is(type->key, "_default_"))
			continue;
		if (!part)
			part = metadata_set_add(set, item->kind, item->name, item->source);
		if (!part || !own)
			return arena_fail(&set->mem, "the parts of a split index", err);
		json_set(own, STR("mappings"), json_copy(&set->mem, type));
		part->result = own;
		part->typed = part->split_from ? true : item->typed;
		part->target_name = arena_printf(&set->mem, STR_FMT "_" STR_FMT, STR_ARG(whole),
						 STR_ARG(type->key));
		part->split_from = part == item ? NULL : item;
		part->routing_shards = item->routing_shards;
		part->closed = item->closed;
		part->hidden = item->hidden;
		part->partial_source = item->partial_source;
		metadata_item_note(set, part, NOTE_CHANGE, "split-types", STR("mappings"),
				   "type '" STR_FMT "' becomes the index '" STR_FMT "'",
				   STR_ARG(type->key), STR_ARG(part->target_name));
		part = NULL;
	}
	return 0;
}

int rules_unite_types(struct metadata_set *set, struct metadata_item *item, struct json *body,
		      const struct rule_options *options, struct err *err)
{
	struct json *types = json_get(body, "mappings"), *mapping = NULL;
	cleanup(buf_release) struct buf changes = BUF_INIT(CHANGES_MAX);
	size_t count;
	struct err conflict = {0};

	fold_default(item, types, &set->mem);
	count = count_types(types);
	if (count > 1 && options->multi_type == MULTI_TYPE_SPLIT && item->kind == METADATA_INDEX)
		return split(set, item, body, err);
	if (count > 1 && options->multi_type == MULTI_TYPE_NONE) {
		item->outcome = OUTCOME_BLOCKED;
		item->reason = arena_printf(&set->mem,
					    "it has %zu mapping types; unite or split them with "
					    "--multi-type-behavior",
					    count);
		return 0;
	}
	if (index_mapping_unwrap(types, &set->mem, &mapping, &changes, &conflict) < 0) {
		item->outcome = OUTCOME_BLOCKED;
		item->reason = arena_str(&set->mem, str_from(conflict.message));
		return 0;
	}
	json_set(body, STR("mappings"), mapping);
	if (count > 1)
		metadata_item_note(set, item, NOTE_CHANGE, "unite-types", STR("mappings"),
				   "its %zu mapping types become one", count);
	if (changes.len)
		metadata_item_note(set, item, NOTE_CHANGE, "unite-types", STR("mappings"), STR_FMT,
				   STR_ARG(buf_str(&changes)));
	return 0;
}
