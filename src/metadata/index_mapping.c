#include "metadata/index_body.h"

#include <stdarg.h>
#include <stdio.h>

void changes_add(struct buf *changes, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (changes->len > 0)
		buf_append_str(changes, STR("; "));
	buf_append_str(changes, str_from(text));
}

/* Metadata is at most LIMIT_JSON_DEPTH deep, and two levels of it make one of fields. */
static void each_field(struct json *properties,
		       void (*visit)(struct str name, struct json *definition, void *user),
		       void *user)
{
	json_each (field, properties) {
		visit(field->key, field, user);
		each_field(json_get(field, "properties"), visit, user);
		each_field(json_get(field, "fields"), visit, user);
	}
}

void index_mapping_each_field(struct json *mapping,
			      void (*visit)(struct str name, struct json *definition, void *user),
			      void *user)
{
	each_field(json_get(mapping, "properties"), visit, user);
	/* [{"name": {"match_…": …, "mapping": {…}}}, …] */
	json_each (holder, json_get(mapping, "dynamic_templates")) {
		struct json *definition = json_get(holder->first, "mapping");

		if (!definition)
			continue;
		visit(STR_NONE, definition, user);
		each_field(json_get(definition, "properties"), visit, user);
		each_field(json_get(definition, "fields"), visit, user);
	}
}

/* Where a union stands, for messages: the types' names and the path of the field. */
struct conflict {
	struct str first_type, second_type;
	char path[256];
};

static int disagree(const struct conflict *at, struct str name, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "types '" STR_FMT "' and '" STR_FMT "' define '%s" STR_FMT
		       "' differently, so they make no one mapping; create the index on the target "
		       "by hand and use backfill",
		       STR_ARG(at->first_type), STR_ARG(at->second_type), at->path, STR_ARG(name));
}

static bool is_object(const struct json *definition)
{
	return json_get(definition, "properties") != NULL;
}

static int unite_properties(struct json *into, struct json *from, const struct conflict *at,
			    struct err *err);

/* Two definitions of one field: equal, or objects whose fields agree. */
static int unite_field(struct json *into, struct json *from, const struct conflict *at,
		       struct err *err)
{
	struct json *into_properties, *from_properties;
	struct conflict inner = *at;
	size_t used = strlen(at->path);
	bool same;

	if (!is_object(into) || !is_object(from))
		return json_equal(into, from) ? 0 : disagree(at, into->key, err);
	into_properties = json_remove(into, STR("properties"));
	from_properties = json_remove(from, STR("properties"));
	same = json_equal(into, from);
	json_set(into, STR("properties"), into_properties);
	if (!same)
		return disagree(at, into->key, err);
	snprintf(inner.path + used, sizeof(inner.path) - used, STR_FMT ".", STR_ARG(into->key));
	return unite_properties(into_properties, from_properties, &inner, err);
}

static int unite_properties(struct json *into, struct json *from, const struct conflict *at,
			    struct err *err)
{
	struct json *field = from ? from->first : NULL;

	while (field) {
		struct json *next = field->next;
		struct json *there = json_get_str(into, field->key);

		if (!there)
			json_set(into, field->key, json_remove(from, field->key));
		else if (unite_field(there, field, at, err) < 0)
			return -(int)err->kind;
		field = next;
	}
	return 0;
}

/* Keys that rule over all documents of an index: kept only where every type says the same. */
static bool rules_all_documents(struct str key)
{
	return str_is(key, "dynamic") || str_is(key, "_routing");
}

/* Adds the second type's mapping to the first's; takes it apart on the way. */
static int unite_types(struct json *into, struct json *from, const struct conflict *at,
		       struct err *err)
{
	struct json *member = from->first;

	while (member) {
		struct json *next = member->next;
		struct json *there = json_get_str(into, member->key);

		if (!there) {
			if (!rules_all_documents(member->key))
				json_set(into, member->key, json_remove(from, member->key));
		} else if (str_is(member->key, "properties")) {
			if (unite_properties(there, member, at, err) < 0)
				return -(int)err->kind;
		} else if (!json_equal(there, member) && !rules_all_documents(member->key) &&
			   !str_is(member->key, "_parent")) { /* left out later in any case */
			return disagree(at, member->key, err);
		}
		member = next;
	}
	return 0;
}

/* Of the keys that rule over all documents, drops those on which the types do not agree. */
static void drop_partial_rules(struct json *united, const struct json *types, struct buf *changes)
{
	static const char *const keys[] = {"dynamic", "_routing"};

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		bool agreed = true;

		json_each (type, types) {
			const struct json *first = json_get(united, keys[i]);
			const struct json *here = json_get(type, keys[i]);

			if (!str_is(type->key, "_default_"))
				agreed &= first && here && json_equal(first, here);
		}
		if (!agreed && json_remove(united, str_from(keys[i])))
			changes_add(changes, "left out %s: not all types have it", keys[i]);
	}
}

int index_mapping_unwrap(const struct json *types, struct arena *mem, struct json **out,
			 struct buf *changes, struct err *err)
{
	struct json *united = NULL;
	struct conflict at = {0};
	size_t count = 0;

	json_each (type, types) {
		struct json *mapping;

		/* A model for types to come; no document has it. */
		if (str_is(type->key, "_default_"))
			continue;
		mapping = json_copy(mem, type);
		if (!mapping)
			return arena_fail(mem, "index mappings", err);
		if (count++ == 0) {
			united = mapping;
			at.first_type = type->key;
			continue;
		}
		at.second_type = type->key;
		if (unite_types(united, mapping, &at, err) < 0)
			return -(int)err->kind;
	}
	if (count > 1)
		drop_partial_rules(united, types, changes);
	*out = united ? united : json_new(mem, JSON_OBJECT);
	return *out ? 0 : arena_fail(mem, "index mappings", err);
}
