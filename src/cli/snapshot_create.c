/* snapshot create */
#include "cli/snapshot_options.h"

struct create_fields {
	struct snapshot_fields api;
	struct opt_list indices;
	const char *rate, *compress;
	bool global_state, partial, ignore_unavailable;
};

#define FIELD(member) OPT_FIELD(struct create_fields, member), .category = "Snapshot"

static const struct opt create_options[] = {
	{.name = "indices",
	 .type = OPT_LIST,
	 FIELD(indices),
	 .metavar = "PATTERN",
	 .help = "Names and wildcards of indices and data streams. Without it all but internal "
		 "ones."},
	{.name = "include-global-state",
	 .type = OPT_BOOL,
	 FIELD(global_state),
	 .fallback = "true",
	 .help = "Templates, pipelines, scripts and cluster settings too."},
	{.name = "max-snapshot-rate",
	 .type = OPT_STRING,
	 FIELD(rate),
	 .metavar = "BYTES",
	 .help = "Of each node and second, such as 40mb. Changes the repository's setting."},
	{.name = "compress",
	 .type = OPT_CHOICE,
	 FIELD(compress),
	 .choices = "true|false",
	 .help = "Compress metadata. Changes the repository's setting."},
	{.name = "partial",
	 .type = OPT_BOOL,
	 FIELD(partial),
	 .help = "Go on where shards are not available."},
	{.name = "ignore-unavailable",
	 .type = OPT_BOOL,
	 FIELD(ignore_unavailable),
	 .help = "Leave out names that are not there."},
	{0},
};

/* The patterns in one text; "*" without internal indices, but with those of data streams. */
static int join_indices(const struct create_fields *f, struct arena *mem, struct str *out,
			struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	bool all = f->indices.count == 0, wide = false;

	for (size_t i = 0; i < f->indices.count; i++) {
		struct str pattern = str_from(f->indices.items[i]);

		if (!f->api.include_system && snapshot_index_is_internal(pattern))
			return err_set(err, ERR_USAGE,
				       "--indices " STR_FMT ": internal indices are left out; "
				       "pass --include-system if you mean them",
				       STR_ARG(pattern));
		all |= str_is(pattern, "*") || str_is(pattern, "_all");
		wide |= str_starts(pattern, STR("*"));
		buf_printf(&text, "%s" STR_FMT, i ? "," : "", STR_ARG(pattern));
	}
	if (all) {
		buf_reset(&text);
		buf_append_str(&text, STR("*"));
	}
	if (!f->api.include_system && (all || wide))
		buf_append_str(&text, all ? STR(",-.*,.ds-*") : STR(",-.*"));
	if (buf_check(&text, "--indices", err) < 0)
		return -(int)err->kind;
	*out = arena_str(mem, buf_str(&text));
	return out->ptr ? 0 : arena_fail(mem, "--indices", err);
}

static int body_of(const struct create_fields *f, const struct cluster_version *version,
		   struct arena *mem, struct json **out, struct err *err)
{
	struct json *body = json_new(mem, JSON_OBJECT);
	struct str indices;

	if (join_indices(f, mem, &indices, err) < 0)
		return -(int)err->kind;
	json_set(body, STR("indices"), json_new_string(mem, indices));
	json_set(body, STR("include_global_state"), json_new_bool(mem, f->global_state));
	json_set(body, STR("ignore_unavailable"), json_new_bool(mem, f->ignore_unavailable));
	json_set(body, STR("partial"), json_new_bool(mem, f->partial));
	if (f->global_state && !f->api.include_system)
		snapshot_leave_out_features(body, version, mem);
	*out = body;
	return mem->failed ? arena_fail(mem, "the settings", err) : 0;
}

/* Rate and compression belong to the repository. */
static int set_repository(const struct create_fields *f, struct cluster *cluster,
			  struct json *repository, struct arena *mem, struct err *err)
{
	struct json *settings = json_get(repository, "settings"), *answer;
	struct snapshot_request request;

	if (json_bool_or(json_get(settings, "readonly"), false))
		return err_set(err, ERR_BLOCKED,
			       "repository '%s' is registered read-only at this cluster; register "
			       "it read-write where snapshots are taken",
			       f->api.repository);
	if (!settings || (!f->rate && !f->compress))
		return 0;
	if (f->rate)
		json_set(settings, STR("max_snapshot_bytes_per_sec"),
			 json_new_string(mem, str_from(f->rate)));
	if (f->compress)
		json_set(settings, STR("compress"), json_new_string(mem, str_from(f->compress)));
	if (snapshot_request_register(str_from(f->api.repository), repository, mem, &request, err) <
	    0)
		return -(int)err->kind;
	return snapshot_send(&f->api, cluster, &request, mem, &answer, err);
}

static bool is_under_way(struct str state)
{
	return str_is(state, "INIT") || str_is(state, "STARTED") || str_is(state, "IN_PROGRESS");
}

static int take_error(struct err *err, const struct err *from)
{
	*err = *from;
	return -(int)err->kind;
}

static int await(const struct create_fields *f, struct cluster *cluster, struct str *state,
		 struct err *err)
{
	struct str repository = str_from(f->api.repository), name = str_from(f->api.snapshot);

	for (;;) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
		struct snapshot_progress progress;
		struct err gone = {0};
		struct json *entry;

		if (snapshot_api_get(cluster, repository, name, &mem, &entry, err) < 0)
			return -(int)err->kind;
		*state = json_string(json_get(entry, "state"));
		if (!is_under_way(*state)) {
			*state = str_is(*state, "SUCCESS")   ? STR("SUCCESS")
				 : str_is(*state, "PARTIAL") ? STR("PARTIAL")
							     : STR("FAILED");
			return 0;
		}
		/* It may end between the two questions. */
		if (snapshot_api_status(cluster, repository, name, &mem, &progress, NULL, &gone) ==
		    0)
			snapshot_log_progress(&progress, progress.elapsed_ms);
		else if (gone.kind != ERR_NOT_FOUND)
			return take_error(err, &gone);
		if (snapshot_pause(err) < 0)
			return -(int)err->kind;
	}
}

static int tell_end(const struct create_fields *f, struct cluster *cluster, struct arena *mem,
		    struct err *err)
{
	struct str state;
	int rc;

	if (!f->api.wait || f->api.plan)
		return snapshot_tell(&f->api, "started", f->api.snapshot, mem, err);
	if (await(f, cluster, &state, err) < 0)
		return -(int)err->kind;
	rc = snapshot_tell(&f->api, state.ptr, f->api.snapshot, mem, err);
	return rc < 0                     ? rc
	       : str_is(state, "SUCCESS") ? EXIT_CODE_OK
					  : EXIT_CODE_COMPLETED_WITH_ERRORS;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct create_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str repository = str_from(f->api.repository);
	struct json *body = NULL, *registered = NULL, *answer;
	struct snapshot_request request;

	if (snapshot_connect(&f->api, cli->mem, &cluster, err) < 0 ||
	    body_of(f, cluster_version(cluster), cli->mem, &body, err) < 0 ||
	    snapshot_api_repository(cluster, repository, cli->mem, &registered, err) < 0 ||
	    set_repository(f, cluster, registered, cli->mem, err) < 0 ||
	    snapshot_request_create(repository, str_from(f->api.snapshot), body, cli->mem, &request,
				    err) < 0 ||
	    snapshot_send(&f->api, cluster, &request, cli->mem, &answer, err) < 0)
		return -(int)err->kind;
	return tell_end(f, cluster, cli->mem, err);
}

static const struct opt_part parts[] = {{snapshot_repository_options, 0},
					{snapshot_name_options, 0},
					{create_options, 0},
					{snapshot_content_options, 0},
					{snapshot_plan_options, 0},
					SNAPSHOT_CLUSTER_PARTS,
					{0}};

const struct command command_snapshot_create = {
	.options = {.name = "snapshot create",
		    .summary = "Let a cluster take a snapshot",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot create --from https://old:9200 "
			       "--repo backups --snapshot move --indices 'logs-*' --wait"},
	.fields_size = sizeof(struct create_fields),
	.run = run,
};
