/* Saved objects out of Kibana and Dashboards. */
#include "metadata/dashboards_internal.h"
#include "metadata/saved_objects_internal.h"

#define PAGE 500
#define PAGES_MAX 10000

/* All that is known to be in the way of a user, so that what does not go along is named. */
static const char *const known_types[] = {"index-pattern",
					  "search",
					  "visualization",
					  "dashboard",
					  "query",
					  "url",
					  "lens",
					  "map",
					  "tag",
					  "canvas-workpad",
					  "canvas-element",
					  "graph-workspace",
					  "config",
					  "alert",
					  "action",
					  "cases",
					  "osquery-saved-query",
					  "infrastructure-ui-source",
					  "timelion-sheet"};

static void tell_unreadable(struct saved_objects *set, struct str space, struct str type,
			    struct str reason)
{
	json_append(set->unreadable,
		    json_new_string(&set->mem,
				    arena_printf(&set->mem, STR_FMT "%s" STR_FMT ": " STR_FMT,
						 STR_ARG(space), space.len > 0 ? ": " : "",
						 STR_ARG(type), STR_ARG(reason))));
}

static int take_lines(struct dashboards *d, struct str space, struct saved_objects *set,
		      struct err *err)
{
	struct str text = arena_str(&set->mem, buf_str(&d->response.body));

	if (!text.ptr)
		return arena_fail(&set->mem, "the saved objects", err);
	return saved_objects_parse(set, space, text, err);
}

/* 1: they are in the set; 0: the server refuses, and says why in the answer. */
static int export_types(struct dashboards *d, struct str space, const char *type,
			struct saved_objects *set, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(KIB(4));
	struct dashboards_request request = {
		.method = "POST", .path = "/api/saved_objects/_export", .space = space};

	buf_printf(&body, "{\"type\":[\"%s\"]}", type);
	request.body = buf_str(&body);
	if (dashboards_send(d, &request, err) < 0)
		return -(int)err->kind;
	if (d->response.status != 200)
		return 0;
	return take_lines(d, space, set, err) < 0 ? -(int)err->kind : 1;
}

/* One type that may not be there: what goes along must be readable, the rest need not. */
static int export_type(struct dashboards *d, struct str space, const char *type,
		       struct saved_objects *set, struct err *err)
{
	struct err refused = {0};
	int rc = export_types(d, space, type, set, &refused);

	if (rc > 0)
		return 0;
	if (rc < 0 && refused.kind != ERR_AUTH) {
		*err = refused;
		return rc;
	}
	if (!saved_object_type_find(str_from(type)))
		return 0;
	/* Queries came with 7.5. */
	if (rc == 0 && str_is(str_from(type), "query") && d->is_kibana && d->major == 7 &&
	    d->minor < 5)
		return 0;
	tell_unreadable(set, space, str_from(type),
			rc < 0 ? arena_str(&set->mem, str_from(refused.message))
			       : dashboards_reason(d, dashboards_answer(d, &set->mem), &set->mem));
	return 0;
}

static int take_found(struct saved_objects *set, struct str space, const struct json *answer,
		      struct err *err)
{
	json_each (found, json_get(answer, "saved_objects"))
		if (saved_objects_add(set, space, json_copy(&set->mem, found), NULL, err) < 0)
			return -(int)err->kind;
	return 0;
}

/* Kibana 6, page by page. */
static int find_type(struct dashboards *d, struct str space, const char *type,
		     struct saved_objects *set, struct err *err)
{
	for (int page = 1; page <= PAGES_MAX; page++) {
		cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
		struct dashboards_request request = {.method = "GET", .space = space};
		const struct json *answer;

		buf_printf(&path, "/api/saved_objects/_find?type=%s&per_page=%d&page=%d", type,
			   PAGE, page);
		request.path = buf_cstr(&path);
		if (dashboards_send(d, &request, err) < 0)
			return -(int)err->kind;
		answer = dashboards_answer(d, &set->mem);
		if (d->response.status != 200) {
			if (saved_object_type_find(str_from(type)) &&
			    !str_is(str_from(type), "query"))
				tell_unreadable(set, space, str_from(type),
						dashboards_reason(d, answer, &set->mem));
			return 0;
		}
		if (take_found(set, space, answer, err) < 0)
			return -(int)err->kind;
		if ((int64_t)page * PAGE >= json_i64_or(json_get(answer, "total"), 0))
			return 0;
	}
	return err_set(err, ERR_LIMIT, "more than %d pages of %s objects", PAGES_MAX, type);
}

int dashboards_export(struct dashboards *d, struct str space, struct saved_objects *set,
		      struct err *err)
{
	bool finds = d->is_kibana && d->major == 6;

	/* Late versions know a name for all; others, and too many objects at once, are refused. */
	if (!finds) {
		int rc = export_types(d, space, "*", set, err);

		if (rc != 0)
			return rc < 0 ? err_wrap(err, "the export of saved objects") : 0;
	}
	for (size_t i = 0; i < COUNT_OF(known_types); i++)
		if ((finds ? find_type : export_type)(d, space, known_types[i], set, err) < 0)
			return err_wrap(err, "the export of saved objects");
	return 0;
}
