#include "metadata/index_create_internal.h"

#include <stdio.h>

/* An answer may name one thing at a time; no index is that far from its target. */
#define REPAIRS_MAX 50

static int send_body(struct cluster *target, struct str name, const struct json *body,
		     struct arena *mem, int *status, struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);

	buf_append_byte(&path, '/');
	http_append_encoded(&path, name);
	/* The documents do not wait for replicas, so neither does the index. */
	buf_append_str(&path, STR("?wait_for_active_shards=0"));
	json_write(&text, body);
	if (buf_check(&path, "index name", err) < 0 || buf_check(&text, "index body", err) < 0)
		return -(int)err->kind;
	return cluster_request(target, "PUT", buf_cstr(&path), buf_str(&text), true, mem, status,
			       answer, err);
}

static bool is_existing(const struct json *answer, int status)
{
	struct str type = json_string(json_path(answer, "error", "type", NULL));

	return status == 400 && (str_is(type, "resource_already_exists_exception") ||
				 str_is(type, "index_already_exists_exception"));
}

/* What the target's last answer makes of the index. */
static void judge(const struct json *answer, int status, bool allow_existing, struct arena *mem,
		  struct buf *changes, struct index_create_result *result)
{
	result->reason = arena_str(mem, buf_str(changes));
	if (status < 300) {
		result->outcome = INDEX_CREATED;
	} else if (!is_existing(answer, status)) {
		result->outcome = INDEX_FAILED;
		result->reason = cluster_error_reason(answer, status, mem);
	} else if (allow_existing) {
		result->outcome = INDEX_EXISTED;
		result->reason = STR("was there already, left as it is");
	} else {
		result->outcome = INDEX_FAILED;
		result->reason = STR("exists on the target already; delete it there, or pass "
				     "--allow-existing-indexes true to write into it as it is");
	}
}

static int create_with_repairs(struct cluster *target, struct str name, struct json *body,
			       bool allow_existing, struct arena *mem, struct buf *changes,
			       struct index_create_result *result, struct err *err)
{
	for (int repairs = 0;; repairs++) {
		struct json *answer = NULL;
		int status = 0;

		if (send_body(target, name, body, mem, &status, &answer, err) < 0)
			return -(int)err->kind;
		if (status == 400 && !is_existing(answer, status) && repairs < REPAIRS_MAX &&
		    index_body_repair(body, answer, mem, changes) > 0)
			continue;
		judge(answer, status, allow_existing, mem, changes, result);
		return 0;
	}
}

int index_create(struct cluster *target, struct str name, const struct index_metadata *metadata,
		 const struct index_create_options *options, struct arena *mem,
		 struct index_create_result *result, struct err *err)
{
	cleanup(buf_release) struct buf changes = BUF_INIT(CHANGES_MAX);
	struct err body_err = {0};
	struct str told;
	struct json *body;

	*result = (struct index_create_result){0};
	/* An index that makes no body is that index's failure, not the target's. */
	if (index_create_body(metadata, options, mem, &body, &told, &body_err) < 0) {
		result->outcome = INDEX_FAILED;
		result->reason = arena_str(mem, str_from(body_err.message));
		return 0;
	}
	buf_append_str(&changes, told);
	if (create_with_repairs(target, name, body, options->allow_existing, mem, &changes, result,
				err) < 0)
		return err_wrap(err, "creating index '" STR_FMT "'", STR_ARG(name));
	return 0;
}
