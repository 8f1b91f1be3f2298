#include "transform/type_routing_request.h"

#include "net/http_client.h"

/* What a row does beside its path. */
enum row_kind {
	ROW_DOCUMENT,  /* one index and type */
	ROW_INDICES,   /* lists of them */
	ROW_REFUSED,   /* nothing without types does the same */
	ROW_BODY_LAST, /* the body says: by its `body` */
};

/* A way of addressing: the path with types, and the one without, as "{i}/{t}/{x}". */
struct row {
	const char *methods;
	const char *path;
	const char *typeless;
	enum row_kind kind;
	enum type_feature feature; /* TYPE_FEATURE_COUNT: always on */
	int (*body)(struct routed_request *request, struct err *err);
};

#define ALWAYS TYPE_FEATURE_COUNT

/* Source: Elasticsearch 7.17 "Removal of mapping types", and the REST API specifications of 5.6 and
 * 6.8. {i}: index, {t}: type, {x}: anything, kept as written. The first row that fits counts. */
static const struct row rows[] = {
	{"POST PUT", "_bulk", "_bulk", ROW_BODY_LAST, TYPE_FEATURE_BULK, routed_body_bulk},
	{"POST PUT", "{i}/_bulk", "{i}/_bulk", ROW_BODY_LAST, TYPE_FEATURE_BULK, routed_body_bulk},
	{"POST PUT", "{i}/{t}/_bulk", "{i}/_bulk", ROW_BODY_LAST, TYPE_FEATURE_BULK,
	 routed_body_bulk},

	{"GET POST", "{i}/{t}/_search", "{i}/_search", ROW_INDICES, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_search/template", "{i}/_search/template", ROW_INDICES, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_search_shards", "{i}/_search_shards", ROW_INDICES, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_count", "{i}/_count", ROW_INDICES, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_validate/query", "{i}/_validate/query", ROW_INDICES, ALWAYS, NULL},
	{"POST", "{i}/{t}/_delete_by_query", "{i}/_delete_by_query", ROW_INDICES, ALWAYS, NULL},
	{"POST", "{i}/{t}/_update_by_query", "{i}/_update_by_query", ROW_INDICES, ALWAYS, NULL},

	{"GET POST", "_msearch", "_msearch", ROW_BODY_LAST, ALWAYS, routed_body_multi_search},
	{"GET POST", "_msearch/template", "_msearch/template", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_search},
	{"GET POST", "{i}/_msearch", "{i}/_msearch", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_search},
	{"GET POST", "{i}/_msearch/template", "{i}/_msearch/template", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_search},
	{"GET POST", "{i}/{t}/_msearch", "{i}/_msearch", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_search},
	{"GET POST", "{i}/{t}/_msearch/template", "{i}/_msearch/template", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_search},
	{"GET POST", "_mget", "_mget", ROW_BODY_LAST, ALWAYS, routed_body_multi_get},
	{"GET POST", "{i}/_mget", "{i}/_mget", ROW_BODY_LAST, ALWAYS, routed_body_multi_get},
	{"GET POST", "{i}/{t}/_mget", "{i}/_mget", ROW_BODY_LAST, ALWAYS, routed_body_multi_get},
	{"GET POST", "_mtermvectors", "_mtermvectors", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_get},
	{"GET POST", "{i}/_mtermvectors", "{i}/_mtermvectors", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_get},
	{"GET POST", "{i}/{t}/_mtermvectors", "{i}/_mtermvectors", ROW_BODY_LAST, ALWAYS,
	 routed_body_multi_get},

	{"POST PUT", "{i}/{t}/{x}/_create", "{i}/_create/{x}", ROW_DOCUMENT,
	 TYPE_FEATURE_PUT_DOCUMENT, NULL},
	{"POST", "{i}/{t}/{x}/_update", "{i}/_update/{x}", ROW_DOCUMENT, TYPE_FEATURE_PUT_DOCUMENT,
	 NULL},
	{"GET HEAD", "{i}/{t}/{x}/_source", "{i}/_source/{x}", ROW_DOCUMENT,
	 TYPE_FEATURE_GET_DOCUMENT, NULL},
	{"GET POST", "{i}/{t}/{x}/_explain", "{i}/_explain/{x}", ROW_DOCUMENT, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/{x}/_termvectors", "{i}/_termvectors/{x}", ROW_DOCUMENT, ALWAYS,
	 NULL},
	{"GET POST", "{i}/{t}/{x}/_termvector", "{i}/_termvectors/{x}", ROW_DOCUMENT, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_termvectors", "{i}/_termvectors", ROW_DOCUMENT, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_termvector", "{i}/_termvectors", ROW_DOCUMENT, ALWAYS, NULL},

	{"GET HEAD", "{i}/{t}/_mapping", "{i}/_mapping", ROW_INDICES, ALWAYS, NULL},
	{"GET HEAD", "{i}/_mapping/{t}", "{i}/_mapping", ROW_INDICES, ALWAYS, NULL},
	{"GET HEAD", "{i}/_mappings/{t}", "{i}/_mapping", ROW_INDICES, ALWAYS, NULL},
	{"GET", "{i}/_mapping/{t}/field/{x}", "{i}/_mapping/field/{x}", ROW_INDICES, ALWAYS, NULL},
	{"POST PUT", "{i}/{t}/_mapping", "{i}/_mapping", ROW_INDICES, ALWAYS,
	 routed_body_put_mapping},
	{"POST PUT", "{i}/{t}/_mappings", "{i}/_mapping", ROW_INDICES, ALWAYS,
	 routed_body_put_mapping},
	{"POST PUT", "{i}/_mapping/{t}", "{i}/_mapping", ROW_INDICES, ALWAYS,
	 routed_body_put_mapping},
	{"POST PUT", "{i}/_mappings/{t}", "{i}/_mapping", ROW_INDICES, ALWAYS,
	 routed_body_put_mapping},
	{"DELETE", "{i}/{t}/_mapping", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"DELETE", "{i}/_mapping/{t}", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"DELETE", "{i}/{t}", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"DELETE", "{i}/{t}/_query", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_search/exists", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_percolate", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/_percolate/count", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/{x}/_percolate", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/{x}/_percolate/count", NULL, ROW_REFUSED, ALWAYS, NULL},
	{"GET POST", "{i}/{t}/{x}/_mlt", NULL, ROW_REFUSED, ALWAYS, NULL},

	/* Without a type in the path: 7.x, and 6.x with _doc. */
	{"POST PUT", "{i}/_create/{x}", "{i}/_create/{x}", ROW_DOCUMENT, TYPE_FEATURE_PUT_DOCUMENT,
	 NULL},
	{"POST", "{i}/_update/{x}", "{i}/_update/{x}", ROW_DOCUMENT, TYPE_FEATURE_PUT_DOCUMENT,
	 NULL},
	{"GET HEAD", "{i}/_source/{x}", "{i}/_source/{x}", ROW_DOCUMENT, TYPE_FEATURE_GET_DOCUMENT,
	 NULL},
	{"GET POST", "{i}/_explain/{x}", "{i}/_explain/{x}", ROW_DOCUMENT, ALWAYS, NULL},
	{"GET POST", "{i}/_termvectors/{x}", "{i}/_termvectors/{x}", ROW_DOCUMENT, ALWAYS, NULL},

	{"HEAD", "{i}/{t}", "{i}", ROW_INDICES, ALWAYS, NULL},
	{"POST", "{i}/{t}", "{i}/_doc", ROW_DOCUMENT, TYPE_FEATURE_PUT_DOCUMENT, NULL},
	{"POST PUT", "{i}/{t}/{x}", "{i}/_doc/{x}", ROW_DOCUMENT, TYPE_FEATURE_PUT_DOCUMENT, NULL},
	{"GET HEAD", "{i}/{t}/{x}", "{i}/_doc/{x}", ROW_DOCUMENT, TYPE_FEATURE_GET_DOCUMENT, NULL},
	{"DELETE", "{i}/{t}/{x}", "{i}/_doc/{x}", ROW_DOCUMENT, TYPE_FEATURE_DELETE_DOCUMENT, NULL},

	{"POST PUT", "{i}", "{i}", ROW_BODY_LAST, TYPE_FEATURE_CREATE_INDEX,
	 routed_body_create_index},
	{"POST PUT", "_template/{x}", "_template/{x}", ROW_BODY_LAST, ALWAYS,
	 routed_body_put_template},
};

/* Whether a list of names can be one of indices or of types: none begins as what is reserved. */
static bool is_name(struct str list, bool type)
{
	struct str name;
	bool more = true;

	while (more) {
		more = str_split(list, ',', &name, &list);
		if (!name.len)
			return false;
		if (memchr("_-+", name.ptr[0], 3) && !str_is(name, type ? "_doc" : "_all"))
			return false;
	}
	return true;
}

static bool has_word(const char *words, struct str word)
{
	struct str left = str_from(words), one;
	bool more = true;

	while (more) {
		more = str_split(left, ' ', &one, &left);
		if (str_eq(one, word))
			return true;
	}
	return false;
}

static bool row_matches(const struct row *row, struct routed_request *request, struct str method)
{
	const struct request_path *path = &request->path;
	struct str left = str_from(row->path), part;
	bool more = true;
	size_t i = 0;

	request->index = request->type = STR_NONE;
	if (!has_word(row->methods, method))
		return false;
	for (; more; i++) {
		more = str_split(left, '/', &part, &left);
		if (i == path->count)
			return false;
		if (str_is(part, "{i}"))
			request->index = path->segment[i];
		else if (str_is(part, "{t}"))
			request->type = path->segment[i];
		else if (!str_is(part, "{x}") && !str_eq(part, path->segment[i]))
			return false;
	}
	return i == path->count && (!request->index.len || is_name(request->index, false)) &&
	       (!request->type.len || is_name(request->type, true));
}

static void append_targets(struct buf *out, const struct routed_request *request)
{
	for (size_t i = 0; i < request->target_count; i++) {
		if (i)
			buf_append_byte(out, ',');
		for (struct str left = request->targets[i], part; left.len;) {
			/* A pattern keeps its star. */
			bool more = str_split(left, '*', &part, &left);

			http_append_encoded(out, part);
			if (more)
				buf_append_byte(out, '*');
		}
	}
}

/* The segment that {x} stands for: the last that no other part of the row's path takes. */
static struct str kept_segment(const struct row *row, const struct request_path *path)
{
	struct str left = str_from(row->path), part, found = STR_NONE;

	for (size_t i = 0; i < path->count; i++) {
		str_split(left, '/', &part, &left);
		if (str_is(part, "{x}"))
			found = path->raw[i];
	}
	return found;
}

static void append_path(struct buf *out, const struct row *row,
			const struct routed_request *request)
{
	struct str left = str_from(row->typeless), part;
	bool more = true;

	while (more) {
		more = str_split(left, '/', &part, &left);
		if (str_is(part, "{i}") && !request->target_count)
			continue;
		buf_append_byte(out, '/');
		if (str_is(part, "{i}"))
			append_targets(out, request);
		else if (str_is(part, "{x}"))
			buf_append_str(out, kept_segment(row, &request->path));
		else
			buf_append_str(out, part);
	}
}

static int set_uri(struct routed_request *request, struct buf *uri, struct err *err)
{
	struct str copy;

	request_query_append_without(uri, request->path.query, STR("include_type_name"));
	if (buf_check(uri, "the path of a request", err) < 0)
		return -(int)err->kind;
	if (str_eq(buf_str(uri), json_string(json_get(request->message, "URI"))))
		return request->changed;
	copy = arena_str(request->mem, buf_str(uri));
	if (!copy.ptr)
		return arena_fail(request->mem, "the path of a request", err);
	json_set(request->message, STR("URI"), json_new_string(request->mem, copy));
	return 1;
}

/* A request that does nothing, in place of one whose types are all dropped. */
static int replace_by_nothing(struct routed_request *request, struct json **out)
{
	static const char *const body_headers[] = {"content-length", "content-type",
						   "content-encoding", "transfer-encoding"};
	struct json *headers = json_get(request->message, "headers");

	json_set(request->message, STR("method"), json_new_string(request->mem, STR("GET")));
	json_set(request->message, STR("URI"), json_new_string(request->mem, STR("/")));
	json_remove(request->message, STR("payload"));
	for (size_t i = 0; i < COUNT_OF(body_headers); i++)
		json_remove(headers, str_from(body_headers[i]));
	*out = request->message;
	return 1;
}

static int refuse(const struct routed_request *request, struct str method, struct str uri,
		  struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "nothing without types does what " STR_FMT " " STR_FMT
		       " does for type '" STR_FMT "'; leave the request out",
		       STR_ARG(method), STR_ARG(uri), STR_ARG(request->type));
}

static int route_document(struct routed_request *request, struct err *err)
{
	struct str type = request->type.len ? request->type : STR("_doc");
	struct str target;
	int status = type_routes_index(request->routing->routes, request->index, type, request->mem,
				       &target, err);

	if (status <= 0)
		return status;
	request->targets = arena_zalloc(request->mem, 1, sizeof(target));
	if (!request->targets)
		return arena_fail(request->mem, "the index of a request", err);
	request->targets[0] = target;
	request->target_count = 1;
	return 0;
}

static int apply_row(const struct row *row, struct routed_request *request, struct json **out,
		     struct err *err)
{
	cleanup(buf_release) struct buf uri = BUF_INIT(MIB(1));
	int status = 0;

	if (row->kind == ROW_DOCUMENT)
		status = route_document(request, err);
	else if (row->kind == ROW_INDICES)
		status = routed_request_add_targets(request, request->index, request->type, err);
	if (status < 0)
		return status;
	request->nothing = row->kind != ROW_BODY_LAST && !request->target_count;
	if (row->body && !request->nothing && row->body(request, err) < 0)
		return -(int)err->kind;
	if (request->nothing)
		return replace_by_nothing(request, out);
	append_path(&uri, row, request);
	return set_uri(request, &uri, err);
}

/* A request without types for an index that was split goes to all its targets. */
static int route_untyped(struct routed_request *request, struct json **out, struct err *err)
{
	cleanup(buf_release) struct buf uri = BUF_INIT(MIB(1));
	struct str left, index;
	bool more = true, known = false;

	if (!request->path.count || !is_name(request->path.segment[0], false) ||
	    (request->path.count > 1 && !str_starts(request->path.segment[1], STR("_"))))
		return 0;
	for (left = request->path.segment[0]; more;) {
		more = str_split(left, ',', &index, &left);
		known |= type_routes_static(request->routing->routes, index) != NULL;
	}
	if (!known)
		return 0;
	if (routed_request_add_targets(request, request->path.segment[0], STR_NONE, err) < 0)
		return -(int)err->kind;
	if (!request->target_count)
		return replace_by_nothing(request, out);
	buf_append_byte(&uri, '/');
	append_targets(&uri, request);
	for (size_t i = 1; i < request->path.count; i++)
		buf_printf(&uri, "/" STR_FMT, STR_ARG(request->path.raw[i]));
	return set_uri(request, &uri, err);
}

int type_routing_request(void *state, struct json *value, struct arena *mem, struct json **out,
			 struct err *err)
{
	struct routed_request request = {.routing = state,
					 .message = value,
					 .payload = json_get(value, "payload"),
					 .mem = mem};
	struct str method = json_string(json_get(value, "method"));
	struct str uri = json_string(json_get(value, "URI"));

	if (!method.len || !uri.len)
		return err_set(err, ERR_FORMAT,
			       "the request has no method or no URI, by which it is routed");
	if (!request_path_parse(uri, mem, &request.path))
		return mem->failed ? arena_fail(mem, "the path of a request", err) : 0;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!row_matches(&rows[i], &request, method))
			continue;
		if (rows[i].feature != ALWAYS && request.routing->off[rows[i].feature])
			return 0;
		if (rows[i].kind == ROW_REFUSED)
			return refuse(&request, method, uri, err);
		return apply_row(&rows[i], &request, out, err);
	}
	return route_untyped(&request, out, err);
}
