/* Clients' requests: endpoints, parameters, bodies and who sent them. */
#include "metadata/assess_internal.h"

#include <ctype.h>
#include <strings.h>

#define SEGMENTS_MAX 16
#define ID_MAX 512 /* bytes, OpenSearch 3 */
#define LIMIT_REQUEST MIB(64)

struct request {
	struct assess_scan scan;
	struct str method, parameters;
	struct str segments[SEGMENTS_MAX];
	size_t segment_count;
};

static const struct {
	const char *segment, *id;
} endpoints[] = {
	{"_optimize", "BQ11"},   {"_warmer", "BQ11"},    {"_warmers", "BQ11"},
	{"_status", "BQ11"},     {"_shutdown", "BQ11"},  {"_river", "BQ11"},
	{"_suggest", "BQ12"},    {"_percolate", "BQ12"}, {"_mpercolate", "BQ12"},
	{"_freeze", "B807"},     {"_unfreeze", "B807"},  {"_xpack", "BF01"},
	{"_ilm", "BF01"},        {"_slm", "BF01"},       {"_watcher", "BF01"},
	{"_ml", "BF01"},         {"_ccr", "BF01"},       {"_transform", "BF01"},
	{"_data_frame", "BF01"}, {"_rollup", "BF01"},    {"_enrich", "BF01"},
	{"_license", "BF01"},    {"_eql", "BF01"},       {"_sql", "BF01"},
	{"_graph", "BF01"},      {"_security", "BF01"},  {"_async_search", "BF01"},
	{"_opendistro", "BO35"},
};

/* Paths below which bodies are searches or queries. */
static const char *const searches[] = {
	"_search",          "_msearch",      "_count",   "_delete_by_query",
	"_update_by_query", "_validate",     "_explain", "_percolate",
	"_query",           "_async_search", "_suggest", "_search_template",
};

static bool has_segment(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->segment_count; i++)
		if (str_is(r->segments[i], name))
			return true;
	return false;
}

static bool has_parameter(const struct request *r, const char *text)
{
	return r->parameters.len &&
	       memmem(r->parameters.ptr, r->parameters.len, text, strlen(text)) != NULL;
}

static void hit(struct request *r, const char *id, const char *what)
{
	if (!assess_applies(r->scan.a, id))
		return;
	r->scan.id = id;
	assess_hit(&r->scan, NULL, "%s", what);
}

static void typed(struct request *r, const char *what)
{
	hit(r, "B801", what);
	hit(r, "BO21", what);
}

static bool is_name(struct str segment)
{
	return segment.len && segment.ptr[0] != '_';
}

/* /index/type/…, /index/_mapping/type, /_mapping/type */
static bool has_typed_path(const struct request *r)
{
	if (r->segment_count >= 2 && is_name(r->segments[0]) && is_name(r->segments[1]))
		return true;
	for (size_t i = 0; i + 1 < r->segment_count; i++)
		if (str_is(r->segments[i], "_mapping") && is_name(r->segments[i + 1]) &&
		    !str_is(r->segments[i + 1], "field"))
			return true;
	return false;
}

static void check_path(struct request *r)
{
	for (size_t i = 0; i < COUNT_OF(endpoints); i++)
		if (has_segment(r, endpoints[i].segment))
			hit(r, endpoints[i].id, endpoints[i].segment);
	if (has_segment(r, "_search") && has_segment(r, "exists"))
		hit(r, "BQ11", "_search/exists");
	if (has_typed_path(r))
		typed(r, "a path with a type");
	if (has_parameter(r, "include_type_name"))
		typed(r, "include_type_name");
	if (has_parameter(r, "search_type=count") || has_parameter(r, "search_type=scan"))
		hit(r, "BQ06", "search_type");
	if (has_parameter(r, "master_timeout") || has_segment(r, "master"))
		hit(r, "BO22", "the word master");
	for (size_t i = 0; i < r->segment_count; i++)
		if (r->segments[i].len > ID_MAX)
			hit(r, "BO34", "an id of more than 512 bytes");
}

static void split_path(struct request *r, struct str path)
{
	struct str rest, segment;

	str_split(path, '?', &rest, &r->parameters);
	while (rest.len > 0 && r->segment_count < SEGMENTS_MAX) {
		struct str tail = STR_NONE;

		str_split(rest, '/', &segment, &tail);
		if (segment.len)
			r->segments[r->segment_count++] = segment;
		rest = tail;
	}
}

static void check_action(struct request *r, const struct json *body)
{
	static const char *const actions[] = {"index", "create", "update", "delete"};

	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		const struct json *action = json_get(body, actions[i]);

		if (json_get(action, "_type"))
			typed(r, "a bulk action with _type");
		if (json_string(json_get(action, "_id")).len > ID_MAX)
			hit(r, "BO34", "an id of more than 512 bytes");
	}
}

static void check_body(struct request *r, const struct json *body)
{
	if (!body || body->type != JSON_OBJECT)
		return;
	if (has_segment(r, "_bulk"))
		check_action(r, body);
	for (size_t i = 0; i < COUNT_OF(searches); i++)
		if (has_segment(r, searches[i])) {
			assess_search_body(&r->scan, body);
			return;
		}
	if (r->segment_count == 0) {
		assess_search_body(&r->scan, body);
		if (!json_get(body, "query"))
			assess_query(&r->scan, body);
	}
}

/* One value, or one a line. */
static void check_text(struct request *r, struct str text)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_REQUEST);
	struct json *body;
	struct str line;

	if (json_parse(text, &mem, &body, NULL) == 0) {
		check_body(r, body);
		return;
	}
	while (text.len > 0) {
		struct str tail = STR_NONE;

		str_split(text, '\n', &line, &tail);
		text = tail;
		if (line.len && json_parse(line, &mem, &body, NULL) == 0)
			check_body(r, body);
	}
}

static void check_payload(struct request *r, const struct json *payload)
{
	const struct json *many = json_get(payload, "inlinedJsonSequenceBodies");
	const struct json *one = json_get(payload, "inlinedJsonBody");
	const struct json *text = json_get(payload, "inlinedTextBody");

	if (!payload)
		return;
	if (payload->type == JSON_STRING) {
		check_text(r, payload->text);
		return;
	}
	if (!many && !one && !text)
		check_body(r, payload);
	check_body(r, one);
	check_text(r, json_string(text));
	json_each (body, many)
		check_body(r, body);
}

/* A member of that name in any case; the first of an array. */
static struct str header(const struct json *headers, const char *name)
{
	json_each (member, headers)
		if (member->key.len == strlen(name) &&
		    strncasecmp(member->key.ptr, name, member->key.len) == 0)
			return member->type == JSON_ARRAY ? json_string(member->first)
							  : json_string(member);
	return STR_NONE;
}

/* "elasticsearch-py/7.17.0", "elastic-transport-python/8.13": they ask for the product. */
static bool checks_product(struct str agent)
{
	static const char *const names[] = {"elastic-transport",   "elasticsearch-py/",
					    "elasticsearch-js/",   "elasticsearch-net/",
					    "elasticsearch-php/",  "elasticsearch-ruby/",
					    "elasticsearch-java/", "go-elasticsearch/"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *found =
			agent.len ? memmem(agent.ptr, agent.len, names[i], strlen(names[i])) : NULL;
		const char *end = agent.ptr + agent.len, *at;
		int numbers[2] = {0};

		if (!found)
			continue;
		if (i == 0)
			return true;
		at = found + strlen(names[i]);
		for (size_t part = 0; part < 2; part++) {
			for (; at < end && isdigit((unsigned char)*at); at++)
				numbers[part] = MIN(numbers[part], 9999) * 10 + (*at - '0');
			at += at < end && *at == '.';
		}
		return numbers[0] * 1000 + numbers[1] >= 7014;
	}
	return false;
}

static void take_agent(struct request *r, struct str agent)
{
	struct assessment *a = r->scan.a;

	if (!agent.len || str_is(agent, "-"))
		return;
	if (checks_product(agent))
		hit(r, "BF04", "a client with product check");
	for (size_t i = 0; i < a->agent_count; i++)
		if (str_eq(a->agents[i].name, agent)) {
			a->agents[i].requests++;
			return;
		}
	if (a->agent_count < ASSESS_AGENTS_MAX)
		a->agents[a->agent_count++] = (struct assess_agent){arena_str(&a->mem, agent), 1};
}

static void begin(struct request *r, struct assessment *a, struct str method, struct str path)
{
	struct str place, parameters;

	assess_next(a);
	*r = (struct request){.scan = {.a = a}, .method = method};
	a->requests++;
	if (path.len) {
		split_path(r, path);
		str_split(path, '?', &place, &parameters);
		r->scan.where = arena_printf(&a->scratch, "request " STR_FMT " " STR_FMT,
					     STR_ARG(method), STR_ARG(place));
		check_path(r);
	} else {
		r->scan.where =
			arena_printf(&a->scratch, "query %llu", (unsigned long long)a->requests);
	}
}

static struct str member_of(const struct json *object, const char *const *names)
{
	for (; *names; names++)
		if (json_string(json_get(object, *names)).ptr)
			return json_string(json_get(object, *names));
	return STR_NONE;
}

static struct str path_of(const struct json *object)
{
	static const char *const paths[] = {"URI", "Request-URI", "uri", "path", "url", NULL};

	return member_of(object, paths);
}

static void take_object(struct assessment *a, const struct json *object)
{
	static const char *const methods[] = {"method", "Method", "verb", NULL};
	const struct json *tuple = json_get(object, "sourceRequest"), *headers, *body;
	struct str path;
	struct request r;

	object = tuple ? tuple : object;
	headers = json_get(object, "headers") ? json_get(object, "headers") : object;
	path = path_of(object);
	begin(&r, a, member_of(object, methods), path);
	if (!path.len) {
		check_body(&r, object);
		return;
	}
	body = json_get(object, "payload") ? json_get(object, "payload") : json_get(object, "body");
	take_agent(&r, header(headers, "user-agent"));
	take_agent(&r, header(headers, "user_agent"));
	if (body && headers != object && !header(headers, "content-type").len)
		hit(&r, "B606", "a body without Content-Type");
	check_payload(&r, body);
}

/* The method in a line: "GET /a/_search", "… \"GET /a HTTP/1.1\" 200". */
static bool find_request(struct str line, struct str *method, struct str *path)
{
	static const char *const methods[] = {"GET /",    "POST /", "PUT /",
					      "DELETE /", "HEAD /", "PATCH /"};

	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		size_t length = strlen(methods[i]), end;
		const char *at = memmem(line.ptr, line.len, methods[i], length);

		if (!at)
			continue;
		*method = str_of(at, length - 2);
		*path = str_from_offset(line, (size_t)(at - line.ptr) + length - 1);
		for (end = 0; end < path->len; end++)
			if (isspace((unsigned char)path->ptr[end]) || path->ptr[end] == '"')
				break;
		path->len = end;
		return true;
	}
	return false;
}

/* The last quoted text of an access log's line. */
static struct str last_quoted(struct str line)
{
	size_t end = line.len, start;

	while (end > 0 && line.ptr[end - 1] != '"')
		end--;
	start = end ? end - 1 : 0;
	while (start > 0 && line.ptr[start - 1] != '"')
		start--;
	if (start == 0)
		return STR_NONE;
	line = str_of(line.ptr + start, end - 1 - start);
	return memmem(line.ptr, line.len, "HTTP/", 5) ? STR_NONE : line;
}

/* How much deeper it is after these bytes; quoted brackets do not count. */
static int depth_of(struct str text)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (c == '{' || c == '[') - (c == '}' || c == ']');
	}
	return depth;
}

static int take_pending(struct assessment *a, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_REQUEST);
	struct json *value;
	struct str method, path;
	struct request r;

	if (buf_check(&a->pending, "a request's body", err) < 0)
		return -(int)err->kind;
	if (json_parse(buf_str(&a->pending), &mem, &value, NULL) < 0) {
		a->unread_lines++;
	} else if (a->pending_request.len && !json_get(value, "sourceRequest") &&
		   !path_of(value).len && find_request(a->pending_request, &method, &path)) {
		begin(&r, a, method, path);
		a->requests--; /* it was counted with its line */
		check_body(&r, value);
	} else {
		take_object(a, value);
	}
	buf_reset(&a->pending);
	a->pending_depth = 0;
	return 0;
}

static struct str trimmed(struct str line)
{
	while (line.len && isspace((unsigned char)line.ptr[0]))
		line = str_from_offset(line, 1);
	while (line.len && isspace((unsigned char)line.ptr[line.len - 1]))
		line.len--;
	return line;
}

int assess_request_line(struct assessment *a, struct str line, struct err *err)
{
	struct str text = trimmed(line), method, path;
	struct request r;

	if (!text.len)
		return 0;
	if (a->pending.len || text.ptr[0] == '{') {
		buf_append_str(&a->pending, text);
		buf_append_byte(&a->pending, '\n');
		a->pending_depth += depth_of(text);
		return a->pending_depth > 0 && !a->pending.failed ? 0 : take_pending(a, err);
	}
	a->pending_request = STR_NONE;
	if (!find_request(text, &method, &path)) {
		a->unread_lines += text.ptr[0] != '#';
		return 0;
	}
	arena_reset(&a->pending_mem);
	a->pending_request = arena_str(&a->pending_mem, text);
	begin(&r, a, method, path);
	take_agent(&r, last_quoted(text));
	return a->mem.failed ? arena_fail(&a->mem, "the assessment", err) : 0;
}

int assess_request_end(struct assessment *a, struct err *err)
{
	int rc = a->pending.len ? take_pending(a, err) : 0;

	a->pending_request = STR_NONE;
	return rc == 0 && a->mem.failed ? arena_fail(&a->mem, "the assessment", err) : rc;
}
