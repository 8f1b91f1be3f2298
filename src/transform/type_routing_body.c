#include "transform/type_routing_request.h"

/* The lines of a body of newline-delimited JSON; one line alone may have been read as one value.
 * NULL: it is no such body. */
static struct json *body_lines(struct routed_request *request)
{
	struct json *lines = json_get(request->payload, "inlinedJsonSequenceBodies");
	struct json *single = json_get(request->payload, "inlinedJsonBody");

	if (lines || !single)
		return lines && lines->type == JSON_ARRAY ? lines : NULL;
	lines = json_new(request->mem, JSON_ARRAY);
	json_append(lines, json_remove(request->payload, STR("inlinedJsonBody")));
	request->changed = true;
	json_set(request->payload, STR("inlinedJsonSequenceBodies"), lines);
	return lines;
}

static int no_lines(const struct routed_request *request, const char *what, struct err *err)
{
	if (request->mem->failed)
		return arena_fail(request->mem, "the body of a request", err);
	return err_set(
		err, ERR_FORMAT,
		"the body of the %s request is no newline-delimited JSON, by which its types "
		"are routed",
		what);
}

static void move_to(struct json *array, struct json *value)
{
	value->next = NULL;
	json_append(array, value);
}

/* The index that the path's index and type go to becomes that of the path; none: each action names
 * its own. */
static int set_default_target(struct routed_request *request, struct err *err)
{
	struct str type = request->type.len ? request->type : STR("_doc");
	struct str *target;
	int status;

	if (!request->index.len)
		return 0;
	target = arena_zalloc(request->mem, 1, sizeof(*target));
	if (!target)
		return arena_fail(request->mem, "the index of a request", err);
	status = type_routes_index(request->routing->routes, request->index, type, request->mem,
				   target, err);
	if (status <= 0)
		return status;
	request->targets = target;
	request->target_count = 1;
	return 0;
}

/* Names the target of {"_index", "_type"}: by nothing, where it is that of the path. */
static void rename_target(struct routed_request *request, struct json *named, struct str target)
{
	struct json *index = json_get(named, "_index");
	bool as_path = request->target_count && str_eq(target, request->targets[0]);
	bool type = json_remove(named, STR("_type")) != NULL;

	if (!type && (index ? !as_path && str_eq(json_string(index), target) : as_path))
		return;
	request->changed = true;
	if (as_path)
		json_remove(named, STR("_index"));
	else
		json_set(named, STR("_index"), json_new_string(request->mem, target));
}

/* Sends what {"_index", "_type"} name, or else the path, to its target. 0: there is none. */
static int retarget(struct routed_request *request, struct json *named, struct err *err)
{
	struct str index = json_text_or(json_get(named, "_index"), request->index);
	struct str fallback = request->type.len ? request->type : STR("_doc");
	struct str type = json_text_or(json_get(named, "_type"), fallback);
	struct str target;
	int status;

	if (named->type != JSON_OBJECT || !index.len)
		return err_set(err, ERR_FORMAT,
			       "neither the path nor the body names the index of a document");
	status = type_routes_index(request->routing->routes, index, type, request->mem, &target,
				   err);
	request->changed |= status == 0;
	if (status > 0)
		rename_target(request, named, target);
	return status;
}

int routed_body_bulk(struct routed_request *request, struct err *err)
{
	struct json *lines = body_lines(request), *kept = json_new(request->mem, JSON_ARRAY);
	struct json *line, *document;
	int status = set_default_target(request, err);

	if (status < 0)
		return status;
	if (!lines || !kept)
		return no_lines(request, "_bulk", err);
	for (line = lines->first; line;) {
		struct json *action = line->type == JSON_OBJECT ? line->first : NULL;

		if (!action || action->type != JSON_OBJECT)
			return err_set(err, ERR_FORMAT,
				       "the body of the _bulk request has a line that is no action "
				       "where one must be");
		document = str_is(action->key, "delete") ? NULL : line->next;
		status = retarget(request, action, err);
		if (status < 0)
			return status;
		struct json *next = document ? document->next : line->next;

		if (status > 0)
			move_to(kept, line);
		if (status > 0 && document)
			move_to(kept, document);
		line = next;
	}
	json_set(request->payload, STR("inlinedJsonSequenceBodies"), kept);
	request->nothing = !kept->count;
	return 0;
}

/* A text or a list of texts, as "a,b"; empty if absent. */
static struct str names_of(const struct json *header, const char *const *keys, struct arena *mem)
{
	cleanup(buf_release) struct buf names = BUF_INIT(KIB(64));
	const struct json *value = NULL;

	for (; *keys && !value; keys++)
		value = json_get(header, *keys);
	if (json_string(value).len)
		return value->text;
	json_each (name, value)
		buf_printf(&names, "%s" STR_FMT, names.len ? "," : "", STR_ARG(json_string(name)));
	return names.failed ? STR_NONE : arena_str(mem, buf_str(&names));
}

static void remove_keys(struct json *from, const char *const *keys)
{
	for (; *keys; keys++)
		json_remove(from, str_from(*keys));
}

/* The header of one search. 0: all that it names is dropped. */
static int retarget_search(struct routed_request *request, struct json *header, struct err *err)
{
	static const char *const index_keys[] = {"index", "_index", "indices", NULL};
	static const char *const type_keys[] = {"type", "_type", "types", NULL};
	struct str indices = names_of(header, index_keys, request->mem);
	struct str types = names_of(header, type_keys, request->mem);
	struct routed_request search = {.routing = request->routing, .mem = request->mem};
	struct json *list;

	if (header->type != JSON_OBJECT)
		return err_set(
			err, ERR_FORMAT,
			"the body of the _msearch request has a line that is no header where "
			"one must be");
	if (!indices.len && !types.len)
		return 1;
	if (!indices.len)
		indices = request->index.len ? request->index : STR("_all");
	if (routed_request_add_targets(&search, indices, types.len ? types : request->type, err) <
	    0)
		return -(int)err->kind;
	if (!types.len && search.target_count == 1 && str_eq(search.targets[0], indices))
		return 1;
	request->changed = true;
	list = json_new(request->mem, JSON_ARRAY);
	for (size_t i = 0; i < search.target_count; i++)
		json_append(list, json_new_string(request->mem, search.targets[i]));
	remove_keys(header, index_keys);
	remove_keys(header, type_keys);
	json_set(header, STR("index"), list && list->count == 1 ? list->first : list);
	return search.target_count > 0;
}

int routed_body_multi_search(struct routed_request *request, struct err *err)
{
	struct json *lines = body_lines(request), *kept = json_new(request->mem, JSON_ARRAY);
	struct json *header, *body, *next;
	int status;

	if (request->index.len &&
	    routed_request_add_targets(request, request->index, request->type, err) < 0)
		return -(int)err->kind;
	if (!lines || !kept)
		return no_lines(request, "_msearch", err);
	for (header = lines->first; header; header = next) {
		bool dropped = request->index.len && !request->target_count && !header->count;

		body = header->next;
		next = body ? body->next : NULL;
		status = dropped ? 0 : retarget_search(request, header, err);
		if (status < 0)
			return status;
		request->changed |= status == 0;
		if (status > 0)
			move_to(kept, header);
		if (status > 0 && body)
			move_to(kept, body);
	}
	json_set(request->payload, STR("inlinedJsonSequenceBodies"), kept);
	request->nothing = !kept->count;
	return 0;
}

int routed_body_multi_get(struct routed_request *request, struct err *err)
{
	struct json *body = json_get(request->payload, "inlinedJsonBody");
	struct json *documents = json_get(body, "docs"), *kept, *document, *next;
	int status = set_default_target(request, err);

	if (status < 0)
		return status;
	if (!documents || documents->type != JSON_ARRAY) {
		/* {"ids": […]}, or ids in the query: all of the path's index and type. */
		request->nothing = request->index.len && !request->target_count;
		return 0;
	}
	kept = json_new(request->mem, JSON_ARRAY);
	for (document = documents->first; document; document = next) {
		next = document->next;
		status = retarget(request, document, err);
		if (status < 0)
			return status;
		if (status > 0 && kept)
			move_to(kept, document);
	}
	json_set(body, STR("docs"), kept);
	request->nothing = kept && !kept->count;
	return 0;
}
