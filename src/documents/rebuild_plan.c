#include "documents/rebuild.h"

#include "base/limits.h"

#include <stdlib.h>

/* index.version.created of Elasticsearch 5.0.0; those of OpenSearch have a bit of their own. */
#define CREATED_5 5000000
#define OPENSEARCH_BIT 134217728
#define FIELDS_MOST 100000

#define SEVERAL "of several values order, and duplicates of text, are lost"

struct known_type {
	const char *name;
	enum rebuild_quality quality;
	const char *reason;
};

/* By doc values; what is stored (store: true) is exact whatever its type. */
static const struct known_type known_types[] = {
	{"long", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"integer", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"short", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"byte", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"unsigned_long", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"double", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"float", REBUILD_APPROXIMATE, "32 bits of precision"},
	{"half_float", REBUILD_APPROXIMATE, "16 bits of precision"},
	{"scaled_float", REBUILD_APPROXIMATE, "rounded to its scaling factor"},
	{"date", REBUILD_APPROXIMATE, "milliseconds, written in its first known format"},
	{"date_nanos", REBUILD_APPROXIMATE, "written in its first known format"},
	{"boolean", REBUILD_APPROXIMATE, "of several values the order is lost"},
	{"keyword", REBUILD_APPROXIMATE, SEVERAL ", and values beyond ignore_above"},
	{"ip", REBUILD_APPROXIMATE, SEVERAL},
	{"geo_point", REBUILD_APPROXIMATE, "32 bits of precision"},
	{"binary", REBUILD_APPROXIMATE, SEVERAL},
	{"constant_keyword", REBUILD_EXACT, NULL},
};

/* Targets of copy_to hold what is other fields' already. */
struct planner {
	struct arena *mem;
	struct rebuild_plan *plan;
	size_t capacity;
	struct json *copies; /* object: path -> null */
};

static bool is_off(const struct json *v)
{
	return v && !json_bool_or(v, true);
}

static const struct known_type *find_type(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(known_types); i++)
		if (str_is(type, known_types[i].name))
			return &known_types[i];
	return NULL;
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

/* A keyword among the multi-fields holds what the text was. */
static struct str keyword_of(struct planner *p, struct str path, const struct json *mapping)
{
	json_each (sub, json_get(mapping, "fields"))
		if (str_is(json_string(json_get(sub, "type")), "keyword") &&
		    !is_off(json_get(sub, "doc_values")) && !json_get(sub, "normalizer"))
			return arena_printf(p->mem, STR_FMT "." STR_FMT, STR_ARG(path),
					    STR_ARG(sub->key));
	return STR_NONE;
}

static bool is_text(struct str type)
{
	return str_is(type, "text") || str_is(type, "match_only_text");
}

static bool date_format_is_known(struct str format)
{
	static const char *const known[] = {"strict_date_optional_time",
					    "date_optional_time",
					    "strict_date_optional_time_nanos",
					    "epoch_millis",
					    "epoch_second",
					    "strict_date",
					    "date",
					    "yyyy-MM-dd",
					    "uuuu-MM-dd",
					    "yyyy-MM-dd HH:mm:ss",
					    "uuuu-MM-dd HH:mm:ss",
					    "strict_date_time",
					    "date_time"};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_is(format, known[i]))
			return true;
	return false;
}

/* The first of "a||b" that is written here. False: none of them is. */
static bool pick_format(struct str formats, struct str *out)
{
	while (formats.len > 0) {
		const char *bars = memmem(formats.ptr, formats.len, "||", 2);
		size_t len = bars ? (size_t)(bars - formats.ptr) : formats.len;

		*out = str_of(formats.ptr, len);
		if (date_format_is_known(*out))
			return true;
		formats = str_from_offset(formats, MIN(len + 2, formats.len));
	}
	return false;
}

static void set_not_at_all(struct rebuild_field *field, const char *reason)
{
	field->quality = REBUILD_NOT_AT_ALL;
	field->reason = reason;
	field->column = STR_NONE;
}

static void plan_text(struct planner *p, struct rebuild_field *field, const struct json *mapping)
{
	field->column = keyword_of(p, field->path, mapping);
	if (p->plan->synthetic && !field->column.ptr) {
		field->quality = REBUILD_EXACT; /* such an index stores it by itself */
	} else if (field->column.ptr) {
		field->quality = REBUILD_APPROXIMATE;
		field->reason = "from its keyword: " SEVERAL ", and values beyond ignore_above";
	} else {
		set_not_at_all(field, "text that is not stored");
	}
}

static void plan_details(struct planner *p, struct rebuild_field *field, const struct json *mapping)
{
	const struct json *factor = json_get(mapping, "scaling_factor");
	struct str formats = json_string(json_get(mapping, "format"));

	field->constant = json_get(mapping, "value");
	if (factor) {
		struct str text =
			arena_printf(p->mem, STR_FMT, STR_ARG(json_text_or(factor, STR("0"))));

		field->factor = text.ptr ? strtod(text.ptr, NULL) : 0;
	}
	if (formats.ptr && !pick_format(formats, &field->format))
		set_not_at_all(field, "a date format that is not written");
}

static void plan_leaf(struct planner *p, struct str path, struct str type,
		      const struct json *mapping)
{
	const struct known_type *known = find_type(type);
	struct rebuild_field field = {.path = path, .type = type, .column = path, .factor = 1};

	if (str_is(type, "alias") || json_get_str(p->copies, path))
		return;
	if (is_text(type))
		plan_text(p, &field, mapping);
	else if (!known)
		set_not_at_all(&field, "a type that is not rebuilt");
	else if (str_is(type, "keyword") && json_get(mapping, "normalizer"))
		set_not_at_all(&field, "a normalizer changed it");
	else if (is_off(json_get(mapping, "doc_values")) ||
		 (str_is(type, "binary") && !json_bool_or(json_get(mapping, "doc_values"), false)))
		set_not_at_all(&field, "it has no doc values");
	else {
		field.quality = known->quality;
		field.reason = known->reason;
		plan_details(p, &field, mapping);
	}
	if (json_bool_or(json_get(mapping, "store"), false)) {
		field.quality = REBUILD_EXACT;
		field.reason = NULL;
	}
	add_field(p, &field);
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

static void plan_properties(struct planner *p, struct str prefix, const struct json *properties)
{
	json_each (child, properties) {
		struct str path = prefix.len ? arena_printf(p->mem, STR_FMT "." STR_FMT,
							    STR_ARG(prefix), STR_ARG(child->key))
					     : child->key;
		struct str type = json_text_or(json_get(child, "type"), STR("object"));
		struct rebuild_field whole = {.path = path, .type = type};

		if (str_is(type, "nested"))
			set_not_at_all(&whole, "nested documents");
		else if (!str_is(type, "object"))
			plan_leaf(p, path, type, child);
		else if (is_off(json_get(child, "enabled")))
			set_not_at_all(&whole, "an object that is not indexed");
		else
			plan_properties(p, path, json_get(child, "properties"));
		if (whole.quality == REBUILD_NOT_AT_ALL)
			add_field(p, &whole);
	}
}

int rebuild_plan_make(const struct json *mappings, struct str created, bool synthetic,
		      struct arena *mem, struct rebuild_plan *out, struct err *err)
{
	struct json number = {.type = JSON_STRING, .text = created};
	int64_t version = json_i64_or(&number, 0);
	struct planner p = {.mem = mem, .plan = out, .copies = json_new(mem, JSON_OBJECT)};

	*out = (struct rebuild_plan){.columns_most = LIMIT_COLUMNS,
				     .opensearch = version & OPENSEARCH_BIT,
				     .synthetic = synthetic};
	if (version < CREATED_5)
		return err_set(err, ERR_UNSUPPORTED,
			       "documents without a source are rebuilt of Elasticsearch 5 and "
			       "later, and the index is of version " STR_FMT,
			       STR_ARG(created));
	json_each (mapping, mappings)
		collect_copies(&p, json_get(mapping, "properties"));
	json_each (mapping, mappings)
		plan_properties(&p, STR(""), json_get(mapping, "properties"));
	return mem->failed ? arena_fail(mem, "the fields of a mapping", err) : 0;
}
