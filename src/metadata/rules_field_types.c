/* Types of fields that the target has under another name, or not at all. */
#include "metadata/rules_internal.h"

/* Members other than those named go: the new type knows none of the old one's. */
static void keep_only(struct json *definition, const char *const *names, size_t count)
{
	for (struct json *member = definition->first, *next; member; member = next) {
		bool kept = str_is(member->key, "type");

		next = member->next;
		for (size_t i = 0; i < count; i++)
			kept |= str_is(member->key, names[i]);
		if (!kept)
			json_remove(definition, member->key);
	}
}

static bool become(struct rule_scope *scope, const char *rule, struct json *definition,
		   const char *from, const char *to, enum note_level level, const char *why)
{
	static const char *const common[] = {"ignore_above", "store",  "null_value",
					     "copy_to",      "fields", "meta"};

	if (!field_has_type(definition, from))
		return false;
	keep_only(definition, common, COUNT_OF(common));
	field_set_type(scope, definition, to);
	rule_note(scope, rule, level, "type %s is %s%s%s", from, to, why ? ": " : "",
		  why ? why : "");
	return true;
}

/* Kept and stored, not searchable. */
static bool disable(struct rule_scope *scope, const char *rule, struct json *definition,
		    const char *type)
{
	if (!field_has_type(definition, type))
		return false;
	if (scope->options->on_unsupported == UNSUPPORTED_BLOCK) {
		rule_block(scope, rule,
			   "field type %s at " STR_FMT
			   " has no counterpart on the target; --on-unsupported disable keeps such "
			   "fields unindexed",
			   type, STR_ARG(scope->path));
		return true;
	}
	keep_only(definition, NULL, 0);
	field_set_type(scope, definition, "object");
	json_set(definition, STR("enabled"), json_new_bool(&scope->set->mem, false));
	rule_note(scope, rule, NOTE_WARN,
		  "type %s has no counterpart: kept in the source, not searchable", type);
	return true;
}

static bool flattened_to_flat_object(struct rule_scope *scope, struct str name,
				     struct json *definition)
{
	(void)name;
	if (!field_has_type(definition, "flattened"))
		return false;
	keep_only(definition, NULL, 0);
	field_set_type(scope, definition, "flat_object");
	rule_note(scope, "flattened", NOTE_CHANGE, "type flattened is flat_object");
	return true;
}

static bool disable_flattened(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	if (!field_has_type(definition, "flattened"))
		return false;
	keep_only(definition, NULL, 0);
	field_set_type(scope, definition, "object");
	json_set(definition, STR("enabled"), json_new_bool(&scope->set->mem, false));
	rule_note(scope, "flattened-old-target", NOTE_WARN,
		  "type flattened came as flat_object with OpenSearch 2.7: kept in the source, not "
		  "searchable");
	return true;
}

static bool flat_object_to_flattened(struct rule_scope *scope, struct str name,
				     struct json *definition)
{
	(void)name;
	if (!field_has_type(definition, "flat_object"))
		return false;
	field_set_type(scope, definition, "flattened");
	rule_note(scope, "flat-object", NOTE_CHANGE, "type flat_object is flattened");
	return true;
}

static bool constant_keyword_value(struct rule_scope *scope, struct str name,
				   struct json *definition)
{
	(void)name;
	if (!field_has_type(definition, "constant_keyword") || json_get(definition, "value"))
		return false;
	return become(scope, "constant-keyword", definition, "constant_keyword", "keyword",
		      NOTE_WARN, "OpenSearch wants its value in the mapping, and there is none");
}

static bool constant_keyword(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "constant-keyword-old-target", definition, "constant_keyword",
		      "keyword", NOTE_WARN, "documents that leave it out have no value then");
}

static bool wildcard(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "wildcard", definition, "wildcard", "keyword", NOTE_WARN,
		      "wildcard queries are slower on it");
}

static bool become_text(struct rule_scope *scope, const char *rule, struct json *definition)
{
	struct arena *mem = &scope->set->mem;

	if (!field_has_type(definition, "match_only_text"))
		return false;
	field_set_type(scope, definition, "text");
	json_set(definition, STR("norms"), json_new_bool(mem, false));
	json_set(definition, STR("index_options"), json_new_string(mem, STR("docs")));
	rule_note(scope, rule, NOTE_CHANGE,
		  "type match_only_text is text without norms and positions");
	return true;
}

static bool match_only_text(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become_text(scope, "match-only-text", definition);
}

static bool match_only_text_early(struct rule_scope *scope, struct str name,
				  struct json *definition)
{
	(void)name;
	return become_text(scope, "match-only-text-elasticsearch", definition);
}

static bool wildcard_early(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "wildcard-elasticsearch", definition, "wildcard", "keyword", NOTE_WARN,
		      "wildcard queries are slower on it");
}

static bool unsigned_long_early(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "unsigned-long-elasticsearch", definition, "unsigned_long", "long",
		      NOTE_WARN, "values above 9223372036854775807 are refused");
}

static bool constant_keyword_early(struct rule_scope *scope, struct str name,
				   struct json *definition)
{
	(void)name;
	return become(scope, "constant-keyword-elasticsearch", definition, "constant_keyword",
		      "keyword", NOTE_WARN, "documents that leave it out have no value then");
}

static bool version_type(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "version", definition, "version", "keyword", NOTE_WARN,
		      "it sorts as text");
}

static bool unsigned_long(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "unsigned-long", definition, "unsigned_long", "long", NOTE_WARN,
		      "values above 9223372036854775807 are refused");
}

static bool points_and_shapes(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "xy", definition, "point", "xy_point", NOTE_WARN,
		      "it needs the geospatial plugin") ||
	       become(scope, "xy", definition, "shape", "xy_shape", NOTE_WARN,
		      "it needs the geospatial plugin");
}

static bool unsupported(struct rule_scope *scope, struct str name, struct json *definition)
{
	static const char *const types[] = {
		"histogram",    "aggregate_metric_double", "counted_keyword",       "passthrough",
		"rank_vectors", "semantic_text",           "exponential_histogram",
	};

	(void)name;
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (disable(scope, "unsupported-type", definition, types[i]))
			return true;
	return false;
}

static bool opensearch_only(struct rule_scope *scope, struct str name, struct json *definition)
{
	static const char *const types[] = {"knn_vector", "xy_point", "xy_shape",
					    "derived",    "semantic", "star_tree"};

	(void)name;
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (disable(scope, "opensearch-type", definition, types[i]))
			return true;
	return false;
}

static bool sparse_vector(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return become(scope, "sparse-vector", definition, "sparse_vector", "rank_features",
		      NOTE_WARN, "it takes positive values alone");
}

static bool attachment(struct rule_scope *scope, struct str name, struct json *definition)
{
	(void)name;
	return disable(scope, "attachment", definition, "attachment");
}

static bool points_and_shapes_disabled(struct rule_scope *scope, struct str name,
				       struct json *definition)
{
	(void)name;
	return disable(scope, "xy-old-target", definition, "point") ||
	       disable(scope, "xy-old-target", definition, "shape");
}

const struct rule rules_of_field_types[] = {
	{"xy-old-target", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_BELOW(2004),
	 "point and shape came as xy_point and xy_shape with OpenSearch 2.4",
	 points_and_shapes_disabled},
	{"flattened", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_FROM(2007),
	 "flattened is flat_object", flattened_to_flat_object},
	{"flattened-old-target", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_BELOW(2007),
	 "flattened has no counterpart before OpenSearch 2.7", disable_flattened},
	{"flat-object", NULL, RULE_FIELD, ANY_OPENSEARCH, ES_FROM(7003), "flat_object is flattened",
	 flat_object_to_flattened},
	{"constant-keyword", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_FROM(2014),
	 "constant_keyword needs its value", constant_keyword_value},
	{"constant-keyword-old-target", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_BELOW(2014),
	 "constant_keyword is keyword", constant_keyword},
	{"wildcard", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_BELOW(2015), "wildcard is keyword",
	 wildcard},
	{"match-only-text", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_BELOW(2012),
	 "match_only_text is text", match_only_text},
	{"match-only-text-elasticsearch", NULL, RULE_FIELD, ANY_OPENSEARCH, ES_BELOW(7014),
	 "match_only_text came with Elasticsearch 7.14", match_only_text_early},
	{"wildcard-elasticsearch", NULL, RULE_FIELD, ANY_OPENSEARCH, ES_BELOW(7009),
	 "wildcard came with Elasticsearch 7.9", wildcard_early},
	{"unsigned-long-elasticsearch", NULL, RULE_FIELD, ANY_OPENSEARCH, ES_BELOW(7010),
	 "unsigned_long came with Elasticsearch 7.10", unsigned_long_early},
	{"constant-keyword-elasticsearch", NULL, RULE_FIELD, ANY_OPENSEARCH, ES_BELOW(7007),
	 "constant_keyword came with Elasticsearch 7.7", constant_keyword_early},
	{"version", NULL, RULE_FIELD, ANY_ELASTICSEARCH, ANY_OPENSEARCH, "version is keyword",
	 version_type},
	{"unsigned-long", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_BELOW(2008),
	 "unsigned_long is long", unsigned_long},
	{"xy", NULL, RULE_FIELD, ANY_ELASTICSEARCH, OS_FROM(2004),
	 "point and shape are xy_point and xy_shape", points_and_shapes},
	{"sparse-vector", "B803", RULE_FIELD, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "sparse_vector is rank_features", sparse_vector},
	{"unsupported-type", NULL, RULE_FIELD, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Types that OpenSearch has nothing for", unsupported},
	{"opensearch-type", NULL, RULE_FIELD, ANY_OPENSEARCH, ANY_ELASTICSEARCH,
	 "Types that Elasticsearch has nothing for", opensearch_only},
	{"attachment", NULL, RULE_FIELD, ES_BELOW(6000), ANY_VERSION,
	 "The attachment type is a pipeline's processor now", attachment},
	{0},
};
