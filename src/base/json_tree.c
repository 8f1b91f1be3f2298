#include "base/json.h"

#include <inttypes.h>
#include <stdarg.h>

struct json *json_get_str(const struct json *v, struct str key)
{
	struct json *found = NULL;

	if (!v || v->type != JSON_OBJECT)
		return NULL;
	json_each (child, v) {
		if (str_eq(child->key, key))
			found = child;
	}
	return found;
}

struct json *json_get(const struct json *v, const char *key)
{
	return json_get_str(v, str_from(key));
}

struct json *json_path(const struct json *v, ...)
{
	struct json *at = NULL;
	const char *key;
	va_list keys;

	va_start(keys, v);
	while ((key = va_arg(keys, const char *)))
		v = at = json_get(v, key);
	va_end(keys);
	return at;
}

struct str json_string(const struct json *v)
{
	return v && v->type == JSON_STRING ? v->text : STR_NONE;
}

struct str json_text_or(const struct json *v, struct str fallback)
{
	return v && (v->type == JSON_STRING || v->type == JSON_NUMBER) ? v->text : fallback;
}

bool json_bool_or(const struct json *v, bool fallback)
{
	if (!v)
		return fallback;
	if (v->type == JSON_TRUE || str_is(json_string(v), "true"))
		return true;
	if (v->type == JSON_FALSE || str_is(json_string(v), "false"))
		return false;
	return fallback;
}

int64_t json_i64_or(const struct json *v, int64_t fallback)
{
	struct str digits = json_text_or(v, STR_NONE);
	bool negative = str_starts(digits, STR("-"));
	uint64_t magnitude;

	if (negative || str_starts(digits, STR("+")))
		digits = str_from_offset(digits, 1);
	if (!str_to_u64(digits, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
		return fallback;
	return negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
}

struct json *json_new(struct arena *mem, enum json_type type)
{
	struct json *v = arena_zalloc(mem, 1, sizeof(*v));

	if (v)
		v->type = type;
	return v;
}

static struct json *new_with_text(struct arena *mem, enum json_type type, struct str text)
{
	struct json *v = json_new(mem, type);

	if (v)
		v->text = text;
	return v;
}

struct json *json_new_string(struct arena *mem, struct str text)
{
	return new_with_text(mem, JSON_STRING, text);
}

struct json *json_new_number(struct arena *mem, struct str text)
{
	return new_with_text(mem, JSON_NUMBER, text);
}

struct json *json_new_i64(struct arena *mem, int64_t value)
{
	struct str text = arena_printf(mem, "%" PRId64, value);

	return text.ptr ? json_new_number(mem, text) : NULL;
}

struct json *json_new_bool(struct arena *mem, bool value)
{
	return json_new(mem, value ? JSON_TRUE : JSON_FALSE);
}

void json_append(struct json *array, struct json *child)
{
	if (!array || !child)
		return;
	if (array->last)
		array->last->next = child;
	else
		array->first = child;
	array->last = child;
	array->count++;
}

/* Takes all members named `key` out, puts `child` (may be NULL) where the first of them was, and
 * returns the last of them. */
static struct json *replace(struct json *object, struct str key, struct json *child)
{
	struct json **link = &object->first, *node, *found = NULL;

	object->last = NULL;
	while ((node = *link)) {
		if (str_eq(node->key, key)) {
			*link = node->next;
			object->count--;
			found = node;
			if (!child)
				continue;
			child->next = node->next;
			object->count++;
			*link = node = child;
			child = NULL;
		}
		object->last = node;
		link = &node->next;
	}
	if (found)
		found->next = NULL;
	return found;
}

void json_set(struct json *object, struct str key, struct json *child)
{
	if (!object || !child)
		return;
	child->key = key;
	if (!replace(object, key, child))
		json_append(object, child);
}

struct json *json_remove(struct json *object, struct str key)
{
	return object && object->type == JSON_OBJECT ? replace(object, key, NULL) : NULL;
}

static bool copy_text(struct arena *mem, struct str *text)
{
	if (text->len)
		*text = arena_str(mem, *text);
	return !text->len || text->ptr;
}

struct json *json_copy(struct arena *mem, const struct json *v)
{
	struct json *copy, *child_copy;

	if (!v || !(copy = json_new(mem, v->type)))
		return NULL;
	copy->key = v->key;
	copy->text = v->text;
	if (!copy_text(mem, &copy->key) || !copy_text(mem, &copy->text))
		return NULL;
	json_each (child, v) {
		child_copy = json_copy(mem, child);
		if (!child_copy)
			return NULL;
		json_append(copy, child_copy);
	}
	return copy;
}
