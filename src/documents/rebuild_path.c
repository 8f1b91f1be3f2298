#include "documents/rebuild_path.h"

bool rebuild_has_path(const struct json *object, struct str path)
{
	if (json_get_str(object, path))
		return true;
	for (size_t i = 0; i < path.len; i++) {
		const struct json *child;

		if (path.ptr[i] != '.')
			continue;
		child = json_get_str(object, str_of(path.ptr, i));
		if (child && (child->type != JSON_OBJECT ||
			      rebuild_has_path(child, str_from_offset(path, i + 1))))
			return true;
	}
	return false;
}

struct json *rebuild_object_at(struct json *object, struct str path, struct arena *mem)
{
	while (object && path.len > 0) {
		const char *dot = memchr(path.ptr, '.', path.len);
		struct str name = str_of(path.ptr, dot ? (size_t)(dot - path.ptr) : path.len);
		struct json *child = json_get_str(object, name);

		if (!child) {
			child = json_new(mem, JSON_OBJECT);
			json_set(object, name, child);
		}
		if (child && child->type != JSON_OBJECT)
			return NULL;
		object = child;
		path = str_from_offset(path, MIN(name.len + 1, path.len));
	}
	return object;
}

/* The object of the last name of the path that can be reached, made where there is none; what is
 * left of the path is in *path. */
static struct json *descend(struct json *object, struct str *path, struct arena *mem)
{
	const char *dot;

	while (object && (dot = memchr(path->ptr, '.', path->len))) {
		struct str name = str_of(path->ptr, (size_t)(dot - path->ptr));
		struct json *child = json_get_str(object, name);

		if (!child) {
			child = json_new(mem, JSON_OBJECT);
			json_set(object, name, child);
		}
		if (child && child->type != JSON_OBJECT)
			break;
		object = child;
		*path = str_from_offset(*path, name.len + 1);
	}
	return object;
}

void rebuild_set_path(struct json *object, struct str path, struct json *value, struct arena *mem)
{
	object = descend(object, &path, mem);
	json_set(object, path, value);
}

void rebuild_add(struct json *object, struct str name, struct json *value, struct arena *mem)
{
	struct json *before = json_get_str(object, name), *array;

	if (!before) {
		json_set(object, name, value);
		return;
	}
	array = before;
	if (before->type != JSON_ARRAY) {
		array = json_new(mem, JSON_ARRAY);
		json_append(array, json_copy(mem, before));
		json_set(object, name, array);
	}
	if (!value || value->type != JSON_ARRAY) {
		json_append(array, value);
		return;
	}
	json_each (child, value)
		json_append(array, json_copy(mem, child));
}

bool rebuild_add_path(struct json *object, struct str path, struct json *value, struct arena *mem)
{
	object = descend(object, &path, mem);
	rebuild_add(object, path, value, mem);
	return !mem->failed;
}
