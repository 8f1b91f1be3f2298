#include "store/gcs_list.h"

#include "base/json.h"

static int add_object(const struct json *item, struct arena *mem, struct object_page *page,
		      struct err *err)
{
	struct str name = json_string(json_get(item, "name"));
	struct blob_info info;

	if (name.len == 0)
		return err_set(err, ERR_FORMAT, "an object has no name");
	if (!str_to_u64(json_text_or(json_get(item, "size"), STR_NONE), &info.size))
		return err_set(err, ERR_FORMAT, "object '" STR_FMT "' has no size", STR_ARG(name));
	info.name = arena_str(mem, name);
	if (!info.name.ptr)
		return arena_fail(mem, "a list of objects", err);
	buf_append(page->objects, &info, sizeof(info));
	return 0;
}

int gcs_list_parse(struct str body, struct arena *mem, struct object_page *page, struct err *err)
{
	cleanup(arena_release) struct arena tree = ARENA_INIT(MIB(256));
	struct json *v, *items;
	int rc = json_parse(body, &tree, &v, err);

	if (rc < 0)
		return rc;
	items = json_get(v, "items");
	if (v->type != JSON_OBJECT || (items && items->type != JSON_ARRAY))
		return err_set(err, ERR_FORMAT, "the answer is no list of objects");
	json_each (item, items)
		if ((rc = add_object(item, mem, page, err)) < 0)
			return rc;
	page->next = arena_str(mem, json_string(json_get(v, "nextPageToken")));
	return page->next.ptr ? 0 : arena_fail(mem, "a list of objects", err);
}
