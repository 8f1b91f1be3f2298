/* Detectors: types, roots of mappings, fields. */
#include "metadata/assess_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TYPE_NAME_MAX 255
#define CONTEXTS_MAX 10
#define DIMENSIONS_USUAL 1024

static struct str type_of(const struct json *definition)
{
	struct str type = json_string(json_get(definition, "type"));

	if (type.ptr)
		return type;
	return json_get(definition, "properties") ? STR("object") : STR_NONE;
}

static bool is_one_of(struct str text, const char *const *words)
{
	for (; text.ptr && *words; words++)
		if (str_is(text, *words))
			return true;
	return false;
}

static void has_member(struct assess_scan *scan, struct str name, const struct json *node,
		       const char *const *words)
{
	(void)name;
	for (; *words; words++)
		if (json_get(node, *words))
			assess_hit(scan, *words, "it has %s", *words);
}

static void has_type(struct assess_scan *scan, struct str name, const struct json *node,
		     const char *const *words)
{
	struct str type = type_of(node);

	(void)name;
	if (is_one_of(type, words))
		assess_hit(scan, NULL, "it is of type " STR_FMT, STR_ARG(type));
}

/* Whether a field of one type stands in another type with another definition. */
static void has_conflict(struct assess_scan *scan, struct str name, const struct json *types,
			 const char *const *words)
{
	bool stays = scan->a->options.multi_type == MULTI_TYPE_SPLIT &&
		     scan->item->kind == METADATA_INDEX;

	(void)name;
	(void)words;
	json_each (type, types)
		json_each (field, json_get(type, "properties"))
			for (const struct json *other = type->next; other; other = other->next) {
				const struct json *same =
					json_get_str(json_get(other, "properties"), field->key);
				char path[200];

				if (!same || str_eq(type_of(same), type_of(field)))
					continue;
				snprintf(path, sizeof(path), STR_FMT, STR_ARG(field->key));
				assess_hit_as(scan, stays ? ASSESS_FIX : ASSESS_BLOCK, path,
					      "it is " STR_FMT " in type '" STR_FMT "', " STR_FMT
					      " in '" STR_FMT "'",
					      STR_ARG(type_of(field)), STR_ARG(type->key),
					      STR_ARG(type_of(same)), STR_ARG(other->key));
			}
}

static void has_several_types(struct assess_scan *scan, struct str name, const struct json *types,
			      const char *const *words)
{
	size_t count = 0;

	(void)name;
	(void)words;
	json_each (type, types)
		count += !str_is(type->key, "_default_");
	if (count > 1)
		assess_hit_as(scan,
			      scan->a->options.multi_type == MULTI_TYPE_NONE ? ASSESS_BLOCK
									     : ASSESS_FIX,
			      NULL, "it has %zu types", count);
}

static void has_named_type(struct assess_scan *scan, struct str name, const struct json *types,
			   const char *const *words)
{
	(void)name;
	(void)words;
	json_each (type, types)
		if (!str_is(type->key, "_doc"))
			assess_hit(scan, NULL, "it has the type '" STR_FMT "'", STR_ARG(type->key));
}

static void has_bad_type_name(struct assess_scan *scan, struct str name, const struct json *types,
			      const char *const *words)
{
	(void)name;
	(void)words;
	json_each (type, types)
		if (type->key.len > TYPE_NAME_MAX || str_starts(type->key, STR(".")))
			assess_hit(scan, NULL, "type '" STR_FMT "'", STR_ARG(type->key));
}

static void has_percolator_type(struct assess_scan *scan, struct str name, const struct json *types,
				const char *const *words)
{
	(void)name;
	(void)words;
	if (json_get(types, ".percolator"))
		assess_hit(scan, ".percolator", "it has stored queries");
}

static void has_path_option(struct assess_scan *scan, struct str name, const struct json *root,
			    const char *const *words)
{
	(void)name;
	for (; *words; words++)
		if (json_path(root, *words, "path", NULL))
			assess_hit(scan, *words, "%s has a path", *words);
}

static void has_field_names(struct assess_scan *scan, struct str name, const struct json *root,
			    const char *const *words)
{
	(void)name;
	(void)words;
	if (json_path(root, "_field_names", "enabled", NULL))
		assess_hit(scan, "_field_names", "_field_names is switched");
}

static void has_required_routing(struct assess_scan *scan, struct str name, const struct json *root,
				 const char *const *words)
{
	(void)name;
	(void)words;
	if (json_bool_or(json_path(root, "_routing", "required", NULL), false) ||
	    json_get(root, "_parent"))
		assess_hit(scan, NULL, "its documents have routings of their own");
}

static void has_unknown_match_type(struct assess_scan *scan, struct str name,
				   const struct json *dynamic, const char *const *words)
{
	struct str type = json_string(json_get(dynamic, "match_mapping_type"));

	(void)name;
	if (type.ptr && !is_one_of(type, words))
		assess_hit(scan, NULL, "match_mapping_type " STR_FMT, STR_ARG(type));
}

static void has_dot(struct assess_scan *scan, struct str name, const struct json *field,
		    const char *const *words)
{
	(void)field;
	(void)words;
	if (name.len && memchr(name.ptr, '.', name.len))
		assess_hit(scan, NULL, "its name has a dot");
}

static void has_no_format(struct assess_scan *scan, struct str name, const struct json *field,
			  const char *const *words)
{
	struct str format = json_string(json_get(field, "format"));

	(void)name;
	/* Answers of Elasticsearch 1 name the default. */
	if (str_is(type_of(field), "date") && (!format.ptr || is_one_of(format, words)))
		assess_hit(scan, NULL, "a date without a format");
}

static void has_early_index(struct assess_scan *scan, struct str name, const struct json *field,
			    const char *const *words)
{
	const struct json *norms = json_get(field, "norms");

	(void)name;
	(void)words;
	if (json_string(json_get(field, "index")).ptr &&
	    !is_one_of(json_string(json_get(field, "index")), WORDS("true", "false")))
		assess_hit(scan, NULL, "index is " STR_FMT,
			   STR_ARG(json_string(json_get(field, "index"))));
	if (norms && norms->type == JSON_OBJECT)
		assess_hit(scan, NULL, "norms is an object");
}

static void has_similarity(struct assess_scan *scan, struct str name, const struct json *field,
			   const char *const *words)
{
	struct str similarity = json_string(json_get(field, "similarity"));

	(void)name;
	if (is_one_of(similarity, words))
		assess_hit(scan, NULL, "its similarity is " STR_FMT, STR_ARG(similarity));
}

static void has_number_options(struct assess_scan *scan, struct str name, const struct json *field,
			       const char *const *words)
{
	(void)name;
	if (json_get(field, "index_options") && is_one_of(type_of(field), words))
		assess_hit(scan, NULL, "a number with index_options");
}

static void has_shape_tree(struct assess_scan *scan, struct str name, const struct json *field,
			   const char *const *words)
{
	(void)name;
	if (!str_is(type_of(field), "geo_shape"))
		return;
	for (; *words; words++)
		if (json_get(field, *words))
			assess_hit(scan, NULL, "a geo_shape with %s", *words);
}

static void has_chained_fields(struct assess_scan *scan, struct str name, const struct json *field,
			       const char *const *words)
{
	(void)name;
	(void)words;
	json_each (one, json_get(field, "fields"))
		if (json_get(one, "fields"))
			assess_hit(scan, NULL, "a multi-field has fields of its own");
}

static void has_many_contexts(struct assess_scan *scan, struct str name, const struct json *field,
			      const char *const *words)
{
	const struct json *contexts = json_get(field, "contexts");

	(void)name;
	(void)words;
	if (contexts && contexts->count > CONTEXTS_MAX)
		assess_hit(scan, NULL, "%zu contexts", contexts->count);
}

static void has_analyzer(struct assess_scan *scan, struct str name, const struct json *field,
			 const char *const *words)
{
	(void)name;
	json_each (member, field)
		if ((str_is(member->key, "analyzer") || str_ends(member->key, STR("_analyzer"))) &&
		    is_one_of(json_string(member), words))
			assess_hit(scan, NULL, "its " STR_FMT " is " STR_FMT, STR_ARG(member->key),
				   STR_ARG(json_string(member)));
}

static void has_engine(struct assess_scan *scan, struct str name, const struct json *field,
		       const char *const *words)
{
	struct str engine = json_string(json_path(field, "method", "engine", NULL));

	(void)name;
	if (is_one_of(engine, words))
		assess_hit(scan, NULL, "its engine is " STR_FMT, STR_ARG(engine));
}

static void has_many_dimensions(struct assess_scan *scan, struct str name, const struct json *field,
				const char *const *words)
{
	(void)name;
	for (; *words; words++) {
		int64_t dimensions = json_i64_or(json_get(field, *words), 0);

		if (dimensions > DIMENSIONS_USUAL)
			assess_hit(scan, NULL, "%" PRId64 " dimensions", dimensions);
	}
}

const struct assess_detector assess_of_mappings[] = {
	{"B201", AT_TYPES, has_conflict, NULL},
	{"B202", AT_FIELD, has_dot, NULL},
	{"B203", AT_ROOT, has_member, WORDS("_boost", "_analyzer")},
	{"B203", AT_ROOT, has_path_option, WORDS("_id", "_routing")},
	{"B204", AT_FIELD, has_member,
	 WORDS("index_analyzer", "position_offset_gap", "postings_format", "doc_values_format",
	       "fielddata", "index_name", "omit_norms", "omit_term_freq_and_positions")},
	{"B205", AT_FIELD, has_no_format, WORDS("dateOptionalTime", "date_optional_time")},
	{"B206", AT_TYPES, has_bad_type_name, NULL},
	{"B501", AT_FIELD, has_type, WORDS("string")},
	{"B502", AT_FIELD, has_early_index, NULL},
	{"B502", AT_FIELD, has_member, WORDS("precision_step")},
	{"B502", AT_ROOT, has_member, WORDS("transform")},
	{"B505", AT_FIELD, has_similarity, WORDS("default")},
	{"B507", AT_ROOT, has_member, WORDS("_timestamp", "_ttl")},
	{"B601", AT_TYPES, has_several_types, NULL},
	{"B602", AT_ROOT, has_member, WORDS("_all", "include_in_all")},
	{"B602", AT_FIELD, has_member, WORDS("include_in_all")},
	{"B605", AT_ROOT, has_member, WORDS("_parent")},
	{"B607", AT_DYNAMIC, has_unknown_match_type,
	 WORDS("*", "object", "string", "long", "double", "boolean", "date", "binary")},
	{"B701", AT_TYPES, has_named_type, NULL},
	{"B703", AT_FIELD, has_analyzer, WORDS("standard_html_strip")},
	{"B704", AT_FIELD, has_similarity, WORDS("classic")},
	{"B705", AT_FIELD, has_type, WORDS("nested")},
	{"B707", AT_FIELD, has_type, WORDS("geo_shape")},
	{"B709", AT_ROOT, has_required_routing, NULL},
	{"B711", AT_FIELD, has_number_options,
	 WORDS("byte", "short", "integer", "long", "float", "double", "half_float",
	       "scaled_float")},
	{"B803", AT_FIELD, has_member, WORDS("boost")},
	{"B803", AT_FIELD, has_shape_tree,
	 WORDS("tree", "tree_levels", "strategy", "distance_error_pct", "precision",
	       "points_only")},
	{"B803", AT_FIELD, has_chained_fields, NULL},
	{"B803", AT_FIELD, has_type, WORDS("sparse_vector")},
	{"B803", AT_ROOT, has_field_names, NULL},
	{"B805", AT_FIELD, has_many_contexts, NULL},
	{"BO31", AT_FIELD, has_engine, WORDS("nmslib")},
	{"BQ13", AT_TYPES, has_percolator_type, NULL},
	{"BQ14", AT_FIELD, has_type, WORDS("percolator")},
	{"BX02", AT_FIELD, has_many_dimensions, WORDS("dims", "dimension")},
	{0},
};
