/* Searches that go on from page to page: scrolls, and searches after a sequence number. */
#include "documents/live_internal.h"

#include <inttypes.h>

#define KEEP_ALIVE "5m"
#define ANSWER_MAX MIB(1)

enum { REOPENED_MOST = 5 }; /* points in time, one after another */

static int major_of(const struct live_cursor *cursor)
{
	return cluster_version(cursor->cluster)->major;
}

static bool is_elasticsearch_before(const struct live_cursor *cursor, int major)
{
	return cluster_version(cursor->cluster)->flavour == CLUSTER_ELASTICSEARCH &&
	       major_of(cursor) < major;
}

static bool live_documents_has_point_in_time(const struct cluster_version *version)
{
	int number = version->major * 100 + version->minor;

	return version->flavour == CLUSTER_OPENSEARCH ? number >= 204 : number >= 710;
}

bool live_documents_number_all(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_OPENSEARCH || version->major >= 7;
}

bool live_documents_has_sequence(const struct cluster_version *version)
{
	return !version->serverless &&
	       (version->flavour == CLUSTER_OPENSEARCH || version->major >= 6);
}

static int refused(const struct live_cursor *cursor, int status, struct str answer, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *parsed = NULL;
	struct str reason;

	if (json_parse(answer, &mem, &parsed, NULL) < 0)
		parsed = NULL;
	reason = cluster_error_reason(parsed, status, &mem);
	if (status == 404)
		return err_set(err, ERR_NOT_FOUND,
			       "index '" STR_FMT "' cannot be searched: " STR_FMT,
			       STR_ARG(cursor->options.index), STR_ARG(reason));
	return err_set(err, ERR_HTTP, "index '" STR_FMT "' cannot be searched: " STR_FMT,
		       STR_ARG(cursor->options.index), STR_ARG(reason));
}

static int request(struct live_cursor *cursor, const char *method, bool repeatable, int *status,
		   struct str *answer, struct err *err)
{
	if (buf_check(&cursor->path, "the path of a search", err) < 0 ||
	    buf_check(&cursor->body, "the body of a search", err) < 0)
		return -ERR_LIMIT;
	return cluster_request_text(cursor->cluster, method, buf_cstr(&cursor->path),
				    buf_str(&cursor->body), repeatable, status, answer, err);
}

static void start_path(struct live_cursor *cursor, const char *rest)
{
	buf_reset(&cursor->path);
	buf_reset(&cursor->body);
	if (rest[0] == '/') {
		buf_append_byte(&cursor->path, '/');
		http_append_encoded(&cursor->path, cursor->options.index);
	} else {
		buf_append_byte(&cursor->path, '/');
	}
	buf_append_str(&cursor->path, str_from(rest));
}

/* What of each hit is wanted, and which hits: the members that scroll and sequence share. */
static void append_search(struct live_cursor *cursor)
{
	const struct live_documents_options *options = &cursor->options;
	struct buf *body = &cursor->body;

	buf_printf(body, "{\"size\":%" PRId64, cursor->size);
	if (options->ids_only)
		buf_append_str(body, STR(",\"_source\":false"));
	else if (is_elasticsearch_before(cursor, 5))
		buf_append_str(body, STR(",\"fields\":[\"_source\",\"_routing\",\"_parent\"]"));
	if (options->versions)
		buf_append_str(body, STR(",\"version\":true"));
	/* A scroll refuses it. */
	if (cursor->mode == LIVE_SEQUENCE && !is_elasticsearch_before(cursor, 7))
		buf_append_str(body, STR(",\"track_total_hits\":false"));
	if (options->query.ptr)
		buf_printf(body, ",\"query\":" STR_FMT, STR_ARG(options->query));
	if (options->slices > 1)
		buf_printf(body, ",\"slice\":{%s\"id\":%d,\"max\":%d}",
			   live_documents_number_all(cluster_version(cursor->cluster))
				   ? "\"field\":\"_seq_no\","
				   : "",
			   options->slice, options->slices);
}

static void append_preference(struct live_cursor *cursor, char separator)
{
	if (cursor->options.shard >= 0)
		buf_printf(&cursor->path, "%cpreference=_shards:%d", separator,
			   cursor->options.shard);
}

/* Keeps the decoded string `member` of the answer as the cursor's id. */
static bool keep_id(struct live_cursor *cursor, struct str answer, const char *member)
{
	struct str value = json_slice_get(answer, member);

	buf_reset(&cursor->id);
	if (value.len < 2 || value.ptr[0] != '"')
		return false;
	buf_append(&cursor->id, value.ptr + 1, value.len - 2);
	return !cursor->id.failed && cursor->id.len > 0;
}

static int open_scroll(struct live_cursor *cursor, struct str *answer, struct err *err)
{
	bool scan = is_elasticsearch_before(cursor, 2);
	int status, rc;

	start_path(cursor, "/_search?scroll=" KEEP_ALIVE);
	if (scan)
		buf_append_str(&cursor->path, STR("&search_type=scan"));
	append_preference(cursor, '&');
	append_search(cursor);
	buf_append_str(&cursor->body, scan ? STR("}") : STR(",\"sort\":[\"_doc\"]}"));
	rc = request(cursor, "POST", true, &status, answer, err);
	if (rc < 0)
		return rc;
	if (status != 200 || !keep_id(cursor, *answer, "_scroll_id"))
		return refused(cursor, status, *answer, err);
	return 0;
}

static int next_scroll(struct live_cursor *cursor, struct str *answer, struct err *err)
{
	int status, rc;

	start_path(cursor, "_search/scroll");
	if (is_elasticsearch_before(cursor, 2)) {
		buf_append_str(&cursor->path, STR("?scroll=" KEEP_ALIVE));
		buf_append_str(&cursor->body, buf_str(&cursor->id));
	} else {
		buf_printf(&cursor->body,
			   "{\"scroll\":\"" KEEP_ALIVE "\",\"scroll_id\":\"" STR_FMT "\"}",
			   STR_ARG(buf_str(&cursor->id)));
	}
	/* Not repeatable: a page whose answer was lost has been passed over. */
	rc = request(cursor, "POST", false, &status, answer, err);
	if (rc < 0)
		return rc;
	if (status == 404)
		return err_set(err, ERR_CONFLICT,
			       "the scroll over index '" STR_FMT
			       "' has expired; this part starts anew",
			       STR_ARG(cursor->options.index));
	if (status != 200)
		return refused(cursor, status, *answer, err);
	keep_id(cursor, *answer, "_scroll_id");
	return 0;
}

static void open_point_in_time(struct live_cursor *cursor)
{
	bool opensearch = cluster_version(cursor->cluster)->flavour == CLUSTER_OPENSEARCH;
	struct str answer;
	int status;

	start_path(cursor, opensearch ? "/_search/point_in_time?keep_alive=" KEEP_ALIVE
				      : "/_pit?keep_alive=" KEEP_ALIVE);
	append_preference(cursor, '&');
	cursor->point_in_time = request(cursor, "POST", true, &status, &answer, NULL) == 0 &&
				status == 200 &&
				keep_id(cursor, answer, opensearch ? "pit_id" : "id");
	if (!cursor->point_in_time)
		buf_reset(&cursor->id);
}

static int search_after(struct live_cursor *cursor, int *status, struct str *answer,
			struct err *err)
{
	start_path(cursor, cursor->point_in_time ? "_search" : "/_search");
	if (!cursor->point_in_time)
		append_preference(cursor, '?');
	append_search(cursor);
	if (cursor->point_in_time)
		buf_printf(&cursor->body,
			   ",\"pit\":{\"id\":\"" STR_FMT "\",\"keep_alive\":\"" KEEP_ALIVE "\"}",
			   STR_ARG(buf_str(&cursor->id)));
	/* An index that nothing was ever written to has no such field, and no documents. */
	buf_append_str(&cursor->body, STR(",\"sort\":[{\"_seq_no\":{\"order\":\"asc\","
					  "\"unmapped_type\":\"long\"}}]"));
	if (cursor->next_sequence >= 0)
		buf_printf(&cursor->body, ",\"search_after\":[%" PRId64 "]", cursor->next_sequence);
	buf_append_byte(&cursor->body, '}');
	return request(cursor, "POST", true, status, answer, err);
}

/* After a point in time that was lost the order lets the search go on in a new one; a few times,
 * for clusters may be short of search contexts for a while. */
static int go_on(struct live_cursor *cursor, int *status, struct str *answer, struct err *err)
{
	int rc = 0;

	for (int i = 0; i < REOPENED_MOST && *status == 404; i++) {
		open_point_in_time(cursor);
		if (!cursor->point_in_time)
			break;
		rc = search_after(cursor, status, answer, err);
		if (rc < 0 || *status != 404)
			return rc;
	}
	cursor->point_in_time = false;
	buf_reset(&cursor->id);
	/* A slice is one of a point in time or a scroll, or refused. */
	if (cursor->options.slices > 1)
		return err_set(err, ERR_CONFLICT,
			       "the point in time over index '" STR_FMT
			       "' was lost %d times; this part starts anew",
			       STR_ARG(cursor->options.index), REOPENED_MOST + 1);
	return search_after(cursor, status, answer, err);
}

static int next_sequence(struct live_cursor *cursor, struct str *answer, struct err *err)
{
	int status, rc = search_after(cursor, &status, answer, err);

	if (rc == 0 && status == 404 && cursor->point_in_time)
		rc = go_on(cursor, &status, answer, err);
	if (rc < 0)
		return rc;
	return status == 200 ? 0 : refused(cursor, status, *answer, err);
}

/* Clusters that ought to have points in time need not: some are built without, some refuse. */
static void start_sequence(struct live_cursor *cursor)
{
	if (live_documents_has_point_in_time(cluster_version(cursor->cluster)))
		open_point_in_time(cursor);
	if (!cursor->point_in_time && cursor->options.or_scroll)
		cursor->mode = LIVE_SCROLL;
}

/* A shard that did not answer would be documents that are not there. */
static int check_whole(const struct live_cursor *cursor, struct str answer, struct err *err)
{
	struct str shards = json_slice_get(answer, "_shards");
	struct str failed = json_slice_get(shards, "failed"),
		   total = json_slice_get(shards, "total"),
		   successful = json_slice_get(shards, "successful");
	struct str hits = json_slice_get(json_slice_get(answer, "hits"), "hits");

	if (str_is(json_slice_get(answer, "timed_out"), "true"))
		return err_set(err, ERR_TIMEOUT, "a search of index '" STR_FMT "' timed out",
			       STR_ARG(cursor->options.index));
	if (failed.ptr && !str_is(failed, "0"))
		return err_set(err, ERR_UNREADABLE,
			       "" STR_FMT " shards of index '" STR_FMT
			       "' did not answer; see to its health first",
			       STR_ARG(failed), STR_ARG(cursor->options.index));
	/* A shard without a copy, or whose node has left, is not counted as failed. */
	if (total.ptr && successful.ptr && !str_eq(total, successful))
		return err_set(err, ERR_UNREADABLE,
			       "only " STR_FMT " of " STR_FMT " shards of index '" STR_FMT
			       "' answered; see to its health first",
			       STR_ARG(successful), STR_ARG(total), STR_ARG(cursor->options.index));
	/* Without hits an answer would be taken for the last page. */
	if (hits.len == 0 || hits.ptr[0] != '[')
		return err_set(err, ERR_FORMAT,
			       "the answer to a search of index '" STR_FMT
			       "' has no hits: something else than the cluster may have answered",
			       STR_ARG(cursor->options.index));
	return 0;
}

int live_cursor_fetch(struct live_cursor *cursor, struct str *answer, struct err *err)
{
	int rc;

	if (cursor->ended)
		return 0;
	if (!cursor->started && cursor->mode == LIVE_SEQUENCE)
		start_sequence(cursor);
	if (cursor->mode == LIVE_SEQUENCE)
		rc = next_sequence(cursor, answer, err);
	else if (cursor->started)
		rc = next_scroll(cursor, answer, err);
	else
		rc = open_scroll(cursor, answer, err);
	if (rc == 0)
		rc = check_whole(cursor, *answer, err);
	if (rc < 0)
		return rc;
	cursor->started = true;
	return 1;
}

void live_cursor_close(struct live_cursor *cursor)
{
	bool opensearch = cluster_version(cursor->cluster)->flavour == CLUSTER_OPENSEARCH;
	struct str id = buf_str(&cursor->id), answer;
	int status;

	if (id.len == 0)
		return;
	if (cursor->mode == LIVE_SCROLL) {
		start_path(cursor, "_search/scroll");
		if (is_elasticsearch_before(cursor, 2))
			buf_append_str(&cursor->body, id);
		else
			buf_printf(&cursor->body, "{\"scroll_id\":[\"" STR_FMT "\"]}", STR_ARG(id));
	} else {
		start_path(cursor, opensearch ? "_search/point_in_time" : "_pit");
		buf_printf(&cursor->body,
			   opensearch ? "{\"pit_id\":[\"" STR_FMT "\"]}"
				      : "{\"id\":\"" STR_FMT "\"}",
			   STR_ARG(id));
	}
	request(cursor, "DELETE", false, &status, &answer, NULL);
	buf_reset(&cursor->id);
}

void live_cursor_measure(struct live_cursor *cursor, uint64_t *documents, uint64_t *bytes)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct json *answer = NULL;
	const struct json *primaries;
	int status;

	*documents = *bytes = 0;
	start_path(cursor, "/_stats/docs,store");
	if (buf_check(&cursor->path, "a path", NULL) < 0 ||
	    cluster_request(cursor->cluster, "GET", buf_cstr(&cursor->path), STR_NONE, true, &mem,
			    &status, &answer, NULL) < 0 ||
	    status != 200)
		return;
	primaries = json_path(answer, "_all", "primaries", NULL);
	*documents = (uint64_t)MAX(json_i64_or(json_path(primaries, "docs", "count", NULL), 0), 0);
	*bytes = (uint64_t)MAX(json_i64_or(json_path(primaries, "store", "size_in_bytes", NULL), 0),
			       0);
}
