/* Parameters of fields. */
#include "metadata/rules_internal.h"

static bool remove_names(struct rule_scope *scope, const char *rule, struct json *definition,
			 const char *const *names, size_t count, enum note_level level,
			 const char *why)
{
	bool changed = false;

	for (size_t i = 0; i < count; i++)
		if (json_remove(definition, str_from(names[i]))) {
			rule_note(scope, rule, level, "removed %s: %s", names[i], why);
			changed = true;
		}
	return changed;
}

static bool remove_include_in_all(struct rule_scope *scope, struct str name,
				  struct json *definition)
{
	(void)name;
	if (!json_remove(definition, STR("include_in_all")))
		return false;
	rule_note(scope, "field-include-in-all", NOTE_INFO, "removed include_in_all: _all is gone");
	return true;
}

static bool rename_member(struct json *definition, const char *from, const char *to)
{
	struct json *value = json_remove(definition, str_from(from));

	if (value && !json_get(definition, to))
		json_set(definition, str_from(to), value);
	return value != NULL;
}

static bool rename_early_parameters(struct rule_scope *scope, struct str name,
				    struct json *definition)
{
	static const char *const pairs[][2] = {
		{"index_analyzer", "analyzer"},
		{"position_offset_gap", "position_increment_gap"},
	};
	bool changed = false;

	(void)name;
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		if (rename_member(definition, pairs[i][0], pairs[i][1])) {
			rule_note(scope, "field-early-names", NOTE_CHANGE, "%s is %s now",
				  pairs[i][0], pairs[i][1]);
			changed = true;
		}
	return changed;
}

static bool remove_early_parameters(struct rule_scope *scope, struct str name,
				    struct json *definition)
{
	static const char *const names[] = {
		"precision_step",
		"postings_format",
		"doc_values_format",
		"index_name",
		"compress",
		"compress_threshold",
		"ignore_conflicts",
		"numeric_resolution",
		"omit_term_freq_and_positions",
		"store_term_vector",
		"lat_lon",
		"geohash",
		"geohash_precision",
		"geohash_prefix",
		"validate",
		"validate_lat",
		"validate_lon",
		"normalize",
		"normalize_lat",
		"normalize_lon",
		"store_term_vector_offsets",
		"store_term_vector_positions",
		"fuzzy_factor",
		"dynamic_date_formats",
	};
	struct json *fielddata = json_get(definition, "fielddata");
	bool object = str_is(field_type(definition), "object") ||
		      str_is(field_type(definition), "nested");
	bool changed = remove_names(scope, "field-early", definition, names, COUNT_OF(names),
				    NOTE_CHANGE, "no later version takes it");

	(void)name;
	if (object)
		changed |= json_remove(definition, STR("path")) != NULL;
	if (fielddata && fielddata->type == JSON_OBJECT) {
		json_remove(definition, STR("fielddata"));
		rule_note(scope, "field-early", NOTE_CHANGE,
			  "removed fielddata: it is true or false, for text, now");
		changed = true;
	}
	return changed;
}

static bool is_number_type(struct str type)
{
	static const char *const names[] = {"long",    "integer", "short",      "byte",
					    "double",  "float",   "half_float", "scaled_float",
					    "boolean", "date",    "ip"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(type, names[i]))
			return true;
	return false;
}

static bool remove_index_options(struct rule_scope *scope, struct str name, struct json *definition)
{
	static const char *const names[] = {"index_options", "analyzer", "term_vector", "norms"};

	(void)name;
	if (!is_number_type(field_type(definition)))
		return false;
	return remove_names(scope, "field-number-options", definition, names, COUNT_OF(names),
			    NOTE_CHANGE, "it is of text alone");
}

static bool remove_boost(struct rule_scope *scope, struct str name, struct json *definition)
{
	static const char *const names[] = {"boost"};

	(void)name;
	return remove_names(scope, "field-boost", definition, names, COUNT_OF(names), NOTE_WARN,
			    "boost in the query instead");
}

static bool replace_similarity(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct str similarity = json_string(json_get(definition, "similarity"));

	(void)name;
	if (!str_is(similarity, "classic") && !str_is(similarity, "default"))
		return false;
	json_set(definition, STR("similarity"), json_new_string(&scope->set->mem, STR("BM25")));
	rule_note(scope, "field-similarity", NOTE_WARN,
		  "similarity " STR_FMT " is BM25: scores change", STR_ARG(similarity));
	return true;
}

/* similarity settings of an index: {"name": {"type": "classic"}} */
static bool replace_default_similarity(struct rule_scope *scope, struct str name,
				       struct json *settings)
{
	bool changed = false;

	(void)name;
	json_each (similarity, json_get(settings, "similarity")) {
		struct str type = json_string(json_get(similarity, "type"));

		if (!str_is(type, "classic") && !str_is(type, "default"))
			continue;
		json_set(similarity, STR("type"), json_new_string(&scope->set->mem, STR("BM25")));
		rule_note(scope, "settings-similarity", NOTE_WARN,
			  "similarity '" STR_FMT "' of type " STR_FMT " is BM25: scores change",
			  STR_ARG(similarity->key), STR_ARG(type));
		changed = true;
	}
	return changed;
}

static bool remove_shape_tree(struct rule_scope *scope, struct str name, struct json *definition)
{
	static const char *const names[] = {"tree",      "tree_levels",        "strategy",
					    "precision", "distance_error_pct", "points_only"};

	(void)name;
	if (!str_is(field_type(definition), "geo_shape"))
		return false;
	return remove_names(scope, "field-shape-tree", definition, names, COUNT_OF(names),
			    NOTE_WARN, "shapes are exact now: results may change");
}

/* Under their names, or below_name where that is taken. */
static void move_beside(struct rule_scope *scope, struct json *fields, struct str below,
			struct json *inner)
{
	for (struct json *field = inner->first, *next; field; field = next) {
		struct str key = field->key;

		next = field->next;
		if (json_get_str(fields, key))
			key = arena_printf(&scope->set->mem, STR_FMT "_" STR_FMT, STR_ARG(below),
					   STR_ARG(field->key));
		json_set(fields, key, json_copy(&scope->set->mem, field));
	}
}

static bool flatten_multi_fields(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct json *fields = json_get(definition, "fields");
	bool changed = false;

	(void)name;
	/* Those that are added behind get their turn, too. */
	json_each (field, fields) {
		struct json *inner = json_remove(field, STR("fields"));

		if (!inner)
			continue;
		rule_note(scope, "field-chained", NOTE_WARN,
			  "the fields of the multi-field '" STR_FMT "' stand beside it now",
			  STR_ARG(field->key));
		move_beside(scope, fields, field->key, inner);
		changed = true;
	}
	return changed;
}

static bool remove_copies(struct rule_scope *scope, struct str name, struct json *definition)
{
	bool changed = false;

	(void)name;
	json_each (field, json_get(definition, "fields"))
		if (json_remove(field, STR("copy_to"))) {
			rule_note(scope, "field-copy-to", NOTE_WARN,
				  "removed copy_to of the multi-field '" STR_FMT
				  "': it is of whole fields alone",
				  STR_ARG(field->key));
			changed = true;
		}
	return changed;
}

/* Elasticsearch 1 took a search analyzer alone. */
static bool name_index_analyzer(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	if (!json_get(definition, "search_analyzer") || json_get(definition, "analyzer"))
		return false;
	json_set(definition, STR("analyzer"), json_new_string(&scope->set->mem, STR("default")));
	rule_note(scope, "field-search-analyzer", NOTE_CHANGE,
		  "analyzer default, which search_analyzer needs beside it");
	return true;
}

static bool remove_elasticsearch_parameters(struct rule_scope *scope, struct str name,
					    struct json *definition)
{
	static const char *const names[] = {"time_series_metric",
					    "time_series_dimension",
					    "synthetic_source_keep",
					    "subobjects",
					    "metric",
					    "on_script_error"};
	bool changed = remove_names(scope, "field-elasticsearch-only", definition, names,
				    COUNT_OF(names), NOTE_CHANGE, "OpenSearch does not know it");

	(void)name;
	if (json_remove(definition, STR("script"))) {
		rule_note(
			scope, "field-elasticsearch-only", NOTE_WARN,
			"removed script: OpenSearch computes no field while it indexes; a pipeline "
			"can");
		changed = true;
	}
	return changed;
}

const struct rule rules_of_fields[] = {
	{"field-early-names", "B204", RULE_FIELD, ES_BELOW(5000), ANY_VERSION,
	 "Parameters by the names they have now", rename_early_parameters},
	{"field-early", "B204,B502", RULE_FIELD, ES_BELOW(6000), ANY_VERSION,
	 "Parameters of Elasticsearch 1 to 5 that no later version takes", remove_early_parameters},
	{"field-include-in-all", "B602", RULE_FIELD, ES_BELOW(7000), ANY_VERSION,
	 "include_in_all went with _all", remove_include_in_all},
	{"field-number-options", "B711", RULE_FIELD, ES_BELOW(7000), ANY_VERSION,
	 "Parameters of text on numbers", remove_index_options},
	{"field-similarity", "B505,B704", RULE_FIELD, ES_BELOW(8000), OS_OR_ES_FROM(7000),
	 "The classic similarity is BM25", replace_similarity},
	{"settings-similarity", "B505,B704", RULE_SETTINGS, ES_BELOW(8000), OS_OR_ES_FROM(7000),
	 "Similarities of the classic type", replace_default_similarity},
	{"field-boost", "B803", RULE_FIELD, ANY_VERSION, ES_FROM(8000), "Boosts of fields are gone",
	 remove_boost},
	{"field-shape-tree", "B707,B803", RULE_FIELD, ES_BELOW(8000), OS_OR_ES_FROM(8000),
	 "Prefix trees of geo_shape", remove_shape_tree},
	{"field-chained", "B803", RULE_FIELD, ANY_VERSION, ES_FROM(8000),
	 "Multi-fields inside multi-fields stand beside them", flatten_multi_fields},
	{"field-copy-to", NULL, RULE_FIELD, ANY_VERSION, ANY_VERSION,
	 "Multi-fields are copied nowhere", remove_copies},
	{"field-search-analyzer", "B204", RULE_FIELD, ES_BELOW(2000), ANY_VERSION,
	 "A search analyzer needs an analyzer beside it", name_index_analyzer},
	{"field-elasticsearch-only", NULL, RULE_FIELD, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Parameters that only Elasticsearch has", remove_elasticsearch_parameters},
	{0},
};
