/* Answers of _bulk, item by item. */
#include "verify/tuple_compare_internal.h"

bool tuple_is_bulk(const struct json *answer)
{
	const struct json *items = json_get(answer, "items"), *errors = json_get(answer, "errors");

	return items && items->type == JSON_ARRAY && errors &&
	       (errors->type == JSON_TRUE || errors->type == JSON_FALSE);
}

/* A difference of one member, which both or one of them may have. */
static bool tell_if_other(struct tuple_comparison *c, enum tuple_difference kind, const char *name,
			  const struct json *source, const struct json *target)
{
	size_t mark;

	if ((!source && !target) || (source && target && json_equal(source, target)))
		return false;
	mark = tuple_path_push(c, str_from(name));
	tuple_tell(c, kind, source, target);
	tuple_path_pop(c, mark);
	return true;
}

static const struct json *error_type(const struct json *item)
{
	const struct json *error = json_get(item, "error");
	const struct json *type = json_get(error, "type");

	return type ? type : error; /* a text before version 5 */
}

/* {"index": {…}}: `create` and `index` of one document are told by status and result. */
static void compare_item(struct tuple_comparison *c, const struct json *source,
			 const struct json *target)
{
	static const char *const handled[] = {"status", "error", NULL};
	const struct json *a = source->type == JSON_OBJECT ? source->first : NULL;
	const struct json *b = target->type == JSON_OBJECT ? target->first : NULL;
	size_t mark;

	if (!a || !b || a->type != JSON_OBJECT || b->type != JSON_OBJECT ||
	    !str_eq(a->key, b->key)) {
		tuple_compare_values(c, source, target, TUPLE_AREA_ANSWER);
		return;
	}
	mark = tuple_path_push(c, a->key);
	if (!tell_if_other(c, TUPLE_BULK_ITEM_STATUS, "status", json_get(a, "status"),
			   json_get(b, "status")) &&
	    !tell_if_other(c, TUPLE_BULK_ITEM_ERROR, "error.type", error_type(a), error_type(b)))
		tuple_compare_members(c, a, b, TUPLE_AREA_ANSWER, handled);
	tuple_path_pop(c, mark);
}

void tuple_compare_bulk(struct tuple_comparison *c, const struct json *source,
			const struct json *target)
{
	/* errors follows from the items. */
	static const char *const handled[] = {"items", "errors", NULL};
	const struct json *items[2] = {json_get(source, "items"), json_get(target, "items")};
	const struct json *a = items[0]->first, *b = items[1]->first;
	size_t mark = tuple_path_push(c, STR("items"));

	if (items[0]->count != items[1]->count) {
		struct json counts[2] = {{.type = JSON_NUMBER}, {.type = JSON_NUMBER}};

		for (size_t i = 0; i < 2; i++)
			counts[i].text = arena_printf(c->mem, "%zu", items[i]->count);
		tuple_tell(c, TUPLE_BULK_ITEM_COUNT, &counts[0], &counts[1]);
	}
	for (size_t i = 0; a && b; i++, a = a->next, b = b->next) {
		size_t inner = tuple_path_push_position(c, i);

		compare_item(c, a, b);
		tuple_path_pop(c, inner);
	}
	tuple_path_pop(c, mark);
	tuple_compare_members(c, source, target, TUPLE_AREA_ANSWER, handled);
}
