/* Requests of a side that is a cluster, and its documents by their ids. */
#include "verify/cluster_side.h"

#define ANSWER_MAX MIB(1024)
#define COPIES_MOST 4 /* of an id, on the average of those that are asked for */

int cluster_side_ask(struct cluster_side *side, const char *method, struct str index,
		     const char *rest, struct str body, struct arena *mem, int *status,
		     struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, str_from(rest));
	if (buf_check(&path, "the path of a request", err) < 0)
		return -ERR_LIMIT;
	return cluster_request(side->cluster, method, buf_cstr(&path), body, true, mem, status,
			       answer, err);
}

int cluster_side_failed(const struct verify_side *side, struct str index, int status,
			const struct json *answer, struct arena *mem, struct err *err)
{
	struct str reason = cluster_error_reason(answer, status, mem);

	if (status == 404)
		return err_set(err, ERR_NOT_FOUND, "%s has no index '" STR_FMT "'", side->what,
			       STR_ARG(index));
	return err_set(err, ERR_HTTP, "index '" STR_FMT "' of %s cannot be read: " STR_FMT,
		       STR_ARG(index), side->what, STR_ARG(reason));
}

/* One more than are taken, which tells that there are more than those. */
static size_t hits_most(size_t ids)
{
	return ids * COPIES_MOST + 1;
}

static void make_body(struct buf *out, const struct str *ids, size_t count)
{
	/* An id may be there more than once, under another routing. */
	buf_printf(out, "{\"size\":%zu,\"version\":true,\"query\":{\"ids\":{\"values\":[",
		   hits_most(count));
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		json_write_string(out, ids[i]);
	}
	buf_append_str(out, STR("]}}}"));
}

static void visit_hit(const struct json *hit,
		      void (*visit)(void *user, const struct document *document), void *user)
{
	cleanup(buf_release) struct buf source = BUF_INIT(ANSWER_MAX);
	const struct json *stored = json_get(hit, "_source");
	struct document document = {
		.id = json_string(json_get(hit, "_id")),
		.routing = json_string(json_get(hit, "_routing")),
		.version = json_i64_or(json_get(hit, "_version"), -1),
		.live = true,
	};

	if (stored) {
		json_write(&source, stored);
		document.source = buf_str(&source);
	}
	visit(user, &document);
}

/* What did not answer, or was cut off, would be documents that are not there. */
static int check_whole(const struct verify_side *side, const struct verify_index *index,
		       const struct json *answer, const struct json *hits, size_t ids,
		       struct err *err)
{
	const struct json *shards = json_get(answer, "_shards");
	int64_t total = json_i64_or(json_get(shards, "total"), 0);

	if (json_bool_or(json_get(answer, "timed_out"), false))
		return err_set(err, ERR_TIMEOUT, "a search of index '" STR_FMT "' of %s timed out",
			       STR_ARG(index->name), side->what);
	if (json_i64_or(json_get(shards, "failed"), 0) > 0 ||
	    json_i64_or(json_get(shards, "successful"), total) < total)
		return err_set(err, ERR_HTTP,
			       "shards of index '" STR_FMT
			       "' of %s failed; see to its health first",
			       STR_ARG(index->name), side->what);
	if (!hits || hits->type != JSON_ARRAY)
		return err_set(err, ERR_FORMAT,
			       "the answer to a search of index '" STR_FMT
			       "' of %s has no hits: something else than the cluster may have "
			       "answered",
			       STR_ARG(index->name), side->what);
	if (hits->count >= hits_most(ids))
		return err_set(err, ERR_LIMIT,
			       "%zu ids of index '" STR_FMT "' of %s have more than %zu documents; "
			       "compare its indices each for itself",
			       ids, STR_ARG(index->name), side->what, hits_most(ids) - 1);
	return 0;
}

int cluster_side_fetch(struct verify_side *base, const struct verify_index *index,
		       const struct str *ids, size_t count,
		       void (*visit)(void *user, const struct document *document), void *user,
		       struct err *err)
{
	struct cluster_side *side = cluster_side_of(base);
	const struct cluster_version *version = cluster_version(side->cluster);
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf body = BUF_INIT(MIB(64));
	struct json *answer = NULL;
	const struct json *hits;
	int status, rc;

	if (version->flavour == CLUSTER_ELASTICSEARCH && version->major < 5)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s: documents are read again by id from Elasticsearch 5 on only",
			       base->what);
	make_body(&body, ids, count);
	rc = buf_check(&body, "a search for ids", err);
	if (rc == 0)
		rc = cluster_side_ask(side, "POST", index->name, "/_refresh", STR_NONE, &mem,
				      &status, &answer, err);
	if (rc == 0)
		rc = cluster_side_ask(side, "POST", index->name, "/_search", buf_str(&body), &mem,
				      &status, &answer, err);
	if (rc < 0)
		return rc;
	if (status != 200)
		return cluster_side_failed(base, index->name, status, answer, &mem, err);
	hits = json_path(answer, "hits", "hits", NULL);
	rc = check_whole(base, index, answer, hits, count, err);
	if (rc < 0)
		return rc;
	json_each (hit, hits)
		visit_hit(hit, visit, user);
	return 0;
}
