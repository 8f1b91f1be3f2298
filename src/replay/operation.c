#include "replay/operation.h"

static bool is_write_method(struct str method)
{
	return str_is(method, "POST") || str_is(method, "PUT") || str_is(method, "DELETE") ||
	       str_is(method, "PATCH");
}

/* POSTs that only read. */
static bool is_read_endpoint(struct str name)
{
	static const char *const names[] = {
		"_search",           "_msearch",      "_count",     "_mget",
		"_field_caps",       "_validate",     "_explain",   "_analyze",
		"_termvectors",      "_mtermvectors", "_rank_eval", "_search_shards",
		"_msearch_template", "_terms_enum",   "_sql",       "_knn_search",
		"_async_search",     "_eql",          "_render",    "_search_template"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

static bool is_by_query(struct str name)
{
	return str_is(name, "_update_by_query") || str_is(name, "_delete_by_query") ||
	       str_is(name, "_reindex");
}

static bool is_name(struct str segment)
{
	return segment.len > 0 && segment.ptr[0] != '_';
}

static void document(struct operation *out, const struct request_path *path, size_t id_at,
		     struct str method)
{
	struct str value;

	out->index = path->segment[0];
	out->raw_index = path->raw[0];
	if (id_at < path->count) {
		out->id = path->segment[id_at];
		out->raw_id = path->raw[id_at];
	}
	if (str_is(method, "DELETE"))
		out->kind = out->id.len ? OPERATION_DELETE : OPERATION_OTHER;
	else if (str_is(method, "PUT") || str_is(method, "POST"))
		out->kind = OPERATION_INDEX;
	if (request_query_get(path->query, STR("op_type"), &value))
		out->create = str_is(value, "create");
}

/* /index/type/id, /index/_doc/id, /index/_create/id, /index/_update/id, /index/type/id/_update … */
/* /i/type/id, /i/type/id/_create and POST /i/type, of clusters that had types. */
static bool is_typed_document(const struct request_path *path)
{
	if (path->count == 4)
		return str_is(path->segment[3], "_create");
	return path->count == 2 || (path->count == 3 && path->segment[2].ptr[0] != '_');
}

static void below_index(struct operation *out, const struct request_path *path, struct str method)
{
	struct str second = path->segment[1], last = path->segment[path->count - 1];
	bool typed = is_name(second);

	if (str_is(second, "_update") && path->count == 3) {
		document(out, path, 2, method);
		out->kind = OPERATION_UPDATE;
	} else if (typed && path->count == 4 && str_is(last, "_update")) {
		document(out, path, 2, method);
		out->raw_type = path->raw[1];
		out->kind = OPERATION_UPDATE;
	} else if ((str_is(second, "_doc") || str_is(second, "_create")) && path->count <= 3) {
		document(out, path, 2, method);
		out->create |= str_is(second, "_create");
	} else if (typed && is_typed_document(path)) {
		document(out, path, 2, method);
		out->raw_type = path->raw[1];
		out->create |= path->count == 4;
	}
}

static bool is_cursor(const struct request_path *path)
{
	for (size_t i = 0; i < path->count; i++)
		if (str_is(path->segment[i], "scroll") || str_is(path->segment[i], "_pit") ||
		    str_is(path->segment[i], "point_in_time"))
			return true;
	return false;
}

static bool ends_as_cursor(const struct request_path *path)
{
	size_t count = path->count;

	return is_cursor(path) && (!is_name(path->segment[count - 1]) ||
				   (count > 1 && str_is(path->segment[count - 2], "scroll")));
}

/* Requests that stand for many documents, by one of the first names. */
static bool is_of_many(const struct request_path *path, struct operation *out)
{
	for (size_t i = 0; i < path->count && i < 3; i++) {
		if (str_is(path->segment[i], "_bulk")) {
			out->kind = OPERATION_BULK;
			out->index = i > 0 ? path->segment[0] : STR("");
			return true;
		}
		if (is_by_query(path->segment[i])) {
			out->kind = OPERATION_BY_QUERY;
			out->raw_index = i > 0 ? path->raw[0] : STR("");
			return true;
		}
	}
	return false;
}

/* POST /i/_pit, /i/_search/point_in_time, /i/_search?scroll=1m */
static bool opens_cursor(const struct request_path *path, struct str method)
{
	struct str last = path->segment[path->count - 1], value;

	if (str_is(last, "_pit") || str_is(last, "point_in_time"))
		return str_is(method, "POST") && is_name(path->segment[0]);
	return str_is(last, "_search") && request_query_get(path->query, STR("scroll"), &value);
}

static bool is_of_cursors_or_reads(const struct request_path *path, struct str method,
				   struct operation *out)
{
	out->opens = opens_cursor(path, method);
	if (ends_as_cursor(path)) {
		out->kind = OPERATION_CURSOR;
		return true;
	}
	for (size_t i = 0; i < path->count; i++)
		if (is_read_endpoint(path->segment[i]) && (i > 0 || path->count <= 3)) {
			out->kind = is_cursor(path) ? OPERATION_CURSOR : OPERATION_READ;
			return true;
		}
	return false;
}

void operation_read(struct str method, struct str target, struct arena *mem, struct operation *out)
{
	struct request_path path = {0};
	bool write = is_write_method(method);

	*out = (struct operation){.kind = write ? OPERATION_OTHER : OPERATION_READ};
	if (!request_path_parse(target, mem, &path) || path.count == 0)
		return;
	if (path.count > 1 && path.segment[path.count - 1].len == 0)
		path.count--;
	out->query = path.query;
	if ((write && is_of_many(&path, out)) || is_of_cursors_or_reads(&path, method, out))
		return;
	if (write && path.count >= 2 && is_name(path.segment[0]))
		below_index(out, &path, method);
}
