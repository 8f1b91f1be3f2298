#include "metadata/settings_tree.h"

#define INDEX_PREFIX STR("index.")

/* Puts `value` at the dotted `path` below `tree`; false where the way is barred by a value. */
static bool place(struct json *tree, struct str path, struct json *value, struct arena *mem)
{
	struct str head, tail;

	while (str_split(path, '.', &head, &tail)) {
		struct json *next = json_get_str(tree, head);

		if (!next) {
			next = json_new(mem, JSON_OBJECT);
			if (!next)
				return true; /* the arena's failure is seen at the end */
			json_set(tree, head, next);
		}
		if (next->type != JSON_OBJECT)
			return false;
		tree = next;
		path = tail;
	}
	if (json_get_str(tree, path))
		return false;
	json_set(tree, path, value);
	return true;
}

static struct str joined(struct str prefix, struct str key, struct arena *mem)
{
	if (prefix.len == 0)
		return key;
	return arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(prefix), STR_ARG(key));
}

/* Whether some other name of the flat list lies below this one. */
static bool has_names_below(const struct json *flat, struct str name)
{
	json_each (other, flat)
		if (other->key.len > name.len && str_starts(other->key, name) &&
		    other->key.ptr[name.len] == '.')
			return true;
	return false;
}

/* Every leaf under its full name, "index." taken off. */
static void flatten(const struct json *node, struct str prefix, struct json *flat,
		    struct arena *mem)
{
	json_each (member, node) {
		struct str name = joined(prefix, member->key, mem);

		if (member->type == JSON_OBJECT && member->first) {
			flatten(member, name, flat, mem);
			continue;
		}
		if (str_starts(name, INDEX_PREFIX))
			name = str_from_offset(name, INDEX_PREFIX.len);
		json_set(flat, name, json_copy(mem, member));
	}
}

static bool is_numbered_list(const struct json *node)
{
	uint64_t number;

	if (node->type != JSON_OBJECT || !node->first)
		return false;
	json_each (member, node)
		if (!str_to_u64(member->key, &number) || number >= node->count)
			return false;
	return true;
}

/* 0, 1, 10, 2 … as elements in the order of their numbers. */
static void become_list(struct json *node, struct arena *mem)
{
	struct json *list = json_new(mem, JSON_ARRAY);
	size_t count = node->count;

	for (size_t i = 0; list && i < count; i++) {
		struct json *element = json_remove(node, arena_printf(mem, "%zu", i));

		if (!element)
			continue;
		element->key = STR_NONE;
		json_append(list, element);
	}
	if (!list)
		return;
	node->type = JSON_ARRAY;
	node->first = list->first;
	node->last = list->last;
	node->count = list->count;
}

static void make_lists(struct json *node, struct arena *mem)
{
	json_each (member, node)
		make_lists(member, mem);
	if (is_numbered_list(node))
		become_list(node, mem);
}

struct json *settings_tree(const struct json *settings, struct arena *mem)
{
	struct json *flat = json_new(mem, JSON_OBJECT), *tree = json_new(mem, JSON_OBJECT);

	if (!flat || !tree)
		return NULL;
	flatten(settings, STR_NONE, flat, mem);
	/* The members of `flat` move, so what comes next is taken first. */
	for (struct json *leaf = flat->first, *next; leaf; leaf = next) {
		struct str name = leaf->key;
		struct json *value = json_copy(mem, leaf);

		next = leaf->next;
		if (has_names_below(flat, name) || !place(tree, name, value, mem))
			json_set(tree, name, value);
	}
	make_lists(tree, mem);
	return mem->failed ? NULL : tree;
}

struct json *settings_get(const struct json *tree, const char *path)
{
	struct str rest = str_from(path), head, tail;
	const struct json *node = tree;
	struct json *flat = json_get(tree, path);

	if (flat)
		return flat;
	while (node && str_split(rest, '.', &head, &tail)) {
		node = json_get_str(node, head);
		rest = tail;
	}
	return json_get_str(node, rest);
}

static struct json *remove_below(struct json *node, struct str path)
{
	struct json *found = json_remove(node, path), *child;
	struct str head, tail;

	if (found || !str_split(path, '.', &head, &tail))
		return found;
	child = json_get_str(node, head);
	if (!child || child->type != JSON_OBJECT)
		return NULL;
	found = remove_below(child, tail);
	if (found && !child->first)
		json_remove(node, head);
	return found;
}

struct json *settings_remove(struct json *tree, const char *path)
{
	return tree ? remove_below(tree, str_from(path)) : NULL;
}

void settings_set(struct json *tree, const char *path, struct json *value, struct arena *mem)
{
	struct str name = str_from(path);

	settings_remove(tree, path);
	if (!place(tree, name, value, mem))
		json_set(tree, name, value);
}

bool settings_is_size(struct str name)
{
	static const char *const parts[] = {"size", "bytes", "segment"};

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (memmem(name.ptr, name.len, parts[i], strlen(parts[i])))
			return true;
	return false;
}
