#include "cluster/snapshot_api.h"

#include "base/limits.h"

#define LIST_NAMES_MAX 1000 /* bytes in the path of a request */

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

/* Elasticsearch 7.6 to 7.10 may answer by repository. */
static const struct json *entries_of(const struct json *answer)
{
	const struct json *list = json_get(answer, "snapshots");
	const struct json *responses = json_get(answer, "responses");

	return list || !responses ? list : json_get(responses->first, "snapshots");
}

/* Entries of the snapshots named; the next name that did not fit. */
static int read_part(struct cluster *cluster, struct str repository, const struct json **next,
		     struct json *out, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf names = BUF_INIT(LIMIT_PATH);
	struct json *answer;

	for (; *next; *next = (*next)->next) {
		struct str name = json_string(json_get(*next, "snapshot"));

		/* A name grows when it is encoded, three times at most. */
		if (names.len > 0 && names.len + name.len > LIST_NAMES_MAX)
			break;
		buf_printf(&names, "%s" STR_FMT, names.len ? "," : "", STR_ARG(name));
	}
	if (buf_check(&names, "names of snapshots", err) < 0 ||
	    get(cluster, repository, buf_str(&names), "?ignore_unavailable=true", mem, &answer,
		err) < 0)
		return -(int)err->kind;
	json_each (entry, entries_of(answer))
		json_append(out, json_copy(mem, entry));
	return 0;
}

/* Names alone can be had for all at once since Elasticsearch 5.5. */
static bool tells_names(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_OPENSEARCH || version->major > 5 ||
	       (version->major == 5 && version->minor >= 5);
}

int snapshot_api_list(struct cluster *cluster, struct str repository, struct arena *mem,
		      struct json **out, struct err *err)
{
	bool parts = tells_names(cluster_version(cluster));
	const struct json *list, *next;
	struct json *answer;
	int rc = 0;

	*out = json_new(mem, JSON_ARRAY);
	if (get(cluster, repository, STR("_all"), parts ? "?verbose=false" : "", mem, &answer,
		err) < 0)
		return -(int)err->kind;
	list = entries_of(answer);
	next = list ? list->first : NULL;
	while (rc == 0 && next && parts)
		rc = read_part(cluster, repository, &next, *out, mem, err);
	for (; next && !parts; next = next->next)
		json_append(*out, json_copy(mem, next));
	return rc < 0 ? rc : mem->failed ? arena_fail(mem, "the list of snapshots", err) : 0;
}

/* _status says SUCCESS as soon as all shards are done; what tells readers of the repository of the
 * snapshot is written after that. */
static int is_being_finished(struct cluster *cluster, struct str repository, struct str snapshot,
			     struct arena *mem, bool *out, struct err *err)
{
	struct err why = {0};
	struct json *entry;

	*out = true;
	if (snapshot_api_get(cluster, repository, snapshot, mem, &entry, &why) == 0) {
		*out = str_is(json_string(json_get(entry, "state")), "IN_PROGRESS");
	} else if (why.kind != ERR_NOT_FOUND) {
		*err = why;
		return -(int)err->kind;
	}
	return 0;
}

int snapshot_api_status(struct cluster *cluster, struct str repository, struct str snapshot,
			struct arena *mem, struct snapshot_progress *out, struct json **indices,
			struct err *err)
{
	bool unfinished = false;
	struct json *answer, *entry, *shards, *stats, *files;

	if (get(cluster, repository, snapshot, "/_status", mem, &answer, err) < 0)
		return -(int)err->kind;
	answer = json_get(answer, "snapshots");
	entry = answer ? answer->first : NULL;
	if (!entry)
		return err_set(err, ERR_NOT_FOUND,
			       "the cluster knows no status of snapshot '" STR_FMT "'",
			       STR_ARG(snapshot));
	if (indices)
		*indices = json_get(entry, "indices");
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
	if (!str_is(out->state, "SUCCESS"))
		return 0;
	/* What is complete has no "processed" any more. */
	out->bytes_done = out->bytes_total;
	if (is_being_finished(cluster, repository, snapshot, mem, &unfinished, err) < 0)
		return -(int)err->kind;
	if (unfinished)
		out->state = STR("STARTED");
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
