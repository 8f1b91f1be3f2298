#include "metadata/transform_changes.h"

#define NOTES_MAX 30
/* Bytes of a value that are shown. */
#define SHOWN_MAX 80

struct changes {
	struct metadata_set *set;
	struct metadata_item *item;
	size_t count;
};

static struct str shown(const struct json *value, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	struct str all;

	json_write(&text, value);
	all = buf_str(&text);
	if (all.len <= SHOWN_MAX)
		return arena_str(mem, all);
	all.len = SHOWN_MAX;
	while (all.len > 0 && ((unsigned char)all.ptr[all.len] & 0xc0) == 0x80)
		all.len--;
	return arena_printf(mem, STR_FMT "…", STR_ARG(all));
}

static void note(struct changes *changes, struct str path, const char *what,
		 const struct json *value)
{
	struct arena *mem = &changes->set->mem;

	if (changes->count++ < NOTES_MAX)
		metadata_item_note(changes->set, changes->item, NOTE_CHANGE, TRANSFORM_RULE, path,
				   value ? "%s " STR_FMT : "%s", what,
				   STR_ARG(value ? shown(value, mem) : STR("")));
}

static void compare(struct changes *changes, struct str path, const struct json *before,
		    const struct json *after);

static struct str below(const struct changes *changes, struct str path, struct str key)
{
	if (path.len == 0)
		return key;
	return arena_printf(&changes->set->mem, STR_FMT "." STR_FMT, STR_ARG(path), STR_ARG(key));
}

static void compare_members(struct changes *changes, struct str path, const struct json *before,
			    const struct json *after)
{
	json_each (old, before)
		if (!json_get_str(after, old->key))
			note(changes, below(changes, path, old->key), "removed", NULL);
	json_each (new, after) {
		const struct json *old = json_get_str(before, new->key);
		struct str at = below(changes, path, new->key);

		if (old)
			compare(changes, at, old, new);
		else
			note(changes, at, "added:", new);
	}
}

static void compare(struct changes *changes, struct str path, const struct json *before,
		    const struct json *after)
{
	if (before->type == JSON_OBJECT && after->type == JSON_OBJECT)
		compare_members(changes, path, before, after);
	else if (!json_equal(before, after))
		note(changes, path, "changed to", after);
}

void transform_changes_note(struct metadata_set *set, struct metadata_item *item,
			    const struct json *before, const struct json *after)
{
	struct changes changes = {set, item, 0};

	compare(&changes, STR_NONE, before, after);
	if (changes.count > NOTES_MAX)
		metadata_item_note(set, item, NOTE_CHANGE, TRANSFORM_RULE, STR_NONE,
				   "and %zu more changes", changes.count - NOTES_MAX);
}
