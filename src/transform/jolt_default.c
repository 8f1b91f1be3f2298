#include "transform/jolt_internal.h"

#include <stdio.h>

/* "a[]": what is set in `a` is an array, with positions as keys. */
static bool is_array_key(struct str key, struct str *name)
{
	*name = key;
	if (!str_ends(key, STR("[]")))
		return false;
	name->len -= 2;
	return true;
}

static bool is_plain_key(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.ptr[i] == '*' || key.ptr[i] == '|')
			return false;
	return true;
}

int jolt_default_check(const struct json *spec, struct err *err)
{
	struct str name;

	if (is_array_key(spec->key, &name) && spec->type != JSON_OBJECT && spec->type != JSON_ARRAY)
		return err_set(err, ERR_USAGE,
			       "default: '" STR_FMT "' must be an object of positions or an array",
			       STR_ARG(spec->key));
	if (spec->type == JSON_OBJECT)
		json_each (child, spec)
			if (jolt_default_check(child, err) < 0)
				return -(int)ERR_USAGE;
	return 0;
}

static struct json *element_at(struct json *array, struct str position, struct arena *mem)
{
	uint64_t at;

	if (!str_to_u64(position, &at) || at > 10000)
		return NULL;
	while (array->count <= at && !mem->failed)
		json_append(array, json_new(mem, JSON_NULL));
	json_each (one, array)
		if (at-- == 0)
			return one;
	return NULL;
}

static void become(struct json *node, const struct json *v, struct arena *mem)
{
	struct json *copy = json_copy(mem, v);

	if (!copy)
		return;
	node->type = copy->type;
	node->text = copy->text;
	node->first = copy->first;
	node->last = copy->last;
	node->count = copy->count;
}

/* One rule for a node that is there; null counts as nothing. */
static void fill(const struct json *rule, struct json *node, struct arena *mem)
{
	struct str name;
	bool array = is_array_key(rule->key, &name);

	if (rule->type != JSON_OBJECT) {
		if (node->type == JSON_NULL)
			become(node, rule, mem);
		return;
	}
	if (node->type == JSON_NULL)
		node->type = array ? JSON_ARRAY : JSON_OBJECT;
	jolt_default(rule, node, mem);
}

static void fill_matching(const struct json *rule, struct str name, struct json *value,
			  struct arena *mem)
{
	struct jolt_match match;
	size_t position = 0;

	json_each (child, value) {
		char digits[24];
		struct str key = child->key;

		if (value->type == JSON_ARRAY) {
			snprintf(digits, sizeof(digits), "%zu", position++);
			key = str_from(digits);
		}
		if (jolt_key_rank(name, key, &match))
			fill(rule, child, mem);
	}
}

void jolt_default(const struct json *spec, struct json *value, struct arena *mem)
{
	if (value->type != JSON_OBJECT && value->type != JSON_ARRAY)
		return;
	json_each (rule, spec) {
		struct json *child;
		struct str name;

		is_array_key(rule->key, &name);
		if (!is_plain_key(name)) {
			fill_matching(rule, name, value, mem);
			continue;
		}
		if (value->type == JSON_ARRAY) {
			child = element_at(value, name, mem);
		} else {
			child = json_get_str(value, name);
			if (!child)
				json_set(value, arena_str(mem, name),
					 child = json_new(mem, JSON_NULL));
		}
		if (child)
			fill(rule, child, mem);
	}
}
