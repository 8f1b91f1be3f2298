#include "cluster/snapshot_api.h"

#include "base/limits.h"

/* "/_snapshot/R/S" + suffix; snapshot and suffix may be empty. */
static int path_of(struct str repository, struct str snapshot, const char *suffix,
		   struct arena *mem, const char **out, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct str kept;

	buf_append_str(&path, STR("/_snapshot/"));
	http_append_encoded(&path, repository);
	if (snapshot.len > 0) {
		buf_append_byte(&path, '/');
		http_append_encoded(&path, snapshot);
	}
	buf_append_str(&path, str_from(suffix));
	if (buf_check(&path, "the path of a request", err) < 0)
		return -(int)err->kind;
	kept = arena_str(mem, buf_str(&path));
	*out = kept.ptr;
	return kept.ptr ? 0 : arena_fail(mem, "the path of a request", err);
}

int snapshot_request_register(struct str repository, const struct json *body, struct arena *mem,
			      struct snapshot_request *out, struct err *err)
{
	*out = (struct snapshot_request){.method = "PUT", .body = body, .repeatable = true};
	return path_of(repository, STR_NONE, "?verify=false", mem, &out->path, err);
}

int snapshot_request_verify(struct str repository, struct arena *mem, struct snapshot_request *out,
			    struct err *err)
{
	*out = (struct snapshot_request){.method = "POST", .repeatable = true};
	return path_of(repository, STR_NONE, "/_verify", mem, &out->path, err);
}

int snapshot_request_unregister(struct str repository, struct arena *mem,
				struct snapshot_request *out, struct err *err)
{
	*out = (struct snapshot_request){.method = "DELETE"};
	return path_of(repository, STR_NONE, "", mem, &out->path, err);
}

int snapshot_request_create(struct str repository, struct str snapshot, const struct json *body,
			    struct arena *mem, struct snapshot_request *out, struct err *err)
{
	*out = (struct snapshot_request){.method = "PUT", .body = body};
	return path_of(repository, snapshot, "?wait_for_completion=false", mem, &out->path, err);
}

int snapshot_request_restore(struct str repository, struct str snapshot, const struct json *body,
			     struct arena *mem, struct snapshot_request *out, struct err *err)
{
	*out = (struct snapshot_request){.method = "POST", .body = body};
	return path_of(repository, snapshot, "/_restore?wait_for_completion=false", mem, &out->path,
		       err);
}

int snapshot_request_delete(struct str repository, struct str snapshot, struct arena *mem,
			    struct snapshot_request *out, struct err *err)
{
	*out = (struct snapshot_request){.method = "DELETE"};
	return path_of(repository, snapshot, "", mem, &out->path, err);
}

int snapshot_request_send(struct cluster *cluster, const struct snapshot_request *request,
			  struct arena *mem, struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	struct str reason;
	int status;

	if (request->body)
		json_write(&body, request->body);
	if (buf_check(&body, "the body of a request", err) < 0 ||
	    cluster_request(cluster, request->method, request->path, buf_str(&body),
			    request->repeatable, mem, &status, answer, err) < 0)
		return -(int)err->kind;
	if (status >= 200 && status < 300)
		return 0;
	reason = cluster_error_reason(*answer, status, mem);
	err_set(err,
		status == 404   ? ERR_NOT_FOUND
		: status == 409 ? ERR_CONFLICT
				: ERR_HTTP,
		"%s %.*s: the cluster refuses with %d: " STR_FMT, request->method,
		(int)strcspn(request->path, "?"), request->path, status, STR_ARG(reason));
	err->http_status = status;
	return -(int)err->kind;
}

static int get(struct cluster *cluster, struct str repository, struct str snapshot,
	       const char *suffix, struct arena *mem, struct json **out, struct err *err)
{
	struct snapshot_request request = {.method = "GET", .repeatable = true};

	if (path_of(repository, snapshot, suffix, mem, &request.path, err) < 0)
		return -(int)err->kind;
	return snapshot_request_send(cluster, &request, mem, out, err);
}

int snapshot_api_repositories(struct cluster *cluster, struct arena *mem, struct json **out,
			      struct err *err)
{
	struct snapshot_request request = {
		.method = "GET", .path = "/_snapshot", .repeatable = true};

	return snapshot_request_send(cluster, &request, mem, out, err);
}

int snapshot_api_repository(struct cluster *cluster, struct str repository, struct arena *mem,
			    struct json **out, struct err *err)
{
	struct json *all;

	if (get(cluster, repository, STR_NONE, "", mem, &all, err) < 0)
		return -(int)err->kind;
	*out = json_get_str(all, repository);
	if (*out)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "there is no repository '" STR_FMT "'; `shardlift snapshot repos` lists "
		       "those there are",
		       STR_ARG(repository));
}

int snapshot_api_get(struct cluster *cluster, struct str repository, struct str snapshot,
		     struct arena *mem, struct json **out, struct err *err)
{
	struct json *answer, *list, *error;

	if (get(cluster, repository, snapshot, "", mem, &answer, err) < 0)
		return -(int)err->kind;
	list = json_get(answer, "snapshots");
	/* Elasticsearch 7.6 to 7.10 may answer by repository. */
	if (!list && (answer = json_get(answer, "responses"))) {
		list = json_get(answer->first, "snapshots");
		error = json_get(answer->first, "error");
		if (error)
			return err_set(err, ERR_NOT_FOUND, "snapshot '" STR_FMT "': " STR_FMT,
				       STR_ARG(snapshot),
				       STR_ARG(json_string(json_get(error, "reason"))));
	}
	*out = list ? list->first : NULL;
	if (*out)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "there is no snapshot '" STR_FMT "' in repository '" STR_FMT "'",
		       STR_ARG(snapshot), STR_ARG(repository));
}

int snapshot_api_status(struct cluster *cluster, struct str repository, struct str snapshot,
			struct arena *mem, struct snapshot_progress *out, struct err *err)
{
	struct json *answer, *entry, *shards, *stats, *files;

	if (get(cluster, repository, snapshot, "/_status", mem, &answer, err) < 0)
		return -(int)err->kind;
	answer = json_get(answer, "snapshots");
	entry = answer ? answer->first : NULL;
	if (!entry)
		return err_set(err, ERR_NOT_FOUND,
			       "the cluster knows no status of snapshot '" STR_FMT "'",
			       STR_ARG(snapshot));
	shards = json_get(entry, "shards_stats");
	stats = json_get(entry, "stats");
	files = json_get(stats, "incremental"); /* since Elasticsearch 6.4 */
	*out = (struct snapshot_progress){
		.state = json_string(json_get(entry, "state")),
		.shards_total = json_i64_or(json_get(shards, "total"), 0),
		.shards_done = json_i64_or(json_get(shards, "done"), 0),
		.shards_failed = json_i64_or(json_get(shards, "failed"), 0),
		.bytes_total = json_i64_or(files ? json_get(files, "size_in_bytes")
						 : json_get(stats, "total_size_in_bytes"),
					   0),
		.bytes_done =
			json_i64_or(files ? json_path(stats, "processed", "size_in_bytes", NULL)
					  : json_get(stats, "processed_size_in_bytes"),
				    0),
		.started_ms = json_i64_or(json_get(stats, "start_time_in_millis"), 0),
		.elapsed_ms = json_i64_or(json_get(stats, "time_in_millis"), 0),
	};
	/* What is complete has no "processed" any more. */
	if (str_is(out->state, "SUCCESS"))
		out->bytes_done = out->bytes_total;
	return 0;
}

int snapshot_api_restore_status(struct cluster *cluster, struct str repository, struct str snapshot,
				struct arena *mem, struct snapshot_progress *out, struct err *err)
{
	struct snapshot_request request = {
		.method = "GET", .path = "/_cluster/state?filter_path=restore", .repeatable = true};
	struct json *answer;

	*out = (struct snapshot_progress){0};
	if (snapshot_request_send(cluster, &request, mem, &answer, err) < 0)
		return -(int)err->kind;
	json_each (entry, json_path(answer, "restore", "snapshots", NULL)) {
		if (!str_eq(json_string(json_get(entry, "repository")), repository) ||
		    !str_eq(json_string(json_get(entry, "snapshot")), snapshot))
			continue;
		out->state = json_string(json_get(entry, "state"));
		json_each (shard, json_get(entry, "shards")) {
			struct str state = json_string(json_get(shard, "state"));

			out->shards_total++;
			out->shards_done += str_is(state, "SUCCESS");
			out->shards_failed += str_is(state, "FAILURE");
		}
	}
	return 0;
}
