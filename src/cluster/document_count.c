#include "cluster/document_count.h"

#include "base/limits.h"

static int ask(struct cluster *cluster, const char *method, struct str index, const char *what,
	       struct arena *mem, struct json **answer, int *status, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, str_from(what));
	if (buf_check(&path, "the path of a request", err) < 0)
		return -(int)err->kind;
	return cluster_request(cluster, method, buf_cstr(&path), STR_NONE, true, mem, status,
			       answer, err);
}

int document_count(struct cluster *cluster, struct str index, struct arena *mem, int64_t *count,
		   struct str *reason, struct err *err)
{
	struct json *answer = NULL;
	int status, rc;

	*count = -1;
	*reason = STR_NONE;
	rc = ask(cluster, "POST", index, "/_refresh", mem, &answer, &status, err);
	if (rc == 0 && status == 200)
		rc = ask(cluster, "GET", index, "/_count", mem, &answer, &status, err);
	if (rc < 0)
		return err_wrap(err, "index '" STR_FMT "' cannot be counted", STR_ARG(index));
	if (status == 200)
		*count = json_i64_or(json_get(answer, "count"), -1);
	else
		*reason = cluster_error_reason(answer, status, mem);
	return 0;
}
