#include "cli/snapshot_options.h"

#include "cli/interrupt.h"
#include "cli/number_text.h"

#include "base/log.h"

#include <stdio.h>
#include <time.h>

#define FIELD(member) OPT_FIELD(struct snapshot_fields, member), .category = "Snapshot"

const struct opt snapshot_cluster_options[] = {
	{.name = "from",
	 .type = OPT_STRING,
	 OPT_FIELD(struct snapshot_fields, from),
	 .category = "Source cluster",
	 .metavar = "URL",
	 .help = "Short for --source-host."},
	{0},
};

const struct opt snapshot_repository_options[] = {
	{.name = "repo",
	 .aliases = "repository snapshot-repo-name",
	 .type = OPT_STRING,
	 FIELD(repository),
	 .metavar = "NAME",
	 .required = true,
	 .help = "The repository, by the name it is registered under."},
	{0},
};

const struct opt snapshot_name_options[] = {
	{.name = "snapshot-name",
	 .aliases = "snapshot",
	 .type = OPT_STRING,
	 FIELD(snapshot),
	 .metavar = "NAME",
	 .required = true,
	 .help = "The snapshot."},
	{0},
};

const struct opt snapshot_plan_options[] = {
	{.name = "plan",
	 .type = OPT_BOOL,
	 FIELD(plan),
	 .help = "Check, print the requests that would be sent, and change nothing."},
	{0},
};

const struct opt snapshot_content_options[] = {
	{.name = "include-system",
	 .type = OPT_BOOL,
	 FIELD(include_system),
	 .help = "Internal indices (names that begin with a dot) too."},
	{.name = "wait",
	 .type = OPT_BOOL,
	 FIELD(wait),
	 .help = "Wait until it is done, with progress on standard error."},
	{0},
};

bool snapshot_has_source(const struct snapshot_fields *fields)
{
	return fields->from || (fields->source.host && *fields->source.host);
}

int snapshot_connect_source(struct snapshot_fields *fields, struct arena *mem, struct cluster **out,
			    struct err *err)
{
	struct repository_fields repository = {.from = fields->from};
	enum source_origin origin;

	if (source_fields_resolve(&fields->source, &repository, &origin, mem, err) < 0)
		return -(int)err->kind;
	if (origin != SOURCE_CLUSTER)
		return err_set(err, ERR_USAGE, "--from '%s': give the URL of a cluster",
			       fields->from);
	return source_connect(&fields->source, out, err);
}

int snapshot_connect_target(struct snapshot_fields *fields, struct cluster **out, struct err *err)
{
	enum target_kind kind;
	const char *path;

	if (target_fields_resolve(&fields->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE, "--to '%s': give the URL of a cluster",
			       fields->target.host);
	return target_connect(&fields->target, out, err);
}

int snapshot_connect(struct snapshot_fields *fields, struct arena *mem, struct cluster **out,
		     struct err *err)
{
	bool source = snapshot_has_source(fields);
	bool target = fields->target.to || (fields->target.host && *fields->target.host);

	if (source == target)
		return err_set(err, ERR_USAGE, "which cluster? Give --from URL or --to URL%s",
			       source ? ", not both" : "");
	return source ? snapshot_connect_source(fields, mem, out, err)
		      : snapshot_connect_target(fields, out, err);
}

int snapshot_print_json(const struct json *value, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);

	json_write_pretty(&text, value);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static int print_plan(const struct snapshot_fields *fields, const struct snapshot_request *request,
		      struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	struct json *root = json_new(mem, JSON_OBJECT);

	if (fields->general.json) {
		json_set(root, STR("plan"), json_new_bool(mem, true));
		json_set(root, STR("method"), json_new_string(mem, str_from(request->method)));
		json_set(root, STR("path"), json_new_string(mem, str_from(request->path)));
		if (request->body)
			json_set(root, STR("body"), json_copy(mem, request->body));
		if (mem->failed)
			return arena_fail(mem, "the plan", err);
		json_write(&text, root);
	} else {
		buf_printf(&text, "would send %s %s ", request->method, request->path);
		if (request->body)
			json_write(&text, request->body);
	}
	if (buf_check(&text, "the plan", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

int snapshot_send(const struct snapshot_fields *fields, struct cluster *cluster,
		  const struct snapshot_request *request, struct arena *mem, struct json **answer,
		  struct err *err)
{
	*answer = NULL;
	if (mem->failed)
		return arena_fail(mem, "the body of a request", err);
	if (fields->plan)
		return print_plan(fields, request, mem, err);
	return snapshot_request_send(cluster, request, mem, answer, err);
}

int snapshot_tell(const struct snapshot_fields *fields, const char *outcome, const char *name,
		  struct arena *mem, struct err *err)
{
	struct json *root;

	if (fields->plan)
		return 0;
	if (!fields->general.json) {
		printf("%s: %s\n", name, outcome);
		return 0;
	}
	root = json_new(mem, JSON_OBJECT);
	json_set(root, STR("name"), json_new_string(mem, str_from(name)));
	json_set(root, STR("outcome"), json_new_string(mem, str_from(outcome)));
	return mem->failed ? arena_fail(mem, "the report", err) : snapshot_print_json(root, err);
}

bool snapshot_index_is_internal(struct str name)
{
	return str_starts(name, STR(".")) && !str_starts(name, STR(".ds-"));
}

void snapshot_leave_out_features(struct json *body, const struct cluster_version *version,
				 struct arena *mem)
{
	struct json *none = json_new(mem, JSON_ARRAY);

	if (version->flavour != CLUSTER_ELASTICSEARCH || version->major < 7 ||
	    (version->major == 7 && version->minor < 12))
		return;
	json_append(none, json_new_string(mem, STR("none")));
	json_set(body, STR("feature_states"), none);
}

int snapshot_pause(struct err *err)
{
	const struct timespec pause = {.tv_nsec = 500 * 1000 * 1000};

	nanosleep(&pause, NULL);
	if (*interrupt_catch())
		return err_set(err, ERR_CANCELLED,
			       "interrupted; the cluster goes on, and `shardlift snapshot status` "
			       "tells how far it is");
	return 0;
}

void snapshot_log_progress(const struct snapshot_progress *progress, int64_t elapsed_ms)
{
	bool bytes = progress->bytes_total > 0;
	int64_t done = bytes ? progress->bytes_done : progress->shards_done;
	int64_t total = bytes ? progress->bytes_total : progress->shards_total;
	char left[NUMBER_TEXT_MAX] = "?";

	if (done > 0 && done <= total)
		duration_text((uint64_t)((double)elapsed_ms / (double)done *
					 (double)(total - done) / 1000),
			      left);
	log_info("snapshot", "%lld of %lld shards, %lld%%, %s left",
		 (long long)progress->shards_done, (long long)progress->shards_total,
		 total > 0 ? (long long)((double)done * 100 / (double)total) : 0LL, left);
}
