/* check */
#include "cli/check_report.h"
#include "cli/check_traffic.h"
#include "cli/command.h"
#include "cli/snapshot_source.h"
#include "cli/source_options.h"
#include "workflow/routes/check.h"

struct check_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	struct target_fields target;
	struct opt_list traffic;
	bool connections;
};

static const struct opt check_options[] = {
	{.name = "connections",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct check_fields, connections),
	 .help = "Only connect, sign in and name AWS identities. A source's cluster and a "
		 "repository may be given both, then."},
	{.name = "traffic",
	 .type = OPT_LIST,
	 OPT_FIELD(struct check_fields, traffic),
	 .metavar = "FILE",
	 .help = "Requests of clients, as for `shardlift assess --traffic`: those that ask who "
		 "answers are listed."},
	{0},
};

/* What could not be opened is a line like any other. */
static void add_failure(struct check_report *report, const char *side, const struct err *err)
{
	struct check_row *row = check_add(report, side, "connection", CHECK_FAILED);

	row->kind = err->kind;
	check_say(report, &row->detail, "%s", err->message);
}

/* Whose credentials a repository in S3 is read with. */
static void check_reader(struct check_report *report, const struct repository_fields *repository)
{
	const struct blob_store_options *store = &repository->store;
	const struct aws_credentials_options options = {
		.access_key_id = store->s3_access_key_id,
		.secret_access_key = store->s3_secret_access_key,
		.session_token = store->s3_session_token,
		.profile = store->s3_profile,
		.region = store->s3_region,
		.role_arn = store->s3_role_arn,
		.external_id = store->s3_external_id,
		.sts_endpoint = store->sts_endpoint,
	};

	/* A server that is not AWS has users that AWS does not know. */
	if (str_starts(str_from(repository->repo_uri), STR("s3://")) && !store->s3_endpoint)
		check_aws(report, "source", &options);
}

static void check_snapshot(struct check_report *report, const struct repository_fields *repository)
{
	cleanup(snapshot_source_release) struct snapshot_source source = {0};
	struct check_row *row;
	struct err err = {0};

	check_reader(report, repository);
	if (snapshot_source_open(&source, repository, &err) < 0) {
		add_failure(report, "source", &err);
		return;
	}
	row = check_add(report, "source", "connection", CHECK_OK);
	check_say(report, &row->detail, "snapshot '%s' in %s", repository->snapshot_name,
		  repository->repo_uri);
	if (snapshot_check_complete(source.snapshot, false, &err) < 0) {
		row = check_add(report, "source", "snapshot", CHECK_FAILED);
		check_say(report, &row->detail, "%s", err.message);
	}
}

static void check_signer(struct check_report *report, const char *side, const char *region)
{
	const struct aws_credentials_options options = {.region = region};

	if (region)
		check_aws(report, side, &options);
}

static void connect_source(struct check_report *report, const struct check_fields *f)
{
	cleanup(cluster_closep) struct cluster *source = NULL;
	const struct http_options from = source_http_options(&f->source);
	struct check_row *row;
	struct err err = {0};

	check_signer(report, "source", f->source.aws_region);
	check_certificate(report, "source", &from);
	if (source_connect(&f->source, &source, &err) < 0) {
		add_failure(report, "source", &err);
		return;
	}
	row = check_add(report, "source", "connection", CHECK_OK);
	check_say(report, &row->detail, "%s", cluster_version_text(source));
}

static void connect_target(struct check_report *report, const struct check_fields *f)
{
	cleanup(cluster_closep) struct cluster *target = NULL;
	const struct http_options to = target_http_options(&f->target);
	struct check_row *row;
	struct err err = {0};

	check_signer(report, "target", f->target.aws_region);
	check_certificate(report, "target", &to);
	if (target_connect(&f->target, &target, &err) < 0) {
		add_failure(report, "target", &err);
		return;
	}
	row = check_add(report, "target", "connection", CHECK_OK);
	check_say(report, &row->detail, "%s", cluster_version_text(target));
}

/* A repository without a snapshot is one that is still to be written to. */
static int check_connections(struct check_report *report, struct check_fields *f, struct err *err)
{
	int rc;

	if (f->source.host && *f->source.host)
		connect_source(report, f);
	if (f->repository.snapshot_name && *f->repository.snapshot_name)
		check_snapshot(report, &f->repository);
	else if (f->repository.repo_uri)
		check_reader(report, &f->repository);
	connect_target(report, f);
	rc = check_report_print(report, f->general.json, err);
	return rc < 0 ? rc : check_exit_code(report);
}

static int check_sides(struct check_report *report, struct check_fields *f,
		       enum source_origin origin, struct err *ended)
{
	cleanup(cluster_closep) struct cluster *source = NULL, *target = NULL;
	struct err err = {0};
	const struct http_options from = source_http_options(&f->source);
	const struct http_options to = target_http_options(&f->target);

	check_signer(report, "source", f->source.aws_region);
	check_signer(report, "target", f->target.aws_region);
	if (origin != SOURCE_SNAPSHOT)
		check_certificate(report, "source", &from);
	check_certificate(report, "target", &to);
	if (origin == SOURCE_SNAPSHOT)
		check_snapshot(report, &f->repository);
	else if (source_connect(&f->source, &source, &err) < 0)
		add_failure(report, "source", &err);
	else
		check_source(report, source);
	if (target_connect(&f->target, &target, &err) < 0)
		add_failure(report, "target", &err);
	else
		check_target(report, target);
	if (!source || !target)
		return 0;
	check_pair(report, source, target);
	check_allowlist(report, source, target, f->source.host);
	return f->traffic.count ? check_traffic(report, &f->traffic, source, target, ended) : 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct check_fields *f = fields;
	struct check_report report = {.mem = cli->mem};
	enum source_origin origin;
	enum target_kind kind;
	const char *path;
	int rc;

	if (f->connections && f->target.host && !f->target.to)
		return check_connections(&report, f, err);
	if (f->connections)
		return err_set(err, ERR_USAGE,
			       "--connections goes with --source-host, --repo-uri and "
			       "--target-host, not with --from and --to");
	if (source_fields_resolve(&f->source, &f->repository, &origin, cli->mem, err) < 0 ||
	    target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE, "--to '%s' is no cluster: there is nothing to check",
			       f->target.host);
	if (check_sides(&report, f, origin, err) < 0)
		return -(int)err->kind;
	rc = check_report_print(&report, f->general.json, err);
	return rc < 0 ? rc : check_exit_code(&report);
}

static const struct opt_part parts[] = {
	{check_options, 0},
	{repository_options, offsetof(struct check_fields, repository)},
	{store_options, offsetof(struct check_fields, repository.store)},
	{source_options, offsetof(struct check_fields, source)},
	{target_options, offsetof(struct check_fields, target)},
	{general_options, offsetof(struct check_fields, general)},
	{0},
};

const struct command command_check = {
	.options =
		{
			.name = "check",
			.summary = "Tell whether a migration from one side to the other can begin",
			.parts = parts,
			.details =
				"Connects to both sides and looks, without writing anything, at "
				"versions, permissions, clocks, health, plugins, disk and zones. "
				"Exits 0 when nothing stands in the way, 3 when a side cannot be "
				"reached or lets nobody in, 4 when something else must be put "
				"right "
				"first.\n"
				"\n"
				"Example:\n"
				"  shardlift check --from https://old:9200 --to https://new:9200",
		},
	.fields_size = sizeof(struct check_fields),
	.run = run,
};
