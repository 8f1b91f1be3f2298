#include "verify/tuple_compare_internal.h"

#include "base/json_number_text.h"

#include <math.h>
#include <stdlib.h>

#define PATH_MAX_BYTES KIB(16)
#define VALUE_MAX_BYTES MIB(64)
/* Sums of doubles depend on the order of the shards that added them. */
#define AGGREGATION_TOLERANCE 1e-9

const char *tuple_difference_name(enum tuple_difference kind)
{
	static const char *const names[TUPLE_DIFFERENCES] = {
		[TUPLE_NO_RESPONSE] = "no target response",
		[TUPLE_STATUS] = "status",
		[TUPLE_ERROR_TYPE] = "error type",
		[TUPLE_BODY] = "body",
		[TUPLE_TOTAL] = "total of hits",
		[TUPLE_HIT_MISSING] = "missing hit",
		[TUPLE_HIT_EXTRA] = "extra hit",
		[TUPLE_HIT_ORDER] = "order of hits",
		[TUPLE_SCORE] = "score",
		[TUPLE_DOCUMENT_FIELD] = "document field",
		[TUPLE_BUCKET_MISSING] = "missing bucket",
		[TUPLE_BUCKET_EXTRA] = "extra bucket",
		[TUPLE_BUCKET_ORDER] = "order of buckets",
		[TUPLE_AGGREGATION_VALUE] = "aggregation value",
		[TUPLE_BULK_ITEM_COUNT] = "number of bulk items",
		[TUPLE_BULK_ITEM_STATUS] = "bulk item status",
		[TUPLE_BULK_ITEM_ERROR] = "bulk item error type",
		[TUPLE_FIELD_MISSING] = "missing field",
		[TUPLE_FIELD_EXTRA] = "extra field",
		[TUPLE_FIELD_CHANGED] = "changed field",
	};

	if ((unsigned)kind >= TUPLE_DIFFERENCES)
		BUG("unknown kind of difference");
	return names[kind];
}

size_t tuple_path_push(struct tuple_comparison *c, struct str name)
{
	size_t mark = c->path.len;

	if (mark + name.len + 1 < PATH_MAX_BYTES) {
		if (mark > 0)
			buf_append_byte(&c->path, '.');
		buf_append_str(&c->path, name);
	}
	return mark;
}

size_t tuple_path_push_position(struct tuple_comparison *c, size_t position)
{
	size_t mark = c->path.len;

	if (mark + 24 < PATH_MAX_BYTES)
		buf_printf(&c->path, "[%zu]", position);
	return mark;
}

void tuple_path_pop(struct tuple_comparison *c, size_t mark)
{
	c->path.len = mark;
}

void tuple_tell(struct tuple_comparison *c, enum tuple_difference kind, const struct json *source,
		const struct json *target)
{
	const struct json *values[2] = {source, target};

	if (tuple_rules_ignore(c->rules, buf_str(&c->path)))
		return;
	for (size_t i = 0; i < 2; i++) {
		buf_reset(&c->texts[i]);
		if (values[i])
			json_write(&c->texts[i], values[i]);
	}
	c->found++;
	c->fn(c->user, kind, buf_str(&c->path), buf_str(&c->texts[0]), buf_str(&c->texts[1]));
}

static int by_key(const void *a, const void *b)
{
	const struct tuple_keyed *x = a, *y = b;
	int order = str_cmp(x->key, y->key);

	return order ? order : (x->position > y->position) - (x->position < y->position);
}

struct tuple_keys tuple_keys_of(struct tuple_comparison *c, const struct json *parent,
				struct str (*key_of)(struct arena *mem, const struct json *value))
{
	struct tuple_keys keys = {0};

	keys.items = arena_zalloc(c->mem, parent->count + 1, sizeof(*keys.items));
	if (!keys.items)
		return keys;
	json_each (child, parent) {
		keys.items[keys.count] = (struct tuple_keyed){
			.key = key_of(c->mem, child), .value = child, .position = keys.count};
		keys.count++;
	}
	qsort(keys.items, keys.count, sizeof(*keys.items), by_key);
	return keys;
}

struct tuple_keyed *tuple_keys_take(struct tuple_keys *keys, struct str key)
{
	size_t low = 0, high = keys->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(keys->items[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == keys->count)
		return NULL;
	/* Equal keys are taken in order: the next is not searched for. */
	high = low + keys->items[low].taken_of_key;
	if (high >= keys->count || !str_eq(keys->items[high].key, key))
		return NULL;
	keys->items[low].taken_of_key++;
	keys->items[high].taken = true;
	return &keys->items[high];
}

static bool is_one_of(struct str name, const char *const *names)
{
	for (; names && *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

/* What says nothing about the data: it depends on the moment, the shards or the version. */
static bool says_nothing(struct str name, enum tuple_area area)
{
	static const char *const of_answers[] = {
		"took",         "_shards", "_seq_no",   "_primary_term",     "_scroll_id",
		"pit_id",       "_type",   "max_score", "num_reduce_phases", "profile",
		"_explanation", "_shard",  "_node",     "ingest_took",       NULL};
	static const char *const of_aggregations[] = {"doc_count_error_upper_bound", "_shards",
						      NULL};

	return (area == TUPLE_AREA_ANSWER && is_one_of(name, of_answers)) ||
	       (area == TUPLE_AREA_AGGREGATION && is_one_of(name, of_aggregations));
}

static enum tuple_area area_of(struct str name, enum tuple_area area)
{
	static const char *const documents[] = {"_source", "fields", "highlight", NULL};

	if (area != TUPLE_AREA_ANSWER)
		return area;
	if (is_one_of(name, documents))
		return TUPLE_AREA_DOCUMENT;
	if (str_is(name, "aggregations") || str_is(name, "aggs"))
		return TUPLE_AREA_AGGREGATION;
	return area;
}

static enum tuple_difference kind_in(enum tuple_area area, const struct json *source,
				     const struct json *target)
{
	if (area == TUPLE_AREA_DOCUMENT)
		return TUPLE_DOCUMENT_FIELD;
	if (area == TUPLE_AREA_AGGREGATION)
		return TUPLE_AGGREGATION_VALUE;
	return !target ? TUPLE_FIELD_MISSING : !source ? TUPLE_FIELD_EXTRA : TUPLE_FIELD_CHANGED;
}

static struct str name_of(struct arena *mem, const struct json *value)
{
	(void)mem;
	return value->key;
}

static void compare_member(struct tuple_comparison *c, const struct json *source,
			   const struct json *target, enum tuple_area area)
{
	size_t mark = tuple_path_push(c, source->key);

	if (area != TUPLE_AREA_DOCUMENT && str_is(source->key, "hits") &&
	    tuple_are_hits(source, target))
		tuple_compare_hits(c, source, target);
	else if (area == TUPLE_AREA_AGGREGATION && str_is(source->key, "buckets") &&
		 source->type == JSON_ARRAY && target->type == JSON_ARRAY)
		tuple_compare_buckets(c, source, target);
	else
		tuple_compare_values(c, source, target, area_of(source->key, area));
	tuple_path_pop(c, mark);
}

static void tell_lone(struct tuple_comparison *c, const struct json *source,
		      const struct json *target, enum tuple_area area)
{
	struct str name = source ? source->key : target->key;
	size_t mark = tuple_path_push(c, name);

	tuple_tell(c, kind_in(area_of(name, area), source, target), source, target);
	tuple_path_pop(c, mark);
}

void tuple_compare_members(struct tuple_comparison *c, const struct json *source,
			   const struct json *target, enum tuple_area area,
			   const char *const *handled)
{
	struct tuple_keys keys = tuple_keys_of(c, target, name_of);

	json_each (member, source) {
		struct tuple_keyed *other = tuple_keys_take(&keys, member->key);

		if (says_nothing(member->key, area) || is_one_of(member->key, handled))
			continue;
		if (other)
			compare_member(c, member, other->value, area);
		else
			tell_lone(c, member, NULL, area);
	}
	for (size_t i = 0; i < keys.count; i++)
		if (!keys.items[i].taken && !says_nothing(keys.items[i].key, area) &&
		    !is_one_of(keys.items[i].key, handled))
			tell_lone(c, NULL, keys.items[i].value, area);
}

static void compare_elements(struct tuple_comparison *c, const struct json *source,
			     const struct json *target, enum tuple_area area)
{
	const struct json *a = source->first, *b = target->first;

	for (size_t i = 0; a || b; i++) {
		size_t mark = tuple_path_push_position(c, i);

		if (a && b)
			tuple_compare_values(c, a, b, area);
		else
			tuple_tell(c, kind_in(area, a, b), a, b);
		tuple_path_pop(c, mark);
		a = a ? a->next : NULL;
		b = b ? b->next : NULL;
	}
}

static double double_of(const struct json *number)
{
	char text[64];
	size_t len = MIN(number->text.len, sizeof(text) - 1);

	memcpy(text, number->text.ptr, len);
	text[len] = '\0';
	return strtod(text, NULL);
}

static bool is_fraction(struct str text)
{
	return memchr(text.ptr, '.', text.len) || memchr(text.ptr, 'e', text.len) ||
	       memchr(text.ptr, 'E', text.len);
}

static bool numbers_equal(const struct json *a, const struct json *b, enum tuple_area area)
{
	double x, y;

	if (json_numbers_equal(a->text, b->text))
		return true;
	if (area != TUPLE_AREA_AGGREGATION || (!is_fraction(a->text) && !is_fraction(b->text)))
		return false;
	x = double_of(a);
	y = double_of(b);
	return fabs(x - y) <= AGGREGATION_TOLERANCE * fmax(fabs(x), fabs(y));
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_JSON_DEPTH */
void tuple_compare_values(struct tuple_comparison *c, const struct json *source,
			  const struct json *target, enum tuple_area area)
{
	bool equal = source->type == target->type;

	if (equal && source->type == JSON_OBJECT) {
		tuple_compare_members(c, source, target, area, NULL);
		return;
	}
	if (equal && source->type == JSON_ARRAY) {
		compare_elements(c, source, target, area);
		return;
	}
	if (equal && source->type == JSON_NUMBER)
		equal = numbers_equal(source, target, area);
	else if (equal && source->type == JSON_STRING)
		equal = str_eq(source->text, target->text);
	if (!equal)
		tuple_tell(c, kind_in(area, source, target), source, target);
}

/* The wording of a refusal changes with versions; what kind it is does not. */
static void compare_refusals(struct tuple_comparison *c, const struct json *source,
			     const struct json *target)
{
	const struct json *a = json_path(source, "error", "type", NULL);
	const struct json *b = json_path(target, "error", "type", NULL);
	size_t mark = tuple_path_push(c, STR("error.type"));

	if ((a || b) && !str_eq(json_string(a), json_string(b)))
		tuple_tell(c, TUPLE_ERROR_TYPE, a, b);
	tuple_path_pop(c, mark);
}

static void compare_bytes(struct tuple_comparison *c, const struct tuple_message *source,
			  const struct tuple_message *target)
{
	struct json a = {.type = JSON_STRING, .text = source->bytes};
	struct json b = {.type = JSON_STRING, .text = target->bytes};

	if (!str_eq(str_trim(source->bytes), str_trim(target->bytes)))
		tuple_tell(c, TUPLE_BODY, source->bytes.len ? &a : NULL,
			   target->bytes.len ? &b : NULL);
}

static bool path_has(const struct tuple_message *request, struct str name)
{
	for (size_t i = 0; i + name.len <= request->uri.len && request->uri.ptr[i] != '?'; i++)
		if (memcmp(request->uri.ptr + i, name.ptr, name.len) == 0)
			return true;
	return false;
}

static void compare_whole(struct tuple_comparison *c, const struct tuple_message *request,
			  const struct json *source, const struct json *target)
{
	static const char *const of_point_in_time[] = {"id", "creation_time", NULL};
	bool objects = source->type == JSON_OBJECT && target->type == JSON_OBJECT;

	if (path_has(request, STR("/_source")))
		tuple_compare_values(c, source, target, TUPLE_AREA_DOCUMENT);
	else if (objects && (path_has(request, STR("/_pit")) ||
			     path_has(request, STR("/_search/point_in_time"))))
		tuple_compare_members(c, source, target, TUPLE_AREA_ANSWER, of_point_in_time);
	else
		tuple_compare_values(c, source, target, TUPLE_AREA_ANSWER);
}

static void compare_answers(struct tuple_comparison *c, const struct tuple_message *request,
			    const struct tuple_message *source, const struct tuple_message *target)
{
	struct json number[2] = {{.type = JSON_NUMBER}, {.type = JSON_NUMBER}};

	if (source->status != target->status) {
		number[0].text = arena_printf(c->mem, "%d", source->status);
		number[1].text = arena_printf(c->mem, "%d", target->status);
		tuple_tell(c, TUPLE_STATUS, &number[0], &number[1]);
	} else if (str_is(request->method, "HEAD")) {
		return;
	} else if (!source->json && !target->json) {
		compare_bytes(c, source, target);
	} else if (!source->json || !target->json) {
		tuple_tell(c, TUPLE_BODY, source->json, target->json);
	} else if (source->status >= 400 && json_get(source->json, "error")) {
		compare_refusals(c, source->json, target->json);
	} else if (tuple_is_bulk(source->json) && tuple_is_bulk(target->json)) {
		tuple_compare_bulk(c, source->json, target->json);
	} else {
		compare_whole(c, request, source->json, target->json);
	}
}

int tuple_compare(const struct tuple_rules *rules, const struct tuple_message *request,
		  const struct tuple_message *source, const struct tuple_message *target,
		  struct arena *mem, tuple_difference_fn fn, void *user, struct err *err)
{
	struct tuple_comparison c = {
		.rules = rules,
		.fn = fn,
		.user = user,
		.mem = mem,
		.path = BUF_INIT(PATH_MAX_BYTES + 64),
		.texts = {BUF_INIT(VALUE_MAX_BYTES), BUF_INIT(VALUE_MAX_BYTES)},
	};

	compare_answers(&c, request, source, target);
	buf_release(&c.path);
	buf_release(&c.texts[0]);
	buf_release(&c.texts[1]);
	return mem->failed ? arena_fail(mem, "the comparison of two answers", err) : c.found;
}
