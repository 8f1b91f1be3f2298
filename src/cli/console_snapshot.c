/* console snapshot and console metadata: what services say, carried out by `snapshot` and
 * `metadata` */
#include "cli/console_common.h"

#include "base/log.h"
#include "cluster/snapshot_api.h"

#include <inttypes.h>

struct snapshot_fields_of_console {
	struct console_fields console;
	bool wait, deep, acknowledged;
	int64_t rate_mb;
};

/* One command on its way. */
struct job {
	struct console console;
	const struct config_value *section;
	struct services_cluster source;
	const char *repository, *snapshot;
};

static void job_close(struct job *job)
{
	console_close(&job->console);
}

static const char *text_of(const struct job *job, const struct config_value *map, const char *key)
{
	struct str text = config_text_or(config_get(map, key), STR_NONE);

	return text.len > 0 ? arena_str(job->console.mem, text).ptr : NULL;
}

static int open_section(struct job *job, struct cli *cli,
			const struct snapshot_fields_of_console *f, struct err *err)
{
	if (console_open(&job->console, cli, &f->console, err) < 0 ||
	    services_find_section(&job->console.services, SERVICES_SNAPSHOT, f->console.name,
				  cli->mem, &job->section, err) < 0)
		return -(int)err->kind;
	job->snapshot = text_of(job, job->section, "snapshot_name");
	job->repository = text_of(job, job->section, "snapshot_repo_name");
	if (!job->repository)
		job->repository = "migration_assistant_repo";
	if (!job->snapshot)
		return err_set(err, ERR_USAGE,
			       "the workflow has not named the snapshot " STR_FMT
			       " yet; `workflow submit` takes it",
			       STR_ARG(job->section->key));
	return 0;
}

static int find_source(struct job *job, struct cli *cli, struct err *err)
{
	const char *source = text_of(job, job->section, "source");

	return services_find_cluster(&job->console.services, source ? source : "source", cli->mem,
				     &job->source, err);
}

static int open_job(struct job *job, struct cli *cli, const struct snapshot_fields_of_console *f,
		    struct err *err)
{
	return open_section(job, cli, f, err) < 0 ? -(int)err->kind : find_source(job, cli, err);
}

/* It is there already: the source need not know its repository. */
static bool is_imported(const struct job *job)
{
	const char *mode = text_of(job, job->section, "mode");

	return mode && strcmp(mode, "import") == 0;
}

static void begin(const struct job *job, struct console_command *command)
{
	*command = (struct console_command){.mem = job->console.mem};
	console_add_option(command, "--repo", job->repository);
	console_add_option(command, "--snapshot-name", job->snapshot);
	console_add_cluster(command, "source", &job->source);
}

static void set(struct arena *mem, struct json *settings, const char *key, struct str value)
{
	if (value.len > 0)
		json_set(settings, str_from(key), json_new_string(mem, value));
}

/* "s3://bucket/a/b": bucket, then a/b. */
static void set_place(struct arena *mem, struct json *settings, struct str uri)
{
	struct str bucket, path = STR_NONE;

	if (!str_split(str_from_offset(uri, strlen("s3://")), '/', &bucket, &path))
		path = STR_NONE;
	set(mem, settings, "bucket", bucket);
	set(mem, settings, "base_path", path);
}

static struct json *repository_body(const struct job *job)
{
	struct arena *mem = job->console.mem;
	const struct config_value *s3 = config_get(job->section, "s3");
	const struct config_value *gcs = config_get(job->section, "gcs");
	const struct config_value *fs = config_get(job->section, "fs");
	struct json *body = json_new(mem, JSON_OBJECT), *settings = json_new(mem, JSON_OBJECT);

	set(mem, body, "type", s3 ? STR("s3") : gcs ? STR("gcs") : STR("fs"));
	if (fs)
		set(mem, settings, "location",
		    config_text_or(config_get(fs, "repo_path"), STR("")));
	else
		set_place(mem, settings,
			  config_text_or(config_get(s3 ? s3 : gcs, "repo_uri"), STR("")));
	set(mem, settings, "region", config_text_or(config_get(s3, "aws_region"), STR_NONE));
	set(mem, settings, "endpoint", config_text_or(config_get(s3, "endpoint"), STR_NONE));
	set(mem, settings, "role_arn", config_text_or(config_get(s3, "role"), STR_NONE));
	json_set(body, STR("settings"), settings);
	return body;
}

/* One that is registered already stays as it is. */
static int ensure_repository(const struct job *job, struct err *err)
{
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str name = str_from(job->repository);
	struct snapshot_request request;
	struct err missing = {0};
	struct json *answer;

	if (console_connect(&job->source, &cluster, err) < 0)
		return -(int)err->kind;
	if (snapshot_api_repository(cluster, name, job->console.mem, &answer, &missing) == 0)
		return 0;
	if (missing.kind != ERR_NOT_FOUND) {
		*err = missing;
		return -(int)err->kind;
	}
	if (snapshot_request_register(name, repository_body(job), job->console.mem, &request, err) <
		    0 ||
	    snapshot_request_send(cluster, &request, job->console.mem, &answer, err) < 0)
		return err_wrap(err, "registering the repository '%s'", job->repository);
	log_info("console", "the repository '%s' was registered", job->repository);
	return 0;
}

static int run_create(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct snapshot_fields_of_console *f = fields;
	struct console_command command;

	if (open_job(&job, cli, f, err) < 0)
		return -(int)err->kind;
	if (is_imported(&job))
		return err_set(err, ERR_USAGE,
			       "the snapshot '%s' is imported (mode: import): it is there already",
			       job.snapshot);
	if (ensure_repository(&job, err) < 0)
		return -(int)err->kind;
	begin(&job, &command);
	if (f->wait)
		console_add(&command, "--wait");
	if (f->rate_mb > 0)
		console_add(&command,
			    arena_printf(cli->mem, "--max-snapshot-rate=%" PRId64 "mb", f->rate_mb)
				    .ptr);
	return console_delegate(&job.console, &command_snapshot_create, &command, err);
}

/* What its repository says; deeply: what is in the files of each shard. */
static int imported_status(struct job *job, bool deep, struct err *err)
{
	struct console_command command = {.mem = job->console.mem};

	console_add_repository(&command, job->section);
	return console_delegate(&job->console,
				deep ? &command_snapshot_show : &command_snapshot_state, &command,
				err);
}

static int run_status(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct snapshot_fields_of_console *f = fields;
	struct console_command command;

	if (open_section(&job, cli, f, err) < 0)
		return -(int)err->kind;
	if (is_imported(&job))
		return imported_status(&job, f->deep, err);
	if (find_source(&job, cli, err) < 0)
		return -(int)err->kind;
	begin(&job, &command);
	if (f->deep)
		console_add(&command, "--deep-check");
	return console_delegate(&job.console, &command_snapshot_status, &command, err);
}

static int run_delete(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct snapshot_fields_of_console *f = fields;
	struct console_command command;

	if (open_job(&job, cli, f, err) < 0 ||
	    (!f->acknowledged && console_confirm("the snapshot will be deleted for good",
						 job.snapshot, "--acknowledge-risk", err) < 0))
		return -(int)err->kind;
	begin(&job, &command);
	console_add(&command, "--yes");
	return console_delegate(&job.console, &command_snapshot_delete, &command, err);
}

static int run_unregister(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	struct snapshot_fields_of_console *f = fields;
	struct console_command command;

	if (open_job(&job, cli, f, err) < 0 ||
	    (!f->acknowledged && console_confirm("the cluster will forget the repository",
						 job.repository, "--acknowledge-risk", err) < 0))
		return -(int)err->kind;
	command = (struct console_command){.mem = cli->mem};
	console_add_option(&command, "--repo", job.repository);
	console_add_cluster(&command, "source", &job.source);
	return console_delegate(&job.console, &command_snapshot_unregister, &command, err);
}

/* --- Metadata --- */

struct metadata_fields {
	struct console_fields console;
};

/* Where it reads from: its own snapshot, else the section snapshot's. */
static int metadata_place(const struct console *console, const struct config_value *section,
			  const struct config_value **out, struct err *err)
{
	*out = config_get(section, "from_snapshot");
	if (*out && (*out)->type == CONFIG_MAP)
		return 0;
	return services_find_section(&console->services, SERVICES_SNAPSHOT, NULL, console->mem, out,
				     err);
}

static int run_metadata(struct cli *cli, const struct console_fields *fields,
			const struct command *tool, struct err *err)
{
	cleanup(console_close) struct console console;
	struct console_command command = {.mem = cli->mem};
	const struct config_value *section, *place;
	struct services_cluster target;
	struct str wanted;

	if (console_open(&console, cli, fields, err) < 0 ||
	    services_find_section(&console.services, SERVICES_METADATA, fields->name, cli->mem,
				  &section, err) < 0 ||
	    metadata_place(&console, section, &place, err) < 0)
		return -(int)err->kind;
	wanted = arena_str(cli->mem, config_text_or(config_get(section, "target"), STR("target")));
	if (services_find_cluster(&console.services, wanted.ptr, cli->mem, &target, err) < 0)
		return -(int)err->kind;
	console_add_repository(&command, place);
	console_add_cluster(&command, "target", &target);
	console_add_list(&command, "--index-allowlist", config_get(section, "index_allowlist"));
	console_add_list(&command, "--index-template-allowlist",
			 config_get(section, "index_template_allowlist"));
	console_add_list(&command, "--component-template-allowlist",
			 config_get(section, "component_template_allowlist"));
	console_add_text(
		&command, "--cluster-awareness-attributes",
		config_text_or(config_get(section, "cluster_awareness_attributes"), STR_NONE));
	console_add_text(
		&command, "--transformer-config-base64",
		config_text_or(config_get(section, "transformer_config_base64"), STR_NONE));
	for (size_t i = 0; i < cli->parsed->positional_count; i++)
		console_add(&command, cli->parsed->positionals[i]);
	return console_delegate(&console, tool, &command, err);
}

static int run_evaluate(struct cli *cli, void *fields, struct err *err)
{
	return run_metadata(cli, fields, &command_metadata_evaluate, err);
}

static int run_migrate(struct cli *cli, void *fields, struct err *err)
{
	return run_metadata(cli, fields, &command_metadata_migrate, err);
}

#define FIELD(member) OPT_FIELD(struct snapshot_fields_of_console, member)

static const struct opt create_options[] = {
	{.name = "wait",
	 .type = OPT_BOOL,
	 FIELD(wait),
	 .help = "Wait until it is done, with progress on standard error."},
	{.name = "max-snapshot-rate-mb-per-node",
	 .type = OPT_INT,
	 FIELD(rate_mb),
	 .metavar = "N",
	 .min = 0,
	 .max = 1000000,
	 .help = "Of each node and second; 0: as the repository has it."},
	{0},
};
static const struct opt status_options[] = {
	{.name = "deep-check",
	 .type = OPT_BOOL,
	 FIELD(deep),
	 .help = "Tell it of each index, with the reasons of shards that failed; of one that is "
		 "imported, what its files hold."},
	{0},
};
static const struct opt risk_options[] = {
	{.name = "acknowledge-risk",
	 .type = OPT_BOOL,
	 FIELD(acknowledged),
	 .help = "Do not ask for the name to be typed."},
	{0},
};
static const struct opt_part create_parts[] = {{create_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part status_parts[] = {{status_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part risk_parts[] = {{risk_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part metadata_parts[] = {CONSOLE_PARTS, {0}};

#define SNAPSHOT_COMMAND(symbol, words, text, its_parts, function)        \
	const struct command symbol = {                                   \
		.options = {.name = "console snapshot " words,            \
			    .summary = text,                              \
			    .parts = its_parts},                          \
		.fields_size = sizeof(struct snapshot_fields_of_console), \
		.run = function,                                          \
	}
SNAPSHOT_COMMAND(command_console_snapshot_create, "create",
		 "Let the source take the snapshot, its repository registered first", create_parts,
		 run_create);
SNAPSHOT_COMMAND(command_console_snapshot_status, "status", "How far the snapshot is", status_parts,
		 run_status);
SNAPSHOT_COMMAND(command_console_snapshot_delete, "delete", "Delete the snapshot", risk_parts,
		 run_delete);
SNAPSHOT_COMMAND(command_console_snapshot_unregister_repo, "unregister-repo",
		 "Let the source forget the repository; its files stay", risk_parts,
		 run_unregister);

#define METADATA_COMMAND(symbol, verb, text, function)                                            \
	const struct command symbol = {                                                           \
		.options = {.name = "console metadata " verb,                                     \
			    .summary = text,                                                      \
			    .arguments = "[-- ARGUMENTS]",                                        \
			    .parts = metadata_parts,                                              \
			    .details = "Further arguments are those of `shardlift metadata " verb \
				       "`.",                                                      \
			    .max_positionals = CONSOLE_ARGUMENTS_MAX / 2},                        \
		.fields_size = sizeof(struct metadata_fields),                                    \
		.run = function,                                                                  \
	}
METADATA_COMMAND(command_console_metadata_evaluate, "evaluate",
		 "Tell what metadata would be created on the target; writes nothing", run_evaluate);
METADATA_COMMAND(command_console_metadata_migrate, "migrate", "Create it", run_migrate);
