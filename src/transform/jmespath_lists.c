#include "transform/jmespath_functions.h"

#include <stdlib.h>

static struct json *refuse(struct jmespath_run *run, const char *function, const char *what)
{
	err_set(run->err, ERR_FORMAT, "JMESPath function %s: %s", function, what);
	return NULL;
}

/* The keys, or the values, of an object. */
static struct json *parts_of(struct jmespath_run *run, const struct json *object, bool keys)
{
	struct json *list = jmespath_new_value(run, JSON_ARRAY), *part;

	if (!list)
		return NULL;
	json_each (member, object) {
		part = keys ? jmespath_new_text(run, JSON_STRING, member->key)
			    : jmespath_alias(run, member);
		if (!part)
			return NULL;
		json_append(list, part);
	}
	return list;
}

struct json *jmespath_keys(struct jmespath_run *run, const struct jmespath_argument *arguments,
			   size_t count)
{
	(void)count;
	return parts_of(run, arguments[0].value, true);
}

struct json *jmespath_values(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	(void)count;
	return parts_of(run, arguments[0].value, false);
}

struct json *jmespath_map(struct jmespath_run *run, const struct jmespath_argument *arguments,
			  size_t count)
{
	struct json *list = jmespath_new_value(run, JSON_ARRAY), *v, *alias;

	(void)count;
	if (!list)
		return NULL;
	json_each (one, arguments[1].value) {
		v = jmespath_evaluate(run, arguments[0].expression, one);
		alias = v ? jmespath_alias(run, v) : NULL;
		if (!alias)
			return NULL;
		json_append(list, alias);
	}
	return list;
}

struct json *jmespath_merge(struct jmespath_run *run, const struct jmespath_argument *arguments,
			    size_t count)
{
	struct json *merged = jmespath_new_value(run, JSON_OBJECT), *alias;

	if (!merged)
		return NULL;
	for (size_t i = 0; i < count; i++)
		json_each (member, arguments[i].value) {
			alias = jmespath_alias(run, member);
			if (!alias)
				return NULL;
			json_set(merged, member->key, alias);
		}
	return merged;
}

struct json *jmespath_not_null(struct jmespath_run *run, const struct jmespath_argument *arguments,
			       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (arguments[i].value->type != JSON_NULL)
			return arguments[i].value;
	return jmespath_new_value(run, JSON_NULL);
}

static struct json *reversed_text(struct jmespath_run *run, struct str text)
{
	char *bytes = arena_alloc(run->mem, text.len);
	size_t at = text.len;

	if (!bytes) {
		arena_fail(run->mem, "the value of a JMESPath function", run->err);
		return NULL;
	}
	for (struct str left = text; left.len;) {
		size_t length = jmespath_character_length(left);

		at -= length;
		memcpy(bytes + at, left.ptr, length);
		left = str_from_offset(left, length);
	}
	return jmespath_new_text(run, JSON_STRING, str_of(bytes, text.len));
}

struct json *jmespath_reverse(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	const struct json *v = arguments[0].value;
	struct json *list, *alias, *after = NULL;

	(void)count;
	if (v->type == JSON_STRING)
		return reversed_text(run, v->text);
	list = jmespath_new_value(run, JSON_ARRAY);
	if (!list)
		return NULL;
	json_each (one, v) {
		alias = jmespath_alias(run, one);
		if (!alias)
			return NULL;
		alias->next = after;
		after = alias;
		if (!list->last)
			list->last = alias;
	}
	list->first = after;
	list->count = v->count;
	return list;
}

struct json *jmespath_to_array(struct jmespath_run *run, const struct jmespath_argument *arguments,
			       size_t count)
{
	struct json *list, *alias;

	(void)count;
	if (arguments[0].value->type == JSON_ARRAY)
		return arguments[0].value;
	list = jmespath_new_value(run, JSON_ARRAY);
	alias = list ? jmespath_alias(run, arguments[0].value) : NULL;
	json_append(list, alias);
	return alias ? list : NULL;
}

/* An element with what it is sorted by, and its place, so that equal ones stay in order. */
struct ranked {
	struct json *element;
	const struct json *rank;
	size_t place;
};

static int ranked_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = jmespath_order(x->rank, y->rank);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The elements of an array with their ranks: what `expression` (NULL: they themselves) gives of
 * each, all numbers or all texts. */
static struct ranked *rank_all(struct jmespath_run *run, const struct json *array,
			       const struct jmespath_node *expression, const char *function)
{
	struct ranked *all = arena_zalloc(run->mem, array->count, sizeof(*all));
	size_t i = 0;

	if (!all) {
		arena_fail(run->mem, "the value of a JMESPath function", run->err);
		return NULL;
	}
	json_each (one, array) {
		const struct json *rank =
			expression ? jmespath_evaluate(run, expression, one) : one;

		if (!rank)
			return NULL;
		if ((rank->type != JSON_NUMBER && rank->type != JSON_STRING) ||
		    (i && rank->type != all[0].rank->type)) {
			refuse(run, function,
			       "what is compared is neither all numbers nor all texts");
			return NULL;
		}
		all[i] = (struct ranked){one, rank, i};
		i++;
	}
	return all;
}

static struct json *sorted(struct jmespath_run *run, const struct json *array,
			   const struct jmespath_node *expression, const char *function)
{
	struct ranked *all = rank_all(run, array, expression, function);
	struct json *list = all ? jmespath_new_value(run, JSON_ARRAY) : NULL, *alias;

	if (!list)
		return NULL;
	qsort(all, array->count, sizeof(*all), ranked_order);
	for (size_t i = 0; i < array->count; i++) {
		alias = jmespath_alias(run, all[i].element);
		if (!alias)
			return NULL;
		json_append(list, alias);
	}
	return list;
}

static struct json *extreme(struct jmespath_run *run, const struct json *array,
			    const struct jmespath_node *expression, int sign, const char *function)
{
	struct ranked *all = rank_all(run, array, expression, function);
	size_t best = 0;

	if (!all)
		return NULL;
	if (!array->count)
		return jmespath_new_value(run, JSON_NULL);
	for (size_t i = 1; i < array->count; i++)
		if (jmespath_order(all[i].rank, all[best].rank) * sign > 0)
			best = i;
	return all[best].element;
}

struct json *jmespath_sort(struct jmespath_run *run, const struct jmespath_argument *arguments,
			   size_t count)
{
	(void)count;
	return sorted(run, arguments[0].value, NULL, "sort");
}

struct json *jmespath_sort_by(struct jmespath_run *run, const struct jmespath_argument *arguments,
			      size_t count)
{
	(void)count;
	return sorted(run, arguments[0].value, arguments[1].expression, "sort_by");
}

struct json *jmespath_max(struct jmespath_run *run, const struct jmespath_argument *arguments,
			  size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, NULL, 1, "max");
}

struct json *jmespath_max_by(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, arguments[1].expression, 1, "max_by");
}

struct json *jmespath_min(struct jmespath_run *run, const struct jmespath_argument *arguments,
			  size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, NULL, -1, "min");
}

struct json *jmespath_min_by(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count)
{
	(void)count;
	return extreme(run, arguments[0].value, arguments[1].expression, -1, "min_by");
}
