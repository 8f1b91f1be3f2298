#include "cluster/document_count.h"

#include "base/limits.h"

static int ask(struct cluster *cluster, const char *method, struct str index, const char *what,
	       struct str body, struct arena *mem, struct json **answer, int *status,
	       struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, str_from(what));
	if (buf_check(&path, "the path of a request", err) < 0)
		return -(int)err->kind;
	return cluster_request(cluster, method, buf_cstr(&path), body, true, mem, status, answer,
			       err);
}

int document_count_now(struct cluster *cluster, struct str index, struct str query,
		       struct arena *mem, int64_t *count, struct str *reason, struct err *err)
{
	struct str body =
		query.ptr ? arena_printf(mem, "{\"query\":" STR_FMT "}", STR_ARG(query)) : STR_NONE;
	struct json *answer = NULL;
	int status;

	*count = -1;
	*reason = STR_NONE;
	if (query.ptr && !body.ptr)
		return arena_fail(mem, "a query", err);
	if (ask(cluster, "GET", index, "/_count", body, mem, &answer, &status, err) < 0)
		return err_wrap(err, "index '" STR_FMT "' cannot be counted", STR_ARG(index));
	if (status == 200)
		*count = json_i64_or(json_get(answer, "count"), -1);
	else
		*reason = cluster_error_reason(answer, status, mem);
	return 0;
}

int document_count(struct cluster *cluster, struct str index, struct arena *mem, int64_t *count,
		   struct str *reason, struct err *err)
{
	struct json *answer = NULL;
	int status;

	*count = -1;
	if (ask(cluster, "POST", index, "/_refresh", STR_NONE, mem, &answer, &status, err) < 0)
		return err_wrap(err, "index '" STR_FMT "' cannot be counted", STR_ARG(index));
	if (status == 200)
		return document_count_now(cluster, index, STR_NONE, mem, count, reason, err);
	*reason = cluster_error_reason(answer, status, mem);
	return 0;
}
