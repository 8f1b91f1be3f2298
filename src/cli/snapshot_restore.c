/* snapshot restore */
#include "cli/snapshot_options.h"

#include "base/clock.h"

#include <fnmatch.h>

struct restore_fields {
	struct snapshot_fields api;
	struct opt_list indices, settings, dropped, features;
	const char *rename_pattern, *rename_replacement;
	bool global_state, partial, aliases;
};

#define FIELD(member) OPT_FIELD(struct restore_fields, member), .category = "Snapshot"

static const struct opt restore_options[] = {
	{.name = "indices",
	 .type = OPT_LIST,
	 FIELD(indices),
	 .metavar = "PATTERN",
	 .help = "Names and wildcards of indices and data streams in the snapshot. Without it all "
		 "but internal ones."},
	{.name = "rename-pattern",
	 .type = OPT_STRING,
	 FIELD(rename_pattern),
	 .metavar = "REGEX",
	 .help = "Java regular expression on the names of indices, such as '(.+)'."},
	{.name = "rename-replacement",
	 .type = OPT_STRING,
	 FIELD(rename_replacement),
	 .metavar = "TEXT",
	 .help = "What replaces it, such as 'restored-$1'."},
	{.name = "index-setting",
	 .type = OPT_LIST,
	 FIELD(settings),
	 .metavar = "KEY=VALUE",
	 .help = "Overrides a setting of the indices, such as index.number_of_replicas=0."},
	{.name = "drop-index-setting",
	 .type = OPT_LIST,
	 FIELD(dropped),
	 .metavar = "KEY",
	 .help = "Restores the indices without this setting."},
	{.name = "include-global-state",
	 .type = OPT_BOOL,
	 FIELD(global_state),
	 .help = "Templates, pipelines, scripts and cluster settings too."},
	{.name = "feature-states",
	 .type = OPT_LIST,
	 FIELD(features),
	 .metavar = "FEATURE",
	 .help = "System indices of these features, such as kibana or security, from Elasticsearch "
		 "7.12 or later into itself; none: not even with --include-global-state."},
	{.name = "include-aliases",
	 .type = OPT_BOOL,
	 FIELD(aliases),
	 .fallback = "true",
	 .help = "The indices' aliases too."},
	{.name = "partial",
	 .type = OPT_BOOL,
	 FIELD(partial),
	 .help = "Restore indices too of which shards are missing; those come back empty."},
	{0},
};

/* What is chosen of a snapshot, and which patterns have found something. */
struct choice {
	const struct restore_fields *fields;
	bool found[256];
	struct buf names;
};

static void choice_release(struct choice *choice)
{
	buf_release(&choice->names);
}

static bool is_chosen(struct choice *choice, const char *name)
{
	const struct opt_list *patterns = &choice->fields->indices;
	bool chosen = patterns->count == 0;

	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], name, 0) == 0)
			choice->found[i] = chosen = true;
	return chosen;
}

static int choose(struct choice *choice, const struct json *names, struct arena *mem,
		  struct err *err)
{
	json_each (name, names) {
		struct str text = arena_str(mem, json_string(name));

		if (!text.ptr)
			return arena_fail(mem, "the names of indices", err);
		/* Those of data streams come with their stream. */
		if (str_starts(text, STR(".ds-")) ||
		    (!choice->fields->api.include_system && snapshot_index_is_internal(text)) ||
		    !is_chosen(choice, text.ptr))
			continue;
		buf_printf(&choice->names, "%s" STR_FMT, choice->names.len ? "," : "",
			   STR_ARG(text));
	}
	return 0;
}

static int check_found(const struct choice *choice, struct err *err)
{
	const struct restore_fields *f = choice->fields;

	for (size_t i = 0; i < f->indices.count; i++)
		if (!choice->found[i])
			return err_set(err, ERR_NOT_FOUND,
				       "--indices %s matches nothing in snapshot '%s'%s",
				       f->indices.items[i], f->api.snapshot,
				       f->indices.items[i][0] == '.' && !f->api.include_system
					       ? "; internal indices need --include-system"
					       : "");
	if (choice->names.len == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "snapshot '%s' holds no index to restore; internal ones need "
			       "--include-system",
			       f->api.snapshot);
	return buf_check(&choice->names, "the names of indices", err);
}

static int choose_indices(const struct restore_fields *f, const struct json *entry,
			  struct arena *mem, struct str *out, struct err *err)
{
	cleanup(choice_release) struct choice choice = {.fields = f, .names = BUF_INIT(MIB(64))};

	if (f->indices.count > COUNT_OF(choice.found))
		return err_set(err, ERR_USAGE, "--indices: at most %zu patterns",
			       COUNT_OF(choice.found));
	if (choose(&choice, json_get(entry, "indices"), mem, err) < 0 ||
	    choose(&choice, json_get(entry, "data_streams"), mem, err) < 0 ||
	    check_found(&choice, err) < 0)
		return -(int)err->kind;
	*out = arena_str(mem, buf_str(&choice.names));
	return out->ptr ? 0 : arena_fail(mem, "the names of indices", err);
}

static bool has_feature(const struct json *entry, const char *name)
{
	json_each (feature, json_get(entry, "feature_states"))
		if (str_is(json_string(json_get(feature, "feature_name")), name))
			return true;
	return false;
}

static int check_features(const struct restore_fields *f, const struct json *entry,
			  const struct cluster_version *version, struct err *err)
{
	if (version->flavour != CLUSTER_ELASTICSEARCH || version->major < 7 ||
	    (version->major == 7 && version->minor < 12))
		return err_set(err, ERR_UNSUPPORTED,
			       "--feature-states: Elasticsearch has them since 7.12, and this "
			       "cluster does not know them; saved objects come by `shardlift "
			       "metadata dashboards`, roles by `shardlift metadata migrate`");
	for (size_t i = 0; i < f->features.count; i++) {
		const char *name = f->features.items[i];

		if (strcmp(name, "none") == 0 && f->features.count == 1)
			continue;
		if (!has_feature(entry, name))
			return err_set(err, ERR_NOT_FOUND,
				       "--feature-states: snapshot '%s' holds no state of '%s'; "
				       "GET _snapshot/%s/%s tells those it has",
				       f->api.snapshot, name, f->api.repository, f->api.snapshot);
	}
	return 0;
}

static int add_features(const struct restore_fields *f, const struct json *entry,
			const struct cluster_version *version, struct json *body, struct arena *mem,
			struct err *err)
{
	struct json *list = json_new(mem, JSON_ARRAY);

	if (f->features.count == 0) {
		if (f->global_state && !f->api.include_system)
			snapshot_leave_out_features(body, version, mem);
		return 0;
	}
	for (size_t i = 0; i < f->features.count; i++)
		json_append(list, json_new_string(mem, str_from(f->features.items[i])));
	json_set(body, STR("feature_states"), list);
	return check_features(f, entry, version, err);
}

static int add_settings(const struct restore_fields *f, struct json *body, struct arena *mem,
			struct err *err)
{
	struct json *settings = json_new(mem, JSON_OBJECT), *dropped = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < f->settings.count; i++) {
		struct str key, value;

		if (!str_split(str_from(f->settings.items[i]), '=', &key, &value) || key.len == 0)
			return err_set(err, ERR_USAGE, "--index-setting '%s': give KEY=VALUE",
				       f->settings.items[i]);
		json_set(settings, key, json_new_string(mem, value));
	}
	for (size_t i = 0; i < f->dropped.count; i++)
		json_append(dropped, json_new_string(mem, str_from(f->dropped.items[i])));
	if (f->settings.count > 0)
		json_set(body, STR("index_settings"), settings);
	if (f->dropped.count > 0)
		json_set(body, STR("ignore_index_settings"), dropped);
	return 0;
}

static int body_of(const struct restore_fields *f, const struct json *entry,
		   const struct cluster_version *version, struct arena *mem, struct json **out,
		   struct err *err)
{
	struct json *body = json_new(mem, JSON_OBJECT);
	struct str indices;

	if (!f->rename_pattern != !f->rename_replacement)
		return err_set(err, ERR_USAGE,
			       "--rename-pattern and --rename-replacement need each other");
	if (choose_indices(f, entry, mem, &indices, err) < 0)
		return -(int)err->kind;
	json_set(body, STR("indices"), json_new_string(mem, indices));
	json_set(body, STR("include_global_state"), json_new_bool(mem, f->global_state));
	json_set(body, STR("include_aliases"), json_new_bool(mem, f->aliases));
	json_set(body, STR("partial"), json_new_bool(mem, f->partial));
	if (f->rename_pattern) {
		json_set(body, STR("rename_pattern"),
			 json_new_string(mem, str_from(f->rename_pattern)));
		json_set(body, STR("rename_replacement"),
			 json_new_string(mem, str_from(f->rename_replacement)));
	}
	if (add_features(f, entry, version, body, mem, err) < 0 ||
	    add_settings(f, body, mem, err) < 0)
		return -(int)err->kind;
	*out = body;
	return mem->failed ? arena_fail(mem, "the body of a request", err) : 0;
}

static int check_complete(const struct restore_fields *f, const struct json *entry, struct err *err)
{
	struct str state = json_string(json_get(entry, "state"));

	if (state.len == 0 || str_is(state, "SUCCESS") || (str_is(state, "PARTIAL") && f->partial))
		return 0;
	return err_set(err, ERR_BLOCKED, "snapshot '%s' is in state " STR_FMT "; %s",
		       f->api.snapshot, STR_ARG(state),
		       str_is(state, "PARTIAL") ? "pass --partial to restore what it holds"
						: "choose one that is complete");
}

/* {name: {status}} of all indices: what is red after a restore and was not before, it has failed
 * to bring back. */
static int read_health(struct cluster *cluster, struct arena *mem, struct json **out,
		       struct err *err)
{
	const struct snapshot_request request = {
		.method = "GET", .path = "/_cluster/health?level=indices", .repeatable = true};
	struct json *answer;

	if (snapshot_request_send(cluster, &request, mem, &answer, err) < 0)
		return -(int)err->kind;
	*out = json_get(answer, "indices");
	return 0;
}

static bool is_red(const struct json *index)
{
	return str_is(json_string(json_get(index, "status")), "red");
}

static int await(const struct restore_fields *f, struct cluster *cluster, struct err *err)
{
	int64_t began = clock_monotonic_ms();

	for (;;) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
		struct snapshot_progress progress;

		if (snapshot_api_restore_status(cluster, str_from(f->api.repository),
						str_from(f->api.snapshot), &mem, &progress,
						err) < 0)
			return -(int)err->kind;
		if (progress.state.len == 0)
			return 0;
		snapshot_log_progress(&progress, clock_monotonic_ms() - began);
		if (snapshot_pause(err) < 0)
			return -(int)err->kind;
	}
}

static int tell_end(const struct restore_fields *f, struct cluster *cluster,
		    const struct json *before, struct arena *mem, struct err *err)
{
	const char *outcome = "restored";
	struct json *after = NULL;
	int rc;

	if (!f->api.wait || f->api.plan)
		return snapshot_tell(&f->api, "restore started", f->api.snapshot, mem, err);
	if (await(f, cluster, err) < 0 || read_health(cluster, mem, &after, err) < 0)
		return -(int)err->kind;
	json_each (index, after)
		if (is_red(index) && !is_red(json_get_str(before, index->key)))
			outcome = arena_printf(mem, "shards of index '" STR_FMT "' are missing",
					       STR_ARG(index->key))
					  .ptr;
	if (!outcome)
		return arena_fail(mem, "the report", err);
	rc = snapshot_tell(&f->api, outcome, f->api.snapshot, mem, err);
	return rc < 0                             ? rc
	       : strcmp(outcome, "restored") == 0 ? EXIT_CODE_OK
						  : EXIT_CODE_COMPLETED_WITH_ERRORS;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct restore_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str repository = str_from(f->api.repository), name = str_from(f->api.snapshot);
	struct json *entry = NULL, *body = NULL, *answer, *health = NULL;
	struct snapshot_request request;

	if (snapshot_connect(&f->api, cli->mem, &cluster, err) < 0 ||
	    snapshot_api_get(cluster, repository, name, cli->mem, &entry, err) < 0 ||
	    check_complete(f, entry, err) < 0 || snapshot_check_version(entry, cluster, err) < 0 ||
	    body_of(f, entry, cluster_version(cluster), cli->mem, &body, err) < 0 ||
	    snapshot_request_restore(repository, name, body, cli->mem, &request, err) < 0 ||
	    (f->api.wait && read_health(cluster, cli->mem, &health, err) < 0) ||
	    snapshot_send(&f->api, cluster, &request, cli->mem, &answer, err) < 0)
		return -(int)err->kind;
	return tell_end(f, cluster, health, cli->mem, err);
}

static const struct opt_part parts[] = {{snapshot_repository_options, 0},
					{snapshot_name_options, 0},
					{restore_options, 0},
					{snapshot_content_options, 0},
					{snapshot_plan_options, 0},
					SNAPSHOT_CLUSTER_PARTS,
					{0}};

const struct command command_snapshot_restore = {
	.options = {.name = "snapshot restore",
		    .summary = "Let a cluster restore a snapshot",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot restore --to https://new:9200 "
			       "--repo old-backups --snapshot move --indices 'logs-*' "
			       "--rename-pattern '(.+)' --rename-replacement 'old-$1' --wait"},
	.fields_size = sizeof(struct restore_fields),
	.run = run,
};
