#include "base/json.h"

#include <stdlib.h>

struct member {
	const struct json *value;
	size_t position;
};

/* By name; members of one name in the order they were written in. */
static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = str_cmp(x->value->key, y->value->key);

	return order ? order : (x->position > y->position) - (x->position < y->position);
}

/* Returns owned. */
static struct member *sorted_members(const struct json *object)
{
	struct member *members = mem_alloc(object->count * sizeof(*members));
	size_t count = 0;

	json_each (child, object) {
		members[count] = (struct member){child, count};
		count++;
	}
	qsort(members, count, sizeof(*members), compare_members);
	return members;
}

static bool equal_unordered(const struct json *a, const struct json *b)
{
	cleanup(mem_freep) struct member *left = sorted_members(a), *right = sorted_members(b);

	for (size_t i = 0; i < a->count; i++)
		if (!str_eq(left[i].value->key, right[i].value->key) ||
		    !json_equal(left[i].value, right[i].value))
			return false;
	return true;
}

static bool same_names_in_order(const struct json *a, const struct json *b)
{
	const struct json *y = b->first;

	for (const struct json *x = a->first; x; x = x->next, y = y->next)
		if (!str_eq(x->key, y->key))
			return false;
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	const struct json *y;

	if (a->type != b->type || a->count != b->count)
		return false;
	if (!str_eq(a->text, b->text))
		return false;
	if (a->type == JSON_OBJECT && !same_names_in_order(a, b))
		return equal_unordered(a, b);
	y = b->first;
	for (const struct json *x = a->first; x; x = x->next, y = y->next)
		if (!json_equal(x, y))
			return false;
	return true;
}
