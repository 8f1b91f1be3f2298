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

const struct rule rules_of_mapping_roots[] = {
	{"root-early", "B203,B507", RULE_MAPPING, ES_BELOW(6000), ANY_VERSION,
	 "Metadata fields that cannot be configured any more", remove_early_keys},
	{"root-all", "B602", RULE_MAPPING, ES_BELOW(7000), ANY_VERSION, "_all is gone",
	 remove_all_field},
	{"root-parent", "B605", RULE_MAPPING, ES_BELOW(6000), ANY_VERSION,
	 "_parent is the join field", remove_parent},
	{"root-field-names", "B803", RULE_MAPPING, ANY_VERSION, ANY_VERSION,
	 "_field_names cannot be switched any more", remove_field_names},
	{"root-runtime", NULL, RULE_MAPPING, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "OpenSearch has no runtime fields", remove_runtime},
	{"root-elasticsearch-only", NULL, RULE_MAPPING, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Metadata fields that only Elasticsearch has", remove_elasticsearch_keys},
	{0},
};
