#include "snapshot/member_table.h"

#include <stdlib.h>

static int compare_members(const void *a, const void *b)
{
	return str_cmp((*(struct json *const *)a)->key, (*(struct json *const *)b)->key);
}

static int compare_name(const void *name, const void *member)
{
	return str_cmp(*(const struct str *)name, (*(struct json *const *)member)->key);
}

int member_table_build(const struct json *object, struct arena *mem, struct member_table *out,
		       struct err *err)
{
	size_t i = 0;

	*out = (struct member_table){0};
	if (!object || object->type != JSON_OBJECT || object->count == 0)
		return 0;
	out->members = arena_zalloc(mem, object->count, sizeof(struct json *));
	if (!out->members)
		return arena_fail(mem, "a table of names", err);
	json_each (member, object)
		out->members[i++] = member;
	out->count = i;
	qsort(out->members, i, sizeof(struct json *), compare_members);
	return 0;
}

struct json *member_table_get(const struct member_table *table, struct str name)
{
	struct json **found = NULL;

	if (table->count > 0)
		found = bsearch(&name, table->members, table->count, sizeof(struct json *),
				compare_name);
	return found ? *found : NULL;
}
