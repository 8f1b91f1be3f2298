/* What stands at the root of a mapping. */
#include "metadata/rules_internal.h"

struct removal {
	const char *key;
	const char *why; /* what is lost with it; NULL: nothing */
};

static bool remove_keys(struct rule_scope *scope, const char *rule, struct json *mapping,
			const struct removal *removals, size_t count)
{
	bool changed = false;

	for (size_t i = 0; i < count; i++) {
		if (!json_remove(mapping, str_from(removals[i].key)))
			continue;
		rule_note(scope, rule, removals[i].why ? NOTE_WARN : NOTE_CHANGE, "removed %s%s%s",
			  removals[i].key, removals[i].why ? ": " : "",
			  removals[i].why ? removals[i].why : "");
		changed = true;
	}
	return changed;
}

static bool remove_early_keys(struct rule_scope *scope, struct str name, struct json *mapping)
{
	static const struct removal removals[] = {
		{"_timestamp", "write the time into a date field"},
		{"_ttl", "expire documents by whole indices, with an ISM or ILM policy"},
		{"_boost", NULL},
		{"_analyzer", NULL},
		{"_uid", NULL},
		{"_type", NULL},
		{"_id", NULL},
		{"_index", NULL},
		{"_size", "it needs the plugin mapper-size"},
		{"transform", "its script ran on the source; a pipeline can take its place"},
		{"index_analyzer", NULL},
		{"search_analyzer", NULL},
		{"analyzer", NULL},
	};
	bool changed = remove_keys(scope, "root-early", mapping, removals, COUNT_OF(removals));

	(void)name;
	return json_remove(json_get(mapping, "_routing"), STR("path")) != NULL || changed;
}

static bool remove_all_field(struct rule_scope *scope, struct str name, struct json *mapping)
{
	struct json *all = json_remove(mapping, STR("_all"));
	bool was_on = all && json_bool_or(json_get(all, "enabled"), true);

	(void)name;
	json_remove(mapping, STR("include_in_all"));
	if (!all)
		return false;
	rule_note(scope, "root-all", was_on ? NOTE_WARN : NOTE_CHANGE, "removed _all%s",
		  was_on ? ": copy_to into a field of your own replaces it" : "");
	return true;
}

static bool remove_parent(struct rule_scope *scope, struct str name, struct json *mapping)
{
	static const struct removal removals[] = {
		{"_parent",
		 "parent and child became the join field; children keep their routing, and queries "
		 "by has_child or has_parent need documents with a join field"},
	};

	(void)name;
	return remove_keys(scope, "root-parent", mapping, removals, COUNT_OF(removals));
}

static bool remove_field_names(struct rule_scope *scope, struct str name, struct json *mapping)
{
	static const struct removal removals[] = {{"_field_names", NULL}};

	(void)name;
	return remove_keys(scope, "root-field-names", mapping, removals, COUNT_OF(removals));
}

/* runtime: {"name": {"type": …, "script": …}} */
static bool remove_runtime(struct rule_scope *scope, struct str name, struct json *mapping)
{
	struct json *runtime = json_remove(mapping, STR("runtime"));
	bool dynamic = str_is(json_string(json_get(mapping, "dynamic")), "runtime");

	(void)name;
	json_each (field, runtime)
		rule_note(scope, "root-runtime", NOTE_WARN,
			  "removed runtime field '" STR_FMT
			  "': index it, or define it as a derived field where the target has them",
			  STR_ARG(field->key));
	if (dynamic) {
		json_set(mapping, STR("dynamic"), json_new_string(&scope->set->mem, STR("true")));
		rule_note(scope, "root-runtime", NOTE_WARN,
			  "dynamic is true: OpenSearch makes no runtime fields by itself");
	}
	return runtime || dynamic;
}

static bool remove_elasticsearch_keys(struct rule_scope *scope, struct str name,
				      struct json *mapping)
{
	static const struct removal removals[] = {
		{"_data_stream_timestamp", NULL},
		{"_tier", NULL},
		{"_doc_count", NULL},
		{"_inference_fields", NULL},
		{"subobjects", "names with dots become objects"},
	};
	struct json *source = json_get(mapping, "_source");
	bool changed = remove_keys(scope, "root-elasticsearch-only", mapping, removals,
				   COUNT_OF(removals));

	(void)name;
	if (!json_remove(source, STR("mode")))
		return changed;
	if (source && !source->first)
		json_remove(mapping, STR("_source"));
	rule_note(scope, "root-elasticsearch-only", NOTE_WARN,
		  "removed _source.mode: OpenSearch stores sources whole");
	return true;
}

static bool remove_source_options(struct rule_scope *scope, struct str name, struct json *mapping)
{
	static const struct removal removals[] = {
		{"compress", NULL},
		{"compress_threshold", NULL},
		{"format", NULL},
		{"path", NULL},
	};
	struct json *source = json_get(mapping, "_source");

	(void)name;
	return source &&
	       remove_keys(scope, "root-source-options", source, removals, COUNT_OF(removals));
}

/* What fields that documents bring may be recognised as. */
static bool is_match_type(struct str type)
{
	static const char *const names[] = {"*",      "object",  "string", "long",
					    "double", "boolean", "date",   "binary"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(type, names[i]))
			return true;
	return false;
}

/* Takes the members of a list that `wanted` does not want out of it. */
static bool remove_elements(struct json *list, bool (*wanted)(const struct json *element))
{
	struct json *kept = NULL, *last = NULL;
	size_t before = list->count, count = 0;

	for (struct json *element = list->first, *next; element; element = next) {
		next = element->next;
		if (!wanted(element))
			continue;
		element->next = NULL;
		if (last)
			last->next = element;
		else
			kept = element;
		last = element;
		count++;
	}
	list->first = kept;
	list->last = last;
	list->count = count;
	return count < before;
}

/* {"name": {"match_mapping_type": …}} */
static bool matches_something(const struct json *element)
{
	struct str type = json_string(json_get(element->first, "match_mapping_type"));

	return !type.ptr || is_match_type(type);
}

static bool remove_matchless(struct rule_scope *scope, struct str name, struct json *mapping)
{
	struct json *templates = json_get(mapping, "dynamic_templates");

	(void)name;
	if (!templates || !remove_elements(templates, matches_something))
		return false;
	rule_note(scope, "dynamic-match-type", NOTE_CHANGE,
		  "removed dynamic templates whose match_mapping_type nothing ever had");
	return true;
}

/* {dynamic_type}, or none, of a field that came as a string was string. */
static bool name_strings(struct rule_scope *scope, struct str name, struct json *mapping)
{
	bool changed = false;

	(void)name;
	json_each (element, json_get(mapping, "dynamic_templates")) {
		struct json *definition = json_get(element->first, "mapping");
		struct str type = json_string(json_get(definition, "type"));

		if (!definition || (type.ptr && !str_is(type, "{dynamic_type}")) ||
		    !str_is(json_string(json_get(element->first, "match_mapping_type")), "string"))
			continue;
		field_set_type(scope, definition, "string");
		rule_note(scope, "dynamic-string", NOTE_CHANGE,
			  "dynamic template '" STR_FMT "' is of strings",
			  STR_ARG(element->first->key));
		changed = true;
	}
	return changed;
}

const struct rule rules_of_mapping_roots[] = {
	{"root-source-options", "B502", RULE_MAPPING, ES_BELOW(5000), ANY_VERSION,
	 "Options of _source that are gone", remove_source_options},
	{"dynamic-match-type", "B607", RULE_MAPPING, ES_BELOW(6000), ANY_VERSION,
	 "Dynamic templates for types that no field is recognised as", remove_matchless},
	{"dynamic-string", "B501", RULE_MAPPING, ES_BELOW(5000), ANY_VERSION,
	 "Dynamic templates for strings name the type", name_strings},
	{"root-early", "B203,B507", RULE_MAPPING, ES_BELOW(6000), ANY_VERSION,
	 "Metadata fields that cannot be configured any more", remove_early_keys},
	{"root-all", "B602", RULE_MAPPING, OS_OR_ES_BELOW(8000), ANY_VERSION, "_all is gone",
	 remove_all_field},
	{"root-parent", "B605", RULE_MAPPING, ES_BELOW(7000), ANY_VERSION,
	 "_parent is the join field", remove_parent},
	{"root-field-names", "B803", RULE_MAPPING, ANY_VERSION, OS_OR_ES_FROM(8000),
	 "_field_names cannot be switched any more", remove_field_names},
	{"root-runtime", NULL, RULE_MAPPING, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "OpenSearch has no runtime fields", remove_runtime},
	{"root-elasticsearch-only", NULL, RULE_MAPPING, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Metadata fields that only Elasticsearch has", remove_elasticsearch_keys},
	{0},
};
