/* Bodies of indices and templates in one form, however they were spelled. */
#include "metadata/read_internal.h"
#include "metadata/settings_tree.h"

#include <stdlib.h>

bool metadata_has_types(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_ELASTICSEARCH && version->major < 7;
}

/* What may stand at the root of a mapping: anything else is a type's name. */
static bool is_mapping_key(struct str key)
{
	static const char *const keys[] = {
		"properties",
		"dynamic",
		"dynamic_templates",
		"date_detection",
		"_source",
		"_routing",
		"numeric_detection",
		"dynamic_date_formats",
		"_meta",
		"_all",
		"_field_names",
		"_size",
		"_parent",
		"_timestamp",
		"_ttl",
		"_id",
		"_index",
		"_type",
		"_data_stream_timestamp",
		"runtime",
		"_doc_count",
		"_tier",
		"_ignored",
		"subobjects",
		"include_in_all",
		"_boost",
		"_analyzer",
		"index_analyzer",
		"search_analyzer",
		"analyzer",
		"transform",
		"enabled",
		"date_formats",
		"_uid",
		"derived",
		"properties_order",
	};

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (str_is(key, keys[i]))
			return true;
	return false;
}

/* An object is type -> mapping when no key of it may stand in a mapping. */
static bool is_in_types(const struct json *mappings)
{
	if (!mappings || mappings->type != JSON_OBJECT || !mappings->first)
		return false;
	json_each (member, mappings)
		if (is_mapping_key(member->key) || member->type != JSON_OBJECT)
			return false;
	return true;
}

/* [{"a": {…}}, {"b": {…}}] as {"a": {…}, "b": {…}}; a copy. */
static struct json *as_object(const struct json *mappings, struct arena *mem)
{
	struct json *out;

	if (!mappings || mappings->type != JSON_ARRAY)
		return mappings && mappings->type == JSON_OBJECT ? json_copy(mem, mappings)
								 : json_new(mem, JSON_OBJECT);
	out = json_new(mem, JSON_OBJECT);
	json_each (element, mappings)
		json_each (member, element)
			json_set(out, member->key, json_copy(mem, member));
	return out;
}

/* Mappings alone: typed: an object type -> mapping; else bare. */
static struct json *metadata_mappings(const struct json *mappings, bool typed, struct arena *mem)
{
	struct json *object = as_object(mappings, mem), *out;

	if (!object)
		return NULL;
	if (is_in_types(object) == typed || !object->first)
		return object;
	if (!typed) {
		json_each (type, object)
			if (!str_is(type->key, "_default_"))
				return json_copy(mem, type);
		return json_new(mem, JSON_OBJECT);
	}
	out = json_new(mem, JSON_OBJECT);
	json_set(out, STR("_doc"), object);
	return out;
}

struct json *metadata_body(const struct json *body, bool typed, struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT);
	struct json *aliases = json_get(body, "aliases");

	json_each (member, body)
		if (!str_is(member->key, "settings") && !str_is(member->key, "mappings") &&
		    !str_is(member->key, "aliases"))
			json_set(out, member->key, json_copy(mem, member));
	json_set(out, STR("settings"), settings_tree(json_get(body, "settings"), mem));
	json_set(out, STR("mappings"), metadata_mappings(json_get(body, "mappings"), typed, mem));
	json_set(out, STR("aliases"),
		 aliases && aliases->type == JSON_OBJECT ? json_copy(mem, aliases)
							 : json_new(mem, JSON_OBJECT));
	return mem->failed ? NULL : out;
}

bool metadata_read_wants(const struct metadata_read_options *options, enum metadata_kind kind)
{
	bool any = false;

	for (int i = 0; options && i < METADATA_KINDS; i++)
		any |= options->kinds[i];
	return !any || options->kinds[kind];
}

struct metadata_item *metadata_read_add(struct metadata_set *set,
					const struct metadata_read_options *options,
					enum metadata_kind kind, struct str name,
					const struct json *source)
{
	struct metadata_item *item;

	if (!metadata_read_wants(options, kind))
		return NULL;
	item = metadata_set_add(set, kind, name, source);
	if (item)
		item->typed = metadata_has_types(&set->version);
	return item;
}

/* Whether a mapping (of one type, or of all) keeps its documents' sources in part or not at all. */
static bool keeps_part(const struct json *mapping)
{
	const struct json *source = json_get(mapping, "_source");
	const struct json *includes = json_get(source, "includes");
	const struct json *excludes = json_get(source, "excludes");
	struct str mode = json_string(json_get(source, "mode"));

	return !json_bool_or(json_get(source, "enabled"), true) || (includes && includes->first) ||
	       (excludes && excludes->first) || str_is(mode, "synthetic") ||
	       str_is(mode, "disabled");
}

static bool stores_part(const struct json *body, bool typed)
{
	const struct json *mappings = json_get(body, "mappings");
	struct str mode = json_string(settings_get(json_get(body, "settings"), "mode"));
	struct str source =
		json_string(settings_get(json_get(body, "settings"), "mapping.source.mode"));

	if (str_is(mode, "logsdb") || str_is(mode, "time_series") || str_is(source, "synthetic") ||
	    str_is(source, "disabled"))
		return true;
	if (!typed)
		return keeps_part(mappings);
	json_each (type, mappings)
		if (keeps_part(type))
			return true;
	return false;
}

int metadata_add_index(struct metadata_set *set, const struct metadata_read_options *options,
		       struct str name, struct json *body, bool closed, struct err *err)
{
	const struct json *settings = json_get(body, "settings");
	struct metadata_item *item;

	if (closed && options && options->open_only)
		return 0;
	item = metadata_set_add(set, METADATA_INDEX, name, body);
	if (!item)
		return arena_fail(&set->mem, "the metadata of the indices", err);
	item->typed = metadata_has_types(&set->version);
	item->closed = closed;
	item->hidden = json_bool_or(settings_get(settings, "hidden"), false);
	item->partial_source = stores_part(body, item->typed);
	return 0;
}

/* Elasticsearch 5 took {"code": …} and the bare text of a template, too. */
static struct json *script_body(const struct json *script, struct str lang, struct arena *mem)
{
	struct json *inner = json_copy(mem, script), *out = json_new(mem, JSON_OBJECT);
	struct json *code;

	if (inner && inner->type != JSON_OBJECT) {
		struct json *text = inner;

		inner = json_new(mem, JSON_OBJECT);
		json_set(inner, STR("lang"), json_new_string(mem, lang));
		json_set(inner, STR("source"), text);
	}
	code = json_remove(inner, STR("code"));
	if (code)
		json_set(inner, STR("source"), code);
	json_set(out, STR("script"), inner);
	return out;
}

int metadata_add_scripts(struct metadata_set *set, const struct metadata_read_options *options,
			 const struct json *scripts, struct err *err)
{
	if (!metadata_read_wants(options, METADATA_SCRIPT))
		return 0;
	json_each (script, scripts) {
		struct str lang = STR_NONE, id = script->key;

		if (str_split(script->key, '#', &lang, &id) && json_get_str(scripts, id))
			continue;
		if (!lang.len || !id.len)
			id = script->key;
		if (!metadata_read_add(set, options, METADATA_SCRIPT, id,
				       script_body(script, lang, &set->mem)))
			return arena_fail(&set->mem, "the stored scripts", err);
	}
	return 0;
}

/* {"index": {alias body}} of every index that has the alias. */
static struct json *alias_source(struct metadata_set *set, struct str alias)
{
	struct json *source = json_new(&set->mem, JSON_OBJECT);

	for (size_t i = 0; i < set->count; i++) {
		const struct metadata_item *item = set->items[i];
		const struct json *body;

		if (item->kind != METADATA_INDEX)
			continue;
		body = json_get_str(json_get(item->source, "aliases"), alias);
		if (body)
			json_set(source, item->name, json_copy(&set->mem, body));
	}
	return source;
}

int metadata_read_finish(struct metadata_set *set, struct err *err)
{
	size_t indices = set->count;

	for (size_t i = 0; i < indices; i++) {
		if (set->items[i]->kind != METADATA_INDEX)
			continue;
		json_each (alias, json_get(set->items[i]->source, "aliases")) {
			if (metadata_set_find(set, METADATA_ALIAS, alias->key))
				continue;
			if (!metadata_set_add(set, METADATA_ALIAS, alias->key,
					      alias_source(set, alias->key)))
				return arena_fail(&set->mem, "the aliases", err);
		}
	}
	metadata_set_sort(set);
	return set->mem.failed ? arena_fail(&set->mem, "the metadata", err) : 0;
}
