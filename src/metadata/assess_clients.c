/* What clients see otherwise on the target: names of indices, types of fields. */
#include "metadata/assess_internal.h"

#define DEPTH_MAX 100

static void tell(struct assessment *a, struct str sentence)
{
	a->client_changes_total++;
	if (sentence.ptr && a->client_change_count < ASSESS_CLIENT_CHANGES_MAX)
		a->client_changes[a->client_change_count++] = arena_str(&a->mem, sentence);
}

static struct str type_of(const struct json *definition)
{
	struct str type = json_string(json_get(definition, "type"));

	return type.ptr ? type : STR("object");
}

static void compare_fields(struct assessment *a, const struct metadata_item *item,
			   const struct json *before, const struct json *after, struct str path,
			   int depth)
{
	if (!before || !after || depth > DEPTH_MAX)
		return;
	json_each (field, before) {
		const struct json *now = json_get_str(after, field->key);
		struct str at = path.len ? arena_printf(&a->scratch, STR_FMT "." STR_FMT,
							STR_ARG(path), STR_ARG(field->key))
					 : field->key;

		if (!now) {
			tell(a, arena_printf(&a->scratch,
					     "index '" STR_FMT "': field " STR_FMT " is gone",
					     STR_ARG(item->target_name), STR_ARG(at)));
			continue;
		}
		if (!str_eq(type_of(field), type_of(now)))
			tell(a, arena_printf(&a->scratch,
					     "index '" STR_FMT "': field " STR_FMT " is " STR_FMT
					     " instead of " STR_FMT,
					     STR_ARG(item->target_name), STR_ARG(at),
					     STR_ARG(type_of(now)), STR_ARG(type_of(field))));
		compare_fields(a, item, json_get(field, "properties"), json_get(now, "properties"),
			       at, depth + 1);
	}
}

static void compare_index(struct assessment *a, const struct metadata_item *item)
{
	const struct json *before = json_get(item->source, "mappings");
	const struct json *after = json_path(item->result, "mappings", "properties", NULL);
	size_t types = 0;

	if (!str_eq(item->name, item->target_name))
		tell(a, arena_printf(&a->scratch, "index '" STR_FMT "' is called '" STR_FMT "'",
				     STR_ARG(item->name), STR_ARG(item->target_name)));
	if (!item->typed) {
		compare_fields(a, item, json_get(before, "properties"), after, STR_NONE, 0);
		return;
	}
	json_each (type, before)
		types += !str_is(type->key, "_default_");
	if (types > 1 && str_eq(item->name, item->target_name))
		tell(a, arena_printf(&a->scratch, "index '" STR_FMT "': its %zu types are one",
				     STR_ARG(item->name), types));
	/* Of a split index each part has the fields of its type only. */
	if (item->split_from || !str_eq(item->name, item->target_name))
		return;
	json_each (type, before)
		if (!str_is(type->key, "_default_"))
			compare_fields(a, item, json_get(type, "properties"), after, STR_NONE, 0);
}

void assess_clients(struct assessment *a)
{
	for (size_t i = 0; i < a->set->count; i++) {
		const struct metadata_item *item = a->set->items[i];

		assess_next(a);
		if (item->kind == METADATA_INDEX && item->outcome != OUTCOME_EXCLUDED &&
		    item->outcome != OUTCOME_BLOCKED && item->result)
			compare_index(a, item);
	}
}
