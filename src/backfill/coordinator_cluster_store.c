#include "backfill/coordinator_cluster_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define BULK_TRIES 6
#define BULK_FIRST_PAUSE_MS 100
#define SCAN_PAGE 100

static const char *type_name(const struct cluster_coordinator *cc)
{
	return cc->has_types ? "doc" : "_doc";
}

/* The error of an answer that none of ours expects. */
static int unexpected(const struct cluster_coordinator *cc, const char *what, int status,
		      const struct json *answer, struct arena *mem, struct err *err)
{
	struct str reason = cluster_error_reason(answer, status, mem);

	if (status == 404)
		return err_set(err, ERR_NOT_FOUND,
			       "%s: there is no index '%s' with work items on %s (" STR_FMT
			       "): check --session-name and the coordinator's host",
			       what, cc->index, cluster_version_text(cc->cluster), STR_ARG(reason));
	err_set(err, ERR_HTTP, "%s in the index '%s' of %s: status %d: " STR_FMT, what, cc->index,
		cluster_version_text(cc->cluster), status, STR_ARG(reason));
	if (err)
		err->http_status = status;
	return -ERR_HTTP;
}

static int call(struct cluster_coordinator *cc, const char *method, struct str path,
		struct str body, struct arena *mem, int *status, struct json **answer,
		struct err *err)
{
	int failed;

	if (!path.ptr)
		return arena_fail(mem, "a request for work items", err);
	failed = cluster_request(cc->cluster, method, path.ptr, body, true, mem, status, answer,
				 err);
	return failed < 0 ? err_wrap(err, "work items in the index '%s'", cc->index) : 0;
}

/* Fields that are searched; the rest of a document is not indexed in an index of ours. */
#define OWN_PROPERTIES                                                     \
	"\"bytes\":{\"type\":\"long\"},\"parked\":{\"type\":\"boolean\"}," \
	"\"shardlift\":{\"type\":\"object\",\"enabled\":false}"
#define ALL_PROPERTIES                                                                \
	"\"expiration\":{\"type\":\"long\"},\"completedAt\":{\"type\":\"long\"},"     \
	"\"leaseHolderId\":{\"type\":\"keyword\"},\"status\":{\"type\":\"keyword\"}," \
	"\"successor_items\":{\"type\":\"keyword\"}," OWN_PROPERTIES

static struct str index_body(const struct cluster_coordinator *cc, struct arena *mem)
{
	const char *dynamic = cc->compat == COORDINATOR_JAVA ? "true" : "false";
	const char *before = cc->has_types ? "{\"doc\":" : "", *after = cc->has_types ? "}" : "";

	return arena_printf(mem,
			    "{\"settings\":{\"number_of_shards\":1,\"number_of_replicas\":1,"
			    "\"refresh_interval\":\"30s\"},\"mappings\":%s{\"dynamic\":%s,"
			    "\"properties\":{" ALL_PROPERTIES "}}%s}",
			    before, dynamic, after);
}

/* The fields of ours, for an index that a Java worker has made. */
static int add_fields(struct cluster_coordinator *cc, struct arena *mem, struct err *err)
{
	struct str path =
		arena_printf(mem, "/%s/_mapping%s", cc->index, cc->has_types ? "/doc" : "");
	struct json *answer;
	int status, failed;

	failed = call(cc, "PUT", path, STR("{\"properties\":{" OWN_PROPERTIES "}}"), mem, &status,
		      &answer, err);
	if (failed == 0 && status != 200)
		failed = unexpected(cc, "adding fields", status, answer, mem, err);
	return failed;
}

int state_make_index(struct cluster_coordinator *cc, struct arena *mem, struct err *err)
{
	struct str path = arena_printf(mem, "/%s", cc->index), type;
	struct json *answer;
	int status, failed;

	if ((failed = call(cc, "GET", path, STR_NONE, mem, &status, &answer, err)) < 0)
		return failed;
	if (status == 404) {
		failed = call(cc, "PUT", path, index_body(cc, mem), mem, &status, &answer, err);
		if (failed < 0)
			return failed;
		if (status == 200)
			return 0;
	}
	/* Another process may have been faster. */
	type = json_string(json_path(answer, "error", "type", NULL));
	if (status != 200 && !str_ends(type, STR("already_exists_exception")))
		return unexpected(cc, "making it", status, answer, mem, err);
	return cc->compat == COORDINATOR_JAVA ? add_fields(cc, mem, err) : 0;
}

int state_refresh(struct cluster_coordinator *cc, struct arena *mem, struct err *err)
{
	struct json *answer;
	int status, failed = call(cc, "POST", arena_printf(mem, "/%s/_refresh", cc->index),
				  STR_NONE, mem, &status, &answer, err);

	if (failed == 0 && status != 200)
		failed = unexpected(cc, "refreshing", status, answer, mem, err);
	return failed;
}

static void read_revision(const struct json *answer, struct state_revision *revision)
{
	revision->seq_no = json_i64_or(json_get(answer, "_seq_no"), -1);
	revision->primary_term = json_i64_or(json_get(answer, "_primary_term"), -1);
	revision->version = json_i64_or(json_get(answer, "_version"), -1);
}

int state_get(struct cluster_coordinator *cc, struct str id, struct arena *mem,
	      struct json **source, struct state_revision *revision, struct err *err)
{
	struct str path =
		arena_printf(mem, "/%s/%s/" STR_FMT, cc->index, type_name(cc), STR_ARG(id));
	struct json *answer;
	int status, failed = call(cc, "GET", path, STR_NONE, mem, &status, &answer, err);

	*source = NULL;
	if (failed < 0)
		return failed;
	if (status == 404 && !json_get(answer, "error"))
		return 0;
	*source = json_get(answer, "_source");
	if (status != 200 || !*source || (*source)->type != JSON_OBJECT)
		return unexpected(cc, "reading a work item", status, answer, mem, err);
	read_revision(answer, revision);
	return 0;
}

static struct str put_path(const struct cluster_coordinator *cc, struct str id,
			   const struct state_revision *revision, struct arena *mem)
{
	/* Java workers find by search what others wrote, without a refresh of their own. */
	const char *refresh = cc->compat == COORDINATOR_JAVA ? "&refresh=true" : "";
	char condition[96];

	if (!revision)
		snprintf(condition, sizeof(condition), "op_type=create");
	else if (cc->has_seq_no)
		snprintf(condition, sizeof(condition),
			 "if_seq_no=%" PRId64 "&if_primary_term=%" PRId64, revision->seq_no,
			 revision->primary_term);
	else
		snprintf(condition, sizeof(condition), "version=%" PRId64, revision->version);
	return arena_printf(mem, "/%s/%s/" STR_FMT "?%s%s", cc->index, type_name(cc), STR_ARG(id),
			    condition, refresh);
}

/* A refusal may be that of a second try whose first one came through. */
static int was_ours(struct cluster_coordinator *cc, struct str id, const char *mark,
		    struct state_revision *revision, struct arena *mem, bool *written,
		    struct err *err)
{
	struct state_revision found;
	struct json *source;
	int failed = state_get(cc, id, mem, &source, &found, err);

	if (failed < 0)
		return failed;
	*written = str_is(json_string(json_path(source, "shardlift", "write", NULL)), mark);
	if (*written && revision)
		*revision = found;
	return 0;
}

int state_put(struct cluster_coordinator *cc, struct str id, struct json *source,
	      struct state_revision *revision, struct arena *mem, bool *written, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(LIMIT_STATE_DOCUMENT);
	char mark[COORDINATOR_TOKEN_SIZE];
	struct json *answer;
	int status, failed;

	coordinator_draw_token(mark);
	document_set_text(document_own(source, mem), "write", str_from(mark), mem);
	if (mem->failed)
		return arena_fail(mem, "the document of a work item", err);
	json_write(&body, source);
	if ((failed = buf_check(&body, "the document of a work item", err)) < 0 ||
	    (failed = call(cc, "PUT", put_path(cc, id, revision, mem), buf_str(&body), mem, &status,
			   &answer, err)) < 0)
		return failed;
	if (status == 409)
		return was_ours(cc, id, mark, revision, mem, written, err);
	if (status != 200 && status != 201)
		return unexpected(cc, "writing a work item", status, answer, mem, err);
	*written = true;
	if (revision)
		read_revision(answer, revision);
	return 0;
}

int state_search(struct cluster_coordinator *cc, struct str body, struct arena *mem,
		 struct json **hits, struct err *err)
{
	struct json *answer;
	int status, failed;

	if (!body.ptr)
		return arena_fail(mem, "a search for work items", err);
	failed = call(cc, "POST", arena_printf(mem, "/%s/_search", cc->index), body, mem, &status,
		      &answer, err);
	if (failed < 0)
		return failed;
	*hits = json_path(answer, "hits", "hits", NULL);
	/* A part of the answer would look as if work were done. */
	if (status != 200 || !*hits ||
	    json_i64_or(json_path(answer, "_shards", "failed", NULL), 0) > 0 ||
	    json_bool_or(json_get(answer, "timed_out"), false))
		return unexpected(cc, "searching", status, answer, mem, err);
	return 0;
}

static void end_scroll(struct cluster_coordinator *cc, struct str body, struct arena *mem)
{
	struct json *answer;
	int status;

	/* It ends by itself, too. */
	cluster_request(cc->cluster, "DELETE", "/_search/scroll", body, false, mem, &status,
			&answer, NULL);
}

static int visit_all(const struct json *hits,
		     int (*visit)(void *user, struct str id, struct json *source, struct err *err),
		     void *user, struct err *err)
{
	json_each (hit, hits) {
		int failed = visit(user, json_string(json_get(hit, "_id")),
				   json_get(hit, "_source"), err);

		if (failed < 0)
			return failed;
	}
	return 0;
}

/* The page after this one. *torn: it is lost, or the scroll is, and asking again would not help. */
static int next_page(struct cluster_coordinator *cc, struct str id, struct arena *mem, int *status,
		     struct json **answer, bool *torn, struct err *err)
{
	struct str body =
		arena_printf(mem, "{\"scroll\":\"1m\",\"scroll_id\":\"" STR_FMT "\"}", STR_ARG(id));
	struct err lost = {0};
	int failed;

	if (!body.ptr)
		return arena_fail(mem, "the list of work items", err);
	/* Said twice, it would leave out a page. */
	failed = cluster_request(cc->cluster, "POST", "/_search/scroll", body, false, mem, status,
				 answer, &lost);
	*torn = failed < 0 ? lost.retry : *status != 200;
	if (failed < 0 && err)
		*err = lost;
	return failed;
}

int state_scan(struct cluster_coordinator *cc, struct arena *mem,
	       int (*visit)(void *user, struct str id, struct json *source, struct err *err),
	       void *user, bool *torn, struct err *err)
{
	struct str path = arena_printf(mem, "/%s/_search?scroll=1m", cc->index), id = STR_NONE;
	struct str body = arena_printf(mem, "{\"size\":%d,\"sort\":[\"_doc\"]}", SCAN_PAGE);
	struct json *answer, *hits;
	int status, failed;

	*torn = false;
	failed = call(cc, "POST", path, body, mem, &status, &answer, err);
	while (failed == 0) {
		hits = json_path(answer, "hits", "hits", NULL);
		if (status != 200 || !hits ||
		    json_i64_or(json_path(answer, "_shards", "failed", NULL), 0) > 0) {
			failed = unexpected(cc, "listing", status, answer, mem, err);
			break;
		}
		id = json_string(json_get(answer, "_scroll_id"));
		if (!hits->first)
			break;
		if ((failed = visit_all(hits, visit, user, err)) == 0)
			failed = next_page(cc, id, mem, &status, &answer, torn, err);
	}
	if (failed == 0)
		end_scroll(cc, arena_printf(mem, "{\"scroll_id\":[\"" STR_FMT "\"]}", STR_ARG(id)),
			   mem);
	return failed;
}

/* The first item that was refused for another reason than being there; *passing: for now only. */
static const struct json *find_refused(const struct json *answer, bool *passing)
{
	const struct json *refused = NULL;

	*passing = true;
	json_each (item, json_get(answer, "items")) {
		const struct json *created = json_get(item, "create");
		int64_t status = json_i64_or(json_get(created, "status"), 0);

		if (status == 201 || status == 200 || status == 409)
			continue;
		refused = created;
		if (status != 429 && status != 503) {
			*passing = false;
			break;
		}
	}
	return refused;
}

static void pause_before(int try)
{
	int64_t ms = (int64_t)BULK_FIRST_PAUSE_MS << try;

	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int state_bulk_create(struct cluster_coordinator *cc, struct str lines, struct arena *mem,
		      struct err *err)
{
	struct str path = arena_printf(mem, "/%s/%s_bulk?refresh=true", cc->index,
				       cc->has_types ? "doc/" : "");
	const struct json *refused = NULL;
	struct json *answer = NULL;
	int status, failed;
	bool passing = true;

	for (int try = 0; try < BULK_TRIES && passing; try++) {
		if (try > 0)
			pause_before(try);
		if ((failed = call(cc, "POST", path, lines, mem, &status, &answer, err)) < 0)
			return failed;
		if (status != 200)
			return unexpected(cc, "creating work items", status, answer, mem, err);
		if (!(refused = find_refused(answer, &passing)))
			return 0;
	}
	return unexpected(cc, "creating work items",
			  (int)json_i64_or(json_get(refused, "status"), 0), refused, mem, err);
}
