#include "cluster/reindex_api.h"

#include "base/clock.h"
#include "base/limits.h"

#include <inttypes.h>
#include <time.h>

#define BODY_MAX MIB(1)
#define STOP_MS 60000
#define TYPED_MAJOR 7 /* the last of Elasticsearch whose hits and requests have types */

static bool is_typed(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_ELASTICSEARCH ? version->major <= TYPED_MAJOR
							 : version->major < 2;
}

const char *reindex_cannot(const struct cluster_version *source,
			   const struct cluster_version *target)
{
	bool elasticsearch = target->flavour == CLUSTER_ELASTICSEARCH;

	if (target->serverless)
		return "a Serverless target has no _reindex";
	if (elasticsearch && target->major < TYPED_MAJOR)
		return "Elasticsearch before 7 is not reindexed into";
	if (is_typed(target) && !is_typed(source))
		return "the target wants a _type in each hit, which the source does not send any "
		       "more";
	if (elasticsearch && source->flavour == CLUSTER_OPENSEARCH && source->major < 2 &&
	    !source->compatibility_mode)
		return "the source tells version 1, and the target would speak to it as to "
		       "Elasticsearch 1; set compatibility.override_main_response_version: true "
		       "on the source, so that it answers as 7.10.2";
	return NULL;
}

static void append_member(struct buf *body, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(body, ",\"%s\":", name);
	json_write_string(body, str_from(value));
}

static void append_remote(struct buf *body, const struct reindex_remote *remote)
{
	cleanup(buf_release) struct buf header = BUF_INIT(KIB(64));

	buf_append_str(body, STR(",\"remote\":{\"host\":"));
	json_write_string(body, remote->url);
	append_member(body, "username", remote->username);
	append_member(body, "password", remote->password);
	if (remote->socket_timeout_ms > 0)
		buf_printf(body, ",\"socket_timeout\":\"%" PRId64 "ms\"",
			   remote->socket_timeout_ms);
	if (remote->api_key) {
		buf_printf(&header, "ApiKey %s", remote->api_key);
		buf_append_str(body, STR(",\"headers\":{\"Authorization\":"));
		json_write_string(body, buf_str(&header));
		buf_append_byte(body, '}');
	}
	buf_append_byte(body, '}');
}

static int make_body(const struct cluster *target, const struct reindex_request *request,
		     struct str query, struct buf *body, struct err *err)
{
	buf_append_str(body, STR("{\"source\":{\"index\":"));
	json_write_string(body, request->from);
	if (request->size > 0)
		buf_printf(body, ",\"size\":%" PRId64, request->size);
	if (query.ptr)
		buf_printf(body, ",\"query\":" STR_FMT, STR_ARG(query));
	if (request->remote)
		append_remote(body, request->remote);
	buf_append_str(body, STR("},\"dest\":{\"index\":"));
	json_write_string(body, request->to);
	/* Where types are on their way out, all have one. */
	if (is_typed(cluster_version(target)))
		buf_append_str(body, STR(",\"type\":\"_doc\""));
	if (request->create_only)
		buf_append_str(body, STR(",\"op_type\":\"create\"},\"conflicts\":\"proceed\"}"));
	else
		buf_append_str(body, STR("}}"));
	return buf_check(body, "the body of _reindex", err);
}

int reindex_start(struct cluster *target, const struct reindex_request *request, struct arena *mem,
		  struct str *task, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(BODY_MAX);
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status, rc;

	buf_append_str(&path, STR("/_reindex?wait_for_completion=false"));
	if (request->requests_per_second > 0)
		buf_printf(&path, "&requests_per_second=%" PRId64, request->requests_per_second);
	if (request->slices > 1)
		buf_printf(&path, "&slices=%" PRId64, request->slices);
	rc = make_body(target, request, request->query, &body, err);
	/* Not repeatable: two tasks would do the same work. */
	if (rc == 0)
		rc = cluster_request(target, "POST", buf_cstr(&path), buf_str(&body), false, mem,
				     &status, &answer, err);
	if (rc < 0)
		return rc;
	*task = json_string(json_get(answer, "task"));
	if (status == 200 && task->len > 0)
		return 0;
	return err_set(err, ERR_HTTP, STR_FMT, STR_ARG(cluster_error_reason(answer, status, mem)));
}

int reindex_probe(struct cluster *target, const struct reindex_request *request, struct arena *mem,
		  struct str *refusal, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(BODY_MAX);
	struct json *answer = NULL;
	int status, rc;

	*refusal = STR_NONE;
	rc = make_body(target, request, STR("{\"match_none\":{}}"), &body, err);
	/* A 500 is the target's word that it did not reach the source: once is enough. */
	if (rc == 0)
		rc = cluster_request(target, "POST", "/_reindex", buf_str(&body), false, mem,
				     &status, &answer, err);
	if (rc == 0 && status != 200)
		*refusal = cluster_error_reason(answer, status, mem);
	return rc;
}

/* Both what runs tells of itself, and the answer of what is done. */
static void take_counts(const struct json *from, struct reindex_task *out)
{
	out->total = json_i64_or(json_get(from, "total"), 0);
	out->created = json_i64_or(json_get(from, "created"), 0);
	out->updated = json_i64_or(json_get(from, "updated"), 0);
	out->deleted = json_i64_or(json_get(from, "deleted"), 0);
	out->noops = json_i64_or(json_get(from, "noops"), 0);
	out->conflicts = json_i64_or(json_get(from, "version_conflicts"), 0);
}

static void take_end(const struct json *answer, struct arena *mem, struct reindex_task *out)
{
	const struct json *response = json_get(answer, "response");
	const struct json *error = json_get(answer, "error");
	const struct json *failures = json_get(response, "failures");
	struct str cancelled = json_string(json_get(response, "canceled"));

	out->state = REINDEX_DONE;
	if (response)
		take_counts(response, out);
	if (failures && failures->count > 0)
		out->failures = failures;
	if (error)
		out->error = arena_printf(
			mem, STR_FMT ": " STR_FMT,
			STR_ARG(json_text_or(json_get(error, "type"), STR("error"))),
			STR_ARG(json_text_or(json_get(error, "reason"), STR("no reason given"))));
	else if (cancelled.ptr)
		out->error =
			arena_printf(mem, "the task was cancelled: " STR_FMT, STR_ARG(cancelled));
	else if (json_bool_or(json_get(response, "timed_out"), false))
		out->error = STR("the task timed out");
	else if (!response)
		out->error = STR("the task ended without an answer");
}

int reindex_look(struct cluster *target, struct str task, struct arena *mem,
		 struct reindex_task *out, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status;

	*out = (struct reindex_task){.state = REINDEX_RUNNING};
	buf_append_str(&path, STR("/_tasks/"));
	http_append_encoded(&path, task);
	if (buf_check(&path, "the path of a request", err) < 0 ||
	    cluster_request(target, "GET", buf_cstr(&path), STR_NONE, true, mem, &status, &answer,
			    err) < 0)
		return -(int)err->kind;
	if (status == 404) {
		out->state = REINDEX_LOST;
		return 0;
	}
	if (status != 200)
		return err_set(err, ERR_HTTP, "task '" STR_FMT "': " STR_FMT, STR_ARG(task),
			       STR_ARG(cluster_error_reason(answer, status, mem)));
	take_counts(json_path(answer, "task", "status", NULL), out);
	if (json_bool_or(json_get(answer, "completed"), false))
		take_end(answer, mem, out);
	return 0;
}

static bool is_wanted(const struct json *task, struct str ends)
{
	struct str description = json_string(json_get(task, "description"));

	return !json_get(task, "parent_task_id") && description.ptr &&
	       memmem(description.ptr, description.len, ends.ptr, ends.len);
}

int reindex_find(struct cluster *target, struct str from, struct str to, struct arena *mem,
		 struct str *task, struct err *err)
{
	struct str ends =
		arena_printf(mem, "[" STR_FMT "] to [" STR_FMT "]", STR_ARG(from), STR_ARG(to));
	struct json *answer = NULL;
	int status;

	*task = STR_NONE;
	if (!ends.ptr)
		return arena_fail(mem, "the tasks of the target", err);
	if (cluster_request(target, "GET", "/_tasks?actions=*reindex&detailed=true", STR_NONE, true,
			    mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	json_each (node, json_get(answer, "nodes"))
		json_each (running, json_get(node, "tasks"))
			if (is_wanted(running, ends))
				*task = running->key;
	return 0;
}

static int cancel(struct cluster *target, struct str task, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status;

	buf_append_str(&path, STR("/_tasks/"));
	http_append_encoded(&path, task);
	buf_append_str(&path, STR("/_cancel"));
	if (buf_check(&path, "the path of a request", err) < 0 ||
	    cluster_request(target, "POST", buf_cstr(&path), STR_NONE, true, mem, &status, &answer,
			    err) < 0)
		return -(int)err->kind;
	/* 404: it has ended meanwhile. */
	if (status == 200 || status == 404)
		return 0;
	return err_set(err, ERR_HTTP, "task '" STR_FMT "' is not cancelled: " STR_FMT,
		       STR_ARG(task), STR_ARG(cluster_error_reason(answer, status, mem)));
}

int reindex_stop(struct cluster *target, struct str from, struct str to, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + STOP_MS;
	bool asked = false;

	for (;;) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
		struct str task;

		if (reindex_find(target, from, to, &mem, &task, err) < 0)
			return -(int)err->kind;
		if (!task.ptr)
			return 0;
		if (!asked && cancel(target, task, &mem, err) < 0)
			return -(int)err->kind;
		asked = true;
		if (clock_monotonic_ms() >= until)
			return err_set(err, ERR_TIMEOUT,
				       "task '" STR_FMT "' was cancelled and still runs; try again "
				       "once it has ended",
				       STR_ARG(task));
		nanosleep(&pause, NULL);
	}
}
