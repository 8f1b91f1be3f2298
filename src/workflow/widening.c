#include "workflow/widening.h"

#define COVERED "covered"

static bool has(const struct json *list, struct str entry)
{
	json_each (item, list)
		if (str_eq(json_string(item), entry))
			return true;
	return false;
}

static bool is_empty(const struct json *list)
{
	return !list || list->count == 0;
}

/* An empty list is all indices. */
static bool is_wider(const struct json *before, const struct json *after)
{
	if (is_empty(before))
		return false;
	if (is_empty(after))
		return true;
	json_each (item, before)
		if (!has(after, json_string(item)))
			return false;
	return after->count > before->count;
}

static bool is_same(const struct json *before, const struct json *after)
{
	return is_empty(before) ? is_empty(after) : !is_empty(after) && json_equal(before, after);
}

/* Takes the list out of both; false: it has become another one, and not a wider one. */
static bool take_list(struct json *before, struct json *after, const char *part, bool *wider)
{
	struct json *from = json_get(before, part), *to = json_get(after, part), *a, *b;

	if (!from || !to)
		return true; /* told by the comparison of the rest */
	a = json_remove(from, STR("indexAllowlist"));
	b = json_remove(to, STR("indexAllowlist"));
	*wider |= is_wider(a, b);
	return is_same(a, b) || is_wider(a, b);
}

static bool is_widening(const struct json *before, const struct json *after,
			const char *const *parts, bool snapshot, struct arena *mem)
{
	struct json *from = json_copy(mem, before), *to = json_copy(mem, after);
	bool wider = false;

	if (!from || !to)
		return false;
	for (; *parts; parts++)
		if (!take_list(from, to, *parts, &wider))
			return false;
	if (snapshot) {
		json_remove(from, STR("dependencies"));
		json_remove(to, STR("dependencies"));
	}
	return wider && !mem->failed && json_equal(from, to);
}

bool widening_of_migration(const struct json *before, const struct json *after, struct arena *mem)
{
	return is_widening(before, after, (const char *const[]){"metadata", "backfill", NULL}, true,
			   mem);
}

bool widening_of_snapshot(const struct json *before, const struct json *after, struct arena *mem)
{
	return is_widening(before, after, (const char *const[]){"create", NULL}, false, mem);
}

void widening_cover(struct json *status, struct str session, const struct json *allowlist,
		    struct arena *mem)
{
	struct json *covered = json_get(status, COVERED);

	if (!covered) {
		covered = json_new(mem, JSON_OBJECT);
		json_set(status, STR(COVERED), covered);
	}
	json_set(covered, session,
		 allowlist ? json_copy(mem, allowlist) : json_new(mem, JSON_ARRAY));
}

static bool is_covered(const struct json *covered, struct str session, struct str entry)
{
	json_each (list, covered)
		if (!str_eq(list->key, session) && has(list, entry))
			return true;
	return false;
}

struct json *widening_rest(const struct json *status, struct str session,
			   const struct json *allowlist, struct arena *mem)
{
	struct json *rest = json_new(mem, JSON_ARRAY);

	json_each (item, allowlist)
		if (!is_covered(json_get(status, COVERED), session, json_string(item)))
			json_append(rest, json_new_string(mem, json_string(item)));
	/* An argument that is left out would mean all of them. */
	return is_empty(rest) && !is_empty(allowlist) ? json_copy(mem, allowlist) : rest;
}
