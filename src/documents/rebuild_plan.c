#include "documents/rebuild.h"

#include "base/limits.h"
#include "documents/rebuild_date.h"
#include "documents/rebuild_filter.h"
#include "documents/rebuild_indexed.h"
#include "documents/rebuild_known.h"
#include "documents/rebuild_old.h"
#include "documents/rebuild_old_mapping.h"
#include "documents/rebuild_types.h"

#include <stdlib.h>

/* index.version.created; those of OpenSearch have a bit of their own. */
#define CREATED_6 6000000
#define CREATED_6_5 6050000
#define CREATED_7_5 7050000
/* Before it numbers of releases; from it on they are of index versions. */
#define CREATED_8_11 8500000
#define OPENSEARCH_BIT 134217728
#define FIELDS_MOST 100000

#define SEVERAL REBUILD_SEVERAL

/* Targets of copy_to hold what is other fields' already. */
struct planner {
	struct arena *mem;
	struct rebuild_plan *plan;
	size_t capacity;
	struct json *copies;       /* object: path -> null */
	const struct json *source; /* "_source" of the mapping at hand, or NULL */
	int64_t created;           /* of Elasticsearch; of OpenSearch the largest number there is */
	size_t nested;             /* of the fields that are planned now */
	struct str of_type;        /* the mapping type at hand */
};

static bool is_off(const struct json *v)
{
	return v && !json_bool_or(v, true);
}

static void add_field(struct planner *p, const struct rebuild_field *field)
{
	struct rebuild_plan *plan = p->plan;

	if (plan->count == p->capacity) {
		size_t more = MAX(p->capacity * 2, (size_t)64);
		struct rebuild_field *fields =
			more > FIELDS_MOST ? NULL : arena_alloc(p->mem, more * sizeof(*fields));

		if (!fields) {
			p->mem->failed = true;
			return;
		}
		if (plan->count)
			memcpy(fields, plan->fields, plan->count * sizeof(*fields));
		plan->fields = fields;
		p->capacity = more;
	}
	plan->fields[plan->count++] = *field;
}

static struct str multi_field_name(struct planner *p, const struct rebuild_field *field,
				   const struct json *sub)
{
	return arena_printf(p->mem, STR_FMT "." STR_FMT, STR_ARG(field->path), STR_ARG(sub->key));
}

/* A keyword among the multi-fields holds what the text was. */
static struct str keyword_of(struct planner *p, const struct rebuild_field *field,
			     const struct json *mapping)
{
	json_each (sub, json_get(mapping, "fields"))
		if (str_is(json_string(json_get(sub, "type")), "keyword") &&
		    !is_off(json_get(sub, "doc_values")) && !json_get(sub, "normalizer"))
			return multi_field_name(p, field, sub);
	return STR_NONE;
}

/* Before 2.0 a keyword has only terms, unless the mapping says otherwise. */
static bool plan_keyword_terms(struct planner *p, struct rebuild_field *field,
			       const struct json *mapping)
{
	if (!p->plan->old)
		return false;
	json_each (sub, json_get(mapping, "fields")) {
		if (!str_is(json_string(json_get(sub, "type")), "keyword") ||
		    is_off(json_get(sub, "index")))
			continue;
		field->column = multi_field_name(p, field, sub);
		field->indexed = REBUILD_TERMS;
		field->quality = REBUILD_APPROXIMATE;
		field->reason = "out of the terms of its not_analyzed field: " SEVERAL
				", and values beyond ignore_above";
		return true;
	}
	return false;
}

static void set_not_at_all(struct rebuild_field *field, const char *reason)
{
	field->quality = REBUILD_NOT_AT_ALL;
	field->reason = reason;
	field->column = STR_NONE;
	field->indexed = REBUILD_NO_INDEX;
}

/* Elasticsearch 5 on: true, false; text before. */
static bool is_indexed(const struct json *mapping)
{
	const struct json *index = json_get(mapping, "index");

	return !is_off(index) && !str_is(json_string(index), "no");
}

/* Tokens have positions unless the mapping leaves them out, and are what analysis made of the text.
 */
static bool plan_tokens(struct rebuild_field *field, const struct json *mapping)
{
	struct str options = json_string(json_get(mapping, "index_options"));

	if (!str_is(field->type, "text") || !is_indexed(mapping) || str_is(options, "docs") ||
	    str_is(options, "freqs"))
		return false;
	field->indexed = REBUILD_TEXT;
	field->position_gap = (int32_t)json_i64_or(json_get(mapping, "position_increment_gap"), 0);
	field->quality = REBUILD_APPROXIMATE;
	field->reason = "its tokens in their order, as its analyzer left them: case, punctuation "
			"and words that it drops are lost";
	return true;
}

static void plan_text(struct planner *p, struct rebuild_field *field, const struct json *mapping)
{
	field->column = keyword_of(p, field, mapping);
	if (p->plan->synthetic && !field->column.ptr) {
		field->quality = REBUILD_EXACT; /* such an index stores it by itself */
	} else if (field->column.ptr) {
		field->quality = REBUILD_APPROXIMATE;
		field->reason = "from its keyword: " SEVERAL ", and values beyond ignore_above";
	} else if (!plan_keyword_terms(p, field, mapping) &&
		   (p->plan->synthetic || !plan_tokens(field, mapping))) {
		set_not_at_all(field, "text that is not stored");
	}
}

/* The id of a parent is in a column of its own for each relation that has children. */
static void plan_parents(struct planner *p, const struct rebuild_field *join)
{
	json_each (relation, join->relations) {
		struct rebuild_field hidden = *join;

		hidden.hidden = true;
		hidden.path = hidden.column = arena_printf(
			p->mem, STR_FMT "#" STR_FMT, STR_ARG(join->path), STR_ARG(relation->key));
		add_field(p, &hidden);
	}
}

static bool has_doc_values(const struct planner *p, struct str type, const struct json *mapping)
{
	const struct json *set = json_get(mapping, "doc_values");

	return str_is(type, "binary") ? json_bool_or(set, p->plan->synthetic) : !is_off(set);
}

/* Until Elasticsearch 2 values could be compressed. */
static bool is_compressed(const struct planner *p, const struct json *mapping)
{
	return p->plan->old && json_bool_or(json_get(mapping, "compress"), false);
}

/* Vectors that are indexed, which is the default from 8.11 on, have no doc values. */
static const char *why_no_vector(const struct planner *p, const struct json *mapping)
{
	struct str element = json_text_or(json_get(mapping, "element_type"), STR("float"));
	bool indexed = json_bool_or(json_get(mapping, "index"), p->created >= CREATED_8_11);

	if (indexed || p->plan->opensearch || p->created < CREATED_7_5)
		return "a vector is only rebuilt of Elasticsearch 7.5 on, where it is not indexed";
	if (!str_is(element, "float") && !str_is(element, "byte") && !str_is(element, "bit"))
		return "a vector of elements that are not read";
	return NULL;
}

/* What is not known of a type before some version. */
static const char *why_no_column(const struct planner *p, struct str type,
				 const struct json *mapping)
{
	if (str_is(type, "keyword") && json_get(mapping, "normalizer"))
		return "a normalizer changed it";
	if (!has_doc_values(p, type, mapping))
		return "it has no doc values";
	if (str_ends(type, STR("_range")) && p->created < CREATED_6)
		return "ranges have doc values from Elasticsearch 6 on";
	if (str_is(type, "wildcard") && p->plan->opensearch &&
	    !json_bool_or(json_get(mapping, "doc_values"), false))
		return "a wildcard field of OpenSearch is only rebuilt with doc_values";
	if (str_is(type, "dense_vector"))
		return why_no_vector(p, mapping);
	return NULL;
}

/* Where there is no column, what is indexed may do. */
static bool plan_indexed(const struct planner *p, struct rebuild_field *field,
			 const struct json *mapping)
{
	if (!is_indexed(mapping))
		return false;
	if (p->plan->old && rebuild_has_points(field->type)) {
		if (!rebuild_old_has_terms(p->plan, field->type))
			return false;
		field->indexed = REBUILD_TERMS;
		field->reason = "out of its terms: of several values order and duplicates are lost";
	} else if (rebuild_has_points(field->type)) {
		field->indexed = REBUILD_POINTS;
		field->reason = "out of its points: of several values the order is lost";
	} else if (str_is(field->type, "keyword") || str_is(field->type, "boolean")) {
		field->indexed = REBUILD_TERMS;
		field->reason = json_get(mapping, "normalizer")
					? "as its normalizer left it: " SEVERAL
					: "out of its terms: " SEVERAL;
	} else {
		return false;
	}
	field->quality = REBUILD_APPROXIMATE;
	field->column = STR_NONE;
	return true;
}

static void plan_details(struct planner *p, struct rebuild_field *field, const struct json *mapping)
{
	const struct json *factor = json_get(mapping, "scaling_factor");
	struct str formats = json_string(json_get(mapping, "format"));

	if (str_is(field->type, "constant_keyword"))
		field->constant = json_get(mapping, "value");
	if (str_is(field->type, "dense_vector"))
		field->format = json_string(json_get(mapping, "element_type"));
	if (str_is(field->type, "join"))
		field->relations = json_get(mapping, "relations");
	if (str_is(field->type, "flattened"))
		field->column = arena_printf(p->mem, STR_FMT "._keyed", STR_ARG(field->path));
	if (str_is(field->type, "flat_object"))
		field->column =
			arena_printf(p->mem, STR_FMT "._valueAndPath", STR_ARG(field->path));
	if (factor) {
		struct str text =
			arena_printf(p->mem, STR_FMT, STR_ARG(json_text_or(factor, STR("0"))));

		field->factor = text.ptr ? strtod(text.ptr, NULL) : 0;
	}
	if (formats.ptr && !rebuild_date_pick(formats, p->mem, &field->format))
		set_not_at_all(field, "a date format that is not written");
}

/* What is stored of the source has it: it need not be turned round, all of the segment for nothing.
 * Settings that say otherwise came with 8.17; of index versions all later ones are left alone. */
static void leave_kept(const struct planner *p, struct rebuild_field *field)
{
	bool always = p->plan->opensearch || p->created < CREATED_8_11;

	if (field->indexed == REBUILD_NO_INDEX || field->nested || !always ||
	    !rebuild_filter_keeps(p->source, field->path))
		return;
	field->indexed = REBUILD_NO_INDEX;
	field->quality = REBUILD_EXACT;
	field->reason = NULL;
}

/* aggregate_metric_double: each of its metrics is a field of its own. */
static void plan_metrics(struct planner *p, struct str path, const struct json *mapping)
{
	json_each (metric, json_get(mapping, "metrics")) {
		struct str name = json_string(metric);
		bool counts = str_is(name, "value_count");
		struct rebuild_field field = {
			.path = arena_printf(p->mem, STR_FMT "." STR_FMT, STR_ARG(path),
					     STR_ARG(name)),
			.type = counts ? STR("long") : STR("double"),
			.factor = 1,
			.nested = p->nested,
		};

		field.column = field.path;
		add_field(p, &field);
	}
}

static void set_exact(struct rebuild_field *field)
{
	field->quality = REBUILD_EXACT;
	field->reason = NULL;
}

/* Out of what its values come back, but for what is stored. */
static void plan_values(struct planner *p, struct rebuild_field *field, const struct json *mapping)
{
	const struct rebuild_known *known = rebuild_known_type(field->type);
	const char *no_column = why_no_column(p, field->type, mapping);

	if (is_compressed(p, mapping)) {
		set_not_at_all(field, "compressed values");
	} else if (rebuild_is_text(field->type)) {
		plan_text(p, field, mapping);
	} else if (!known || known->quality == REBUILD_NOT_AT_ALL) {
		set_not_at_all(field, known ? known->reason : "a type that is not rebuilt");
	} else if (no_column && (p->plan->synthetic || !plan_indexed(p, field, mapping))) {
		set_not_at_all(field, no_column);
	} else {
		if (!field->indexed) {
			field->quality = known->quality;
			field->reason = known->reason;
		}
		/* They were the numbers themselves. */
		if (str_is(field->type, "geo_point") && p->created < CREATED_2_2)
			field->reason = "of several values the order is lost";
		plan_details(p, field, mapping);
	}
}

static void plan_leaf(struct planner *p, struct str path, struct str name,
		      const struct json *mapping)
{
	struct rebuild_field field = {.path = path,
				      .name = name,
				      .of_type = p->of_type,
				      .type = json_string(json_get(mapping, "type")),
				      .column = name.ptr ? name : path,
				      .factor = 1,
				      .nested = p->nested};

	if (str_is(field.type, "alias") || json_get_str(p->copies, path))
		return;
	plan_values(p, &field, mapping);
	if (json_bool_or(json_get(mapping, "store"), false) && !is_compressed(p, mapping)) {
		set_exact(&field);
		field.indexed = REBUILD_NO_INDEX;
	}
	leave_kept(p, &field);
	p->plan->inverts |= field.indexed != REBUILD_NO_INDEX;
	/* Such an index keeps it aside. */
	if (p->plan->synthetic && field.quality == REBUILD_NOT_AT_ALL &&
	    rebuild_is_put_aside(field.type))
		set_exact(&field);
	add_field(p, &field);
	if (field.relations)
		plan_parents(p, &field);
}

static void collect_copies(struct planner *p, const struct json *properties)
{
	json_each (child, properties) {
		const struct json *copies = json_get(child, "copy_to");

		collect_copies(p, json_get(child, "properties"));
		if (copies && copies->type == JSON_STRING)
			json_set(p->copies, copies->text, json_new(p->mem, JSON_NULL));
		json_each (copy, copies)
			json_set(p->copies, copy->text, json_new(p->mem, JSON_NULL));
	}
}

static void plan_properties(struct planner *p, struct str prefix, const struct json *object);

static void plan_disabled(struct planner *p, struct rebuild_field *whole)
{
	set_not_at_all(whole, "an object that is not indexed");
	if (p->plan->synthetic) {
		whole->quality = REBUILD_EXACT; /* kept aside by such an index */
		whole->reason = NULL;
	}
	add_field(p, whole);
}

/* Of another mapping type; 0: none. */
static size_t known_nested(const struct rebuild_plan *plan, struct str path, size_t parent)
{
	for (size_t i = 0; i < plan->nested_count; i++)
		if (str_eq(plan->nested[i].path, path) && plan->nested[i].parent == parent)
			return i + 1;
	return 0;
}

/* 0: the arena is full. */
static size_t add_nested(struct planner *p, struct str path, size_t parent)
{
	struct rebuild_plan *plan = p->plan;
	struct rebuild_nested *nested =
		arena_alloc(p->mem, (plan->nested_count + 1) * sizeof(*nested));

	if (!nested)
		return 0;
	if (plan->nested_count)
		memcpy(nested, plan->nested, plan->nested_count * sizeof(*nested));
	nested[plan->nested_count] = (struct rebuild_nested){.path = path, .parent = parent};
	plan->nested = nested;
	return ++plan->nested_count;
}

/* Nested documents lie before the one they are of. Where a nested document has the values of those
 * within it too, nothing tells them apart. */
static void plan_nested(struct planner *p, struct rebuild_field *whole, const struct json *mapping)
{
	size_t before = p->nested;

	if (before && json_bool_or(json_get(mapping, "include_in_parent"), false)) {
		set_not_at_all(whole, "nested documents that their nested parents include");
		p->plan->nested_left_out = true;
		add_field(p, whole);
		return;
	}
	p->nested = known_nested(p->plan, whole->path, before);
	if (!p->nested)
		p->nested = add_nested(p, whole->path, before);
	if (p->nested)
		plan_properties(p, whole->path, mapping);
	p->nested = before;
}

static void plan_old_leaf(struct planner *p, struct str path, struct str name,
			  const struct json *mapping)
{
	const struct json *newer = rebuild_old_mapping(mapping, p->created, p->mem);

	if (newer)
		plan_leaf(p, path, name, newer);
}

static void plan_properties(struct planner *p, struct str prefix, const struct json *object)
{
	json_each (child, json_get(object, "properties")) {
		struct str path = prefix.len ? arena_printf(p->mem, STR_FMT "." STR_FMT,
							    STR_ARG(prefix), STR_ARG(child->key))
					     : child->key;
		struct str type = json_text_or(json_get(child, "type"), STR("object"));
		struct rebuild_field whole = {
			.path = path, .of_type = p->of_type, .type = type, .nested = p->nested};
		struct str name =
			p->plan->old ? rebuild_old_name(prefix, object, child, p->mem) : STR_NONE;

		if (str_is(type, "nested"))
			plan_nested(p, &whole, child);
		else if (str_is(type, "aggregate_metric_double"))
			plan_metrics(p, path, child);
		else if (!str_is(type, "object") && p->plan->old)
			plan_old_leaf(p, path, name, child);
		else if (!str_is(type, "object"))
			plan_leaf(p, path, name, child);
		else if (is_off(json_get(child, "enabled")))
			plan_disabled(p, &whole);
		else
			plan_properties(p, path, child);
	}
}

int rebuild_plan_make(const struct json *mappings, struct str created, bool synthetic,
		      struct arena *mem, struct rebuild_plan *out, struct err *err)
{
	struct json number = {.type = JSON_STRING, .text = created};
	int64_t version = json_i64_or(&number, 0);
	struct planner p = {.mem = mem, .plan = out, .copies = json_new(mem, JSON_OBJECT)};

	p.created = version & OPENSEARCH_BIT ? INT64_MAX : version;
	*out = (struct rebuild_plan){.nested_reversed = p.created < CREATED_6_5,
				     .columns_most = LIMIT_COLUMNS,
				     .indexed_most = LIMIT_INDEXED,
				     .opensearch = version & OPENSEARCH_BIT,
				     .created = p.created,
				     .old = p.created < CREATED_5,
				     .synthetic = synthetic};
	out->whole = synthetic ? NULL : rebuild_types_whole(mappings, mem);
	json_each (mapping, mappings)
		collect_copies(&p, json_get(mapping, "properties"));
	json_each (mapping, mappings) {
		if (str_is(mapping->key, "_default_") || rebuild_keeps_source(out, mapping->key))
			continue;
		p.source = json_get(mapping, "_source");
		p.of_type = mapping->key;
		plan_properties(&p, STR(""), mapping);
	}
	if (!mem->failed)
		rebuild_types_merge(out, mem);
	return mem->failed ? arena_fail(mem, "the fields of a mapping", err) : 0;
}
