#include "transform/type_mapping.h"

/* All keys of the root of a mapping, from Elasticsearch 1 to 9 and OpenSearch 1 to 3. */
static const char *const root_keys[] = {
	"_all",
	"_analyzer",
	"_boost",
	"_data_stream_timestamp",
	"_doc_count",
	"_field_names",
	"_id",
	"_index",
	"_meta",
	"_parent",
	"_routing",
	"_size",
	"_source",
	"_tier",
	"_timestamp",
	"_ttl",
	"_type",
	"_uid",
	"_version",
	"analyzer",
	"date_detection",
	"date_formats",
	"derived",
	"disable_objects",
	"dynamic",
	"dynamic_date_formats",
	"dynamic_templates",
	"enabled",
	"include_in_all",
	"index_analyzer",
	"numeric_detection",
	"properties",
	"runtime",
	"search_analyzer",
	"subobjects",
	"transform",
};

/* Those that no later version takes, so that a difference does not matter. */
static const char *const obsolete_keys[] = {"_all",       "_analyzer", "_boost",  "_id",
					    "_index",     "_size",     "_parent", "_ttl",
					    "_timestamp", "_type",     "_uid",    "include_in_all"};

static bool is_one_of(struct str key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(key, keys[i]))
			return true;
	return false;
}

static void move_members(struct json *to, struct json *from)
{
	struct json *member, *next;

	for (member = from->first; member; member = next) {
		next = member->next;
		member->next = NULL;
		json_set(to, member->key, member);
	}
}

struct json *type_mapping_flatten(struct json *mappings, struct arena *mem)
{
	struct json *all;

	if (!mappings || mappings->type == JSON_OBJECT)
		return mappings;
	if (mappings->type != JSON_ARRAY)
		return NULL;
	all = json_new(mem, JSON_OBJECT);
	json_each (one, mappings)
		if (all && one->type == JSON_OBJECT)
			move_members(all, one);
	return all;
}

bool type_mapping_has_types(const struct json *mappings)
{
	if (!mappings || mappings->type != JSON_OBJECT || !mappings->count)
		return false;
	json_each (member, mappings)
		if (member->type != JSON_OBJECT ||
		    is_one_of(member->key, root_keys, COUNT_OF(root_keys)))
			return false;
	return true;
}

static bool is_object_field(const struct json *field)
{
	struct str type = json_string(json_get(field, "type"));

	return field->type == JSON_OBJECT &&
	       (json_get(field, "properties") || str_is(type, "object") || str_is(type, "nested"));
}

/* Where a conflict is, from the root: "user.name". */
struct field_path {
	const struct field_path *parent;
	struct str name;
};

static void print_path(struct buf *out, const struct field_path *path)
{
	if (!path)
		return;
	print_path(out, path->parent);
	buf_printf(out, "%s" STR_FMT, out->len ? "." : "", STR_ARG(path->name));
}

static int conflict(const struct field_path *path, struct str key, struct str where,
		    struct err *err)
{
	cleanup(buf_release) struct buf place = BUF_INIT(KIB(1));

	print_path(&place, path);
	if (path && key.len)
		return err_set(err, ERR_CONFLICT,
			       "'" STR_FMT
			       "' of field '%s' differs among the types that go into '" STR_FMT
			       "'; send them to indices of their own",
			       STR_ARG(key), buf_cstr(&place), STR_ARG(where));
	if (path)
		return err_set(err, ERR_CONFLICT,
			       "field '%s' is defined differently in types that go into '" STR_FMT
			       "'; send them to indices of their own",
			       buf_cstr(&place), STR_ARG(where));
	return err_set(err, ERR_CONFLICT,
		       "'" STR_FMT "' of the mapping differs among the types that go into '" STR_FMT
		       "'; send them to indices of their own",
		       STR_ARG(key), STR_ARG(where));
}

static int merge_properties(struct json *into, const struct json *from,
			    const struct field_path *parent, struct str where, struct arena *mem,
			    struct err *err);

/* Both are objects or nested ones. */
static int merge_object(struct json *into, const struct json *from, const struct field_path *path,
			struct str where, struct arena *mem, struct err *err)
{
	json_each (member, from) {
		struct json *mine = json_get_str(into, member->key);

		if (!mine) {
			json_set(into, member->key, json_copy(mem, member));
		} else if (str_is(member->key, "properties")) {
			if (merge_properties(mine, member, path, where, mem, err) < 0)
				return -(int)ERR_CONFLICT;
		} else if (!json_equal(mine, member)) {
			return conflict(path, member->key, where, err);
		}
	}
	return 0;
}

static bool both_nested_or_neither(const struct json *a, const struct json *b)
{
	return str_is(json_string(json_get(a, "type")), "nested") ==
	       str_is(json_string(json_get(b, "type")), "nested");
}

/* As deep as the tree is: at most LIMIT_JSON_DEPTH. */
static int merge_properties(struct json *into, const struct json *from,
			    const struct field_path *parent, struct str where, struct arena *mem,
			    struct err *err)
{
	json_each (field, from) {
		struct field_path path = {.parent = parent, .name = field->key};
		struct json *mine = json_get_str(into, field->key);

		if (!mine) {
			json_set(into, field->key, json_copy(mem, field));
			continue;
		}
		if (json_equal(mine, field))
			continue;
		if (!is_object_field(mine) || !is_object_field(field) ||
		    !both_nested_or_neither(mine, field))
			return conflict(&path, STR_NONE, where, err);
		if (merge_object(mine, field, &path, where, mem, err) < 0)
			return -(int)ERR_CONFLICT;
	}
	return 0;
}

static bool array_has(const struct json *array, const struct json *v)
{
	json_each (one, array)
		if (json_equal(one, v))
			return true;
	return false;
}

static void merge_templates(struct json *into, const struct json *from, struct arena *mem)
{
	json_each (one, from)
		if (!array_has(into, one))
			json_append(into, json_copy(mem, one));
}

static int merge_key(struct json *into, struct json *mine, const struct json *member,
		     struct str where, struct arena *mem, struct err *err)
{
	if (str_is(member->key, "properties"))
		return merge_properties(mine, member, NULL, where, mem, err);
	if (json_equal(mine, member) ||
	    is_one_of(member->key, obsolete_keys, COUNT_OF(obsolete_keys)))
		return 0;
	if (str_is(member->key, "dynamic_templates") && mine->type == JSON_ARRAY)
		merge_templates(mine, member, mem);
	else if (str_is(member->key, "_meta"))
		type_mapping_add_defaults(mine, member, mem);
	else if (str_is(member->key, "_routing"))
		json_remove(into, member->key);
	else
		return conflict(NULL, member->key, where, err);
	return 0;
}

int type_mapping_merge(struct json *into, const struct json *from, struct str where,
		       struct arena *mem, struct err *err)
{
	/* Where one type does without a routing, the index cannot require it. */
	if (!json_get(from, "_routing"))
		json_remove(into, STR("_routing"));
	json_each (member, from) {
		struct json *mine = json_get_str(into, member->key);
		int status = 0;

		if (mine)
			status = merge_key(into, mine, member, where, mem, err);
		else if (!str_is(member->key, "_routing"))
			json_set(into, member->key, json_copy(mem, member));
		if (status < 0)
			return status;
	}
	return 0;
}

void type_mapping_add_defaults(struct json *into, const struct json *defaults, struct arena *mem)
{
	json_each (member, defaults) {
		struct json *mine = json_get_str(into, member->key);

		if (!mine)
			json_set(into, member->key, json_copy(mem, member));
		else if (str_is(member->key, "properties"))
			type_mapping_add_defaults(mine, member, mem);
	}
}
