#include "documents/rebuild_types.h"

#include <stdlib.h>

static bool has_patterns(const struct json *patterns)
{
	return patterns && (patterns->first || patterns->text.len > 0);
}

static bool stores_source(const struct json *source)
{
	return json_bool_or(json_get(source, "enabled"), true) && !json_get(source, "mode") &&
	       !has_patterns(json_get(source, "includes")) &&
	       !has_patterns(json_get(source, "excludes"));
}

struct json *rebuild_types_whole(const struct json *mappings, struct arena *mem)
{
	struct json *whole = json_new(mem, JSON_OBJECT);
	size_t types = 0;

	json_each (mapping, mappings) {
		if (str_is(mapping->key, "_default_"))
			continue;
		types++;
		if (stores_source(json_get(mapping, "_source")))
			json_set(whole, mapping->key, json_new(mem, JSON_NULL));
	}
	return whole && types > 1 && whole->first ? whole : NULL;
}

bool rebuild_keeps_source(const struct rebuild_plan *plan, struct str type)
{
	return json_get_str(plan->whole, type) != NULL;
}

/* By nested object, path and place in the plan. */
static int by_path(const void *a, const void *b)
{
	const struct rebuild_field *left = *(const struct rebuild_field *const *)a;
	const struct rebuild_field *right = *(const struct rebuild_field *const *)b;
	int order = str_cmp(left->path, right->path);

	if (order != 0)
		return order;
	return (left > right) - (left < right);
}

static bool are_alike(const struct rebuild_field *a, const struct rebuild_field *b)
{
	return str_eq(a->type, b->type) && str_eq(a->name, b->name) &&
	       str_eq(a->column, b->column) && str_eq(a->format, b->format) &&
	       a->factor == b->factor && a->indexed == b->indexed && a->quality == b->quality &&
	       a->position_gap == b->position_gap && a->nested == b->nested &&
	       a->constant == b->constant && a->relations == b->relations;
}

/* The type becomes empty of what is to be left out. */
static void merge_group(struct rebuild_field **group, size_t count)
{
	bool alike = true;

	for (size_t i = 1; i < count; i++)
		alike &= are_alike(group[0], group[i]);
	for (size_t i = 0; i < count; i++) {
		if (alike && i > 0) {
			group[i]->type = STR("");
		} else if (alike) {
			group[i]->of_type = STR_NONE;
		} else if (group[i]->nested) {
			*group[i] = (struct rebuild_field){
				.path = group[i]->path,
				.of_type = group[i]->of_type,
				.type = group[i]->type,
				.nested = group[i]->nested,
				.quality = REBUILD_NOT_AT_ALL,
				.reason = "nested, and several types map it unlike each other"};
		}
	}
}

static void drop_empty(struct rebuild_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->fields[i].type.len > 0)
			plan->fields[kept++] = plan->fields[i];
	plan->count = kept;
}

static struct str index_name(const struct rebuild_field *field)
{
	return field->name.ptr ? field->name : field->path;
}

static int by_index_name(const void *a, const void *b)
{
	return str_cmp(index_name(*(const struct rebuild_field *const *)a),
		       index_name(*(const struct rebuild_field *const *)b));
}

/* Fields of one name in the index have the values of each other. */
static void leave_out_shared(struct rebuild_field **group, size_t count)
{
	bool shared = false;

	for (size_t i = 1; i < count; i++)
		shared |= !str_eq(group[i]->path, group[0]->path);
	for (size_t i = 0; shared && i < count; i++)
		*group[i] = (struct rebuild_field){
			.path = group[i]->path,
			.name = STR(""),
			.of_type = group[i]->of_type,
			.type = group[i]->type,
			.nested = group[i]->nested,
			.quality = REBUILD_NOT_AT_ALL,
			.reason = "another field has its name in the index (index_name, "
				  "path: just_name)"};
}

/* `sorted`: room for all of them. */
static void leave_out_all_shared(struct rebuild_plan *plan, struct rebuild_field **sorted)
{
	size_t from = 0;

	for (size_t i = 0; i < plan->count; i++)
		sorted[i] = &plan->fields[i];
	qsort(sorted, plan->count, sizeof(struct rebuild_field *), by_index_name);
	for (size_t i = 1; i <= plan->count; i++) {
		if (i < plan->count && str_eq(index_name(sorted[i]), index_name(sorted[from])))
			continue;
		leave_out_shared(sorted + from, i - from);
		from = i;
	}
}

void rebuild_types_merge(struct rebuild_plan *plan, struct arena *mem)
{
	struct rebuild_field **sorted = arena_alloc(mem, (plan->count + 1) * sizeof(*sorted));
	size_t from = 0;

	if (!sorted)
		return;
	for (size_t i = 0; i < plan->count; i++)
		sorted[i] = &plan->fields[i];
	qsort(sorted, plan->count, sizeof(struct rebuild_field *), by_path);
	for (size_t i = 1; i <= plan->count; i++) {
		if (i < plan->count && str_eq(sorted[i]->path, sorted[from]->path))
			continue;
		merge_group(sorted + from, i - from);
		from = i;
	}
	drop_empty(plan);
	if (plan->old)
		leave_out_all_shared(plan, sorted);
}
