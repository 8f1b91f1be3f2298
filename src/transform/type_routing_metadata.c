#include "transform/type_mapping.h"
#include "transform/type_routing.h"

/* One metadata item on its way. */
struct item {
	struct type_routing *routing;
	struct json *value;
	struct str name, kind;
	struct arena *mem;
	struct json *results; /* an array: an item for each target, in order of the types */
	bool changed;         /* of an item without types: a name in it */
};

static bool is_index(const struct item *item)
{
	return !str_is(item->kind, "template") && !str_is(item->kind, "index_template") &&
	       !str_is(item->kind, "component_template");
}

/* What holds the mappings: the body, or its "template". */
static struct json *mappings_holder(const struct item *item, const struct json *value)
{
	struct json *body = json_get(value, "body");
	struct json *template = json_get(body, "template");

	return !is_index(item) && template && template->type == JSON_OBJECT ? template : body;
}

static int target_of(const struct item *item, struct str type, struct str *target, struct err *err)
{
	if (is_index(item))
		return type_routes_index(item->routing->routes, item->name, type, item->mem, target,
					 err);
	return type_routes_target(item->routing->routes, item->name, type, item->mem, target, err);
}

/* A name or pattern of indices, or of a component: routed as an index would be, else kept. */
static int route_text(struct item *item, struct json *text, struct str type, struct err *err)
{
	struct str target;
	int status;

	if (text->type != JSON_STRING)
		return 0;
	status = type_routes_target(item->routing->routes, text->text, type, item->mem, &target,
				    err);
	if (status <= 0 || str_eq(text->text, target))
		return status;
	text->text = target;
	item->changed = true;
	return 1;
}

static int route_texts(struct item *item, struct json *texts, struct str type, struct err *err)
{
	if (!texts)
		return 0;
	if (texts->type == JSON_STRING)
		return route_text(item, texts, type, err);
	if (texts->type == JSON_ARRAY)
		json_each (text, texts)
			if (route_text(item, text, type, err) < 0)
				return -(int)err->kind;
	return 0;
}

/* What a template matches and is composed of. */
static int route_references(struct item *item, struct json *value, struct str type, struct err *err)
{
	static const char *const keys[] = {"index_patterns", "composed_of", "template"};
	struct json *body = json_get(value, "body");

	if (is_index(item))
		return 0;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (route_texts(item, json_get(body, keys[i]), type, err) < 0)
			return -(int)err->kind;
	return 0;
}

static struct json *find_result(const struct item *item, struct str name)
{
	json_each (result, item->results)
		if (str_eq(json_string(json_get(result, "name")), name))
			return result;
	return NULL;
}

/* A pattern is added to those that a result has already from another type. */
static int add_references(struct item *item, struct json *result, struct str type, struct err *err)
{
	struct json *patterns = json_path(result, "body", "index_patterns", NULL);
	struct json *mine = json_path(item->value, "body", "index_patterns", NULL);

	if (is_index(item) || !patterns || patterns->type != JSON_ARRAY)
		return 0;
	json_each (pattern, mine) {
		struct json *copy = json_copy(item->mem, pattern);
		bool known = false;

		if (copy && route_text(item, copy, type, err) < 0)
			return -(int)err->kind;
		json_each (other, patterns)
			known |= copy && json_equal(other, copy);
		if (copy && !known) {
			copy->key = STR_NONE;
			json_append(patterns, copy);
		}
	}
	return 0;
}

static int new_result(struct item *item, struct str target, const struct json *mapping,
		      struct str type, struct err *err)
{
	struct json *copy = json_copy(item->mem, item->value);

	json_set(copy, STR("name"), json_new_string(item->mem, target));
	json_set(mappings_holder(item, copy), STR("mappings"), json_copy(item->mem, mapping));
	json_append(item->results, copy);
	return copy ? route_references(item, copy, type, err) : 0;
}

static int route_type(struct item *item, const struct json *mapping, struct str type,
		      struct err *err)
{
	struct json *result;
	struct str target;
	int status = target_of(item, type, &target, err);

	if (status <= 0)
		return status;
	result = find_result(item, target);
	if (!result)
		return new_result(item, target, mapping, type, err);
	if (add_references(item, result, type, err) < 0)
		return -(int)err->kind;
	return type_mapping_merge(json_get(mappings_holder(item, result), "mappings"), mapping,
				  target, item->mem, err);
}

/* _default_ is no type, but what types begin with; alone, it is all the mapping there is. */
static int route_types(struct item *item, const struct json *types, struct err *err)
{
	const struct json *defaults = json_get(types, "_default_");
	int status;

	json_each (mapping, types) {
		if (str_is(mapping->key, "_default_"))
			continue;
		status = route_type(item, mapping, mapping->key, err);
		if (status < 0)
			return status;
	}
	if (defaults && types->count == 1)
		return route_type(item, defaults, STR("_doc"), err);
	json_each (result, item->results)
		type_mapping_add_defaults(json_get(mappings_holder(item, result), "mappings"),
					  defaults, item->mem);
	return 0;
}

/* An item without types: as if of type _doc. */
static int route_untyped(struct item *item, struct json *mappings, struct json **out,
			 struct err *err)
{
	struct json *holder = mappings_holder(item, item->value);
	struct str target;
	int status = target_of(item, STR("_doc"), &target, err);

	if (status < 0)
		return status;
	if (status == 0) {
		*out = NULL;
		return 1;
	}
	if (mappings != json_get(holder, "mappings")) {
		json_set(holder, STR("mappings"), mappings);
		item->changed = true;
	}
	if (!str_eq(item->name, target)) {
		json_set(item->value, STR("name"), json_new_string(item->mem, target));
		item->changed = true;
	}
	status = route_references(item, item->value, STR("_doc"), err);
	return status < 0 ? status : item->changed;
}

int type_routing_metadata(void *state, struct json *value, struct arena *mem, struct json **out,
			  struct err *err)
{
	struct item item = {.routing = state,
			    .value = value,
			    .name = json_string(json_get(value, "name")),
			    .kind = json_string(json_get(value, "type")),
			    .mem = mem};
	struct json *holder, *mappings;
	int status;

	if (!item.name.len || !item.kind.len)
		return err_set(err, ERR_FORMAT,
			       "the metadata item has no type or no name, by which it is routed");
	holder = mappings_holder(&item, value);
	mappings = type_mapping_flatten(json_get(holder, "mappings"), mem);
	if (!type_mapping_has_types(mappings))
		return route_untyped(&item, mappings, out, err);
	/* The copies made for the targets need not have it. */
	json_remove(holder, STR("mappings"));
	item.results = json_new(mem, JSON_ARRAY);
	status = route_types(&item, mappings, err);
	if (status < 0)
		return status;
	*out = item.results && item.results->count == 1 ? item.results->first : item.results;
	return 1;
}
