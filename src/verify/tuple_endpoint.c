#include "verify/tuple_endpoint.h"

enum { SEGMENTS_MAX = 8, METHOD_MAX = 16, WORD_MAX = 40 };

/* Second words of APIs, and what their parameters are no instances of. */
static const char *const api_words[] = {
	"aliases",      "allocation",    "async_search",  "component_template",
	"count",        "explain",       "fielddata",     "health",
	"hot_threads",  "indices",       "info",          "master",
	"nodeattrs",    "nodes",         "pending_tasks", "pit_segments",
	"plugins",      "point_in_time", "policies",      "recovery",
	"repositories", "reroute",       "scroll",        "search",
	"segments",     "settings",      "shards",        "snapshots",
	"state",        "stats",         "sql",           "ppl",
	"tasks",        "template",      "templates",     "thread_pool",
	"usage",
};

static bool is_api(struct str segment)
{
	return segment.len > 1 && segment.ptr[0] == '_' && segment.len <= WORD_MAX;
}

static bool is_api_word(struct str segment)
{
	if (is_api(segment))
		return true;
	for (size_t i = 0; i < COUNT_OF(api_words); i++)
		if (str_is(segment, api_words[i]))
			return true;
	return false;
}

/* What is asked of a type where a document's id might stand. */
static bool is_api_of_type(struct str segment)
{
	static const char *const words[] = {
		"_search",   "_bulk",        "_count",           "_mget",
		"_msearch",  "_mapping",     "_delete_by_query", "_update_by_query",
		"_validate", "_mtermvectors"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_is(segment, words[i]))
			return true;
	return false;
}

static bool takes_id(struct str segment)
{
	static const char *const words[] = {"_doc",     "_create",      "_update",    "_source",
					    "_explain", "_termvectors", "_termvector"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_is(segment, words[i]))
			return true;
	return false;
}

static size_t split(struct str uri, struct str segments[static SEGMENTS_MAX])
{
	struct str path, rest, segment;
	size_t count = 0;
	bool more = true;

	str_split(uri, '?', &path, &rest);
	str_split(path, '#', &path, &rest);
	if (str_starts(path, STR("http://")) || str_starts(path, STR("https://"))) {
		path = str_from_offset(path, path.ptr[4] == 's' ? 8 : 7);
		if (!str_split(path, '/', &segment, &path))
			path = STR_NONE;
	}
	while (more && count < SEGMENTS_MAX) {
		more = str_split(path, '/', &segment, &rest);
		if (segment.len > 0)
			segments[count++] = segment;
		path = rest;
	}
	return count;
}

static void append_index_path(struct buf *out, const struct str *segments, size_t count)
{
	struct str second = count > 1 ? segments[1] : STR_NONE;
	bool typed = count > 1 && !is_api(second);
	bool id = typed || takes_id(second);

	buf_append_str(out, STR("/INDEX"));
	if (count > 1) {
		buf_append_byte(out, '/');
		buf_append_str(out, typed ? STR("TYPE") : second);
	}
	for (size_t i = 2; i < count; i++) {
		buf_append_byte(out, '/');
		if (i == 2 && id)
			buf_append_str(out, is_api_of_type(segments[i]) ? segments[i] : STR("ID"));
		else
			buf_append_str(out, is_api_word(segments[i]) ? segments[i] : STR("NAME"));
	}
}

void tuple_endpoint(struct buf *out, struct str method, struct str uri)
{
	struct str segments[SEGMENTS_MAX];
	size_t count = split(uri, segments);

	for (size_t i = 0; i < method.len && i < METHOD_MAX; i++) {
		char c = method.ptr[i];

		buf_append_byte(out, c > 0x20 && c < 0x7f ? c : '?');
	}
	buf_append_byte(out, ' ');
	if (count == 0)
		buf_append_byte(out, '/');
	else if (!is_api(segments[0]))
		append_index_path(out, segments, count);
	else
		for (size_t i = 0; i < count; i++) {
			buf_append_byte(out, '/');
			buf_append_str(out, is_api_word(segments[i]) ? segments[i] : STR("NAME"));
		}
}
