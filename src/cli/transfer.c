#include "cli/transfer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/processors.h"
#include "base/state_dir.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "cli/run_report.h"
#include "cli/snapshot_source.h"
#include "cli/transfer_check.h"
#include "cli/transfer_session.h"
#include "net/url.h"
#include "workflow/routes/live_indices.h"

#include <stdio.h>

/* Everything a run holds open. */
struct transfer {
	const struct transfer_request *request;
	struct arena *mem; /* of the command */
	enum target_kind kind;
	const char *path;        /* of a target of files */
	const char *target_name; /* without secrets */
	bool compress;           /* bulks over HTTP */
	struct snapshot_source source;
	struct cluster *live_cluster; /* NULL: the source is a snapshot */
	struct live_source live;
	struct snapshot *previous; /* NULL: all documents are sent */
	enum delta_mode delta_mode;
	struct index_filter *filter;
	struct str transformer; /* configuration; ptr NULL: none */
	struct migrate_metadata_plan metadata;
	struct cluster *cluster;  /* NULL: no cluster */
	struct target_care *care; /* NULL: no cluster */
	struct failed_documents *failed;
	struct transfer_session session;
	struct pressure *pressure;
	struct control *control;
	bool generates_ids;        /* the target does */
	const char *digest_folder; /* NULL: no digests are taken */
	struct progress progress;
	struct backfill_metrics metrics;
	struct metrics_server *metrics_server; /* NULL: none */
	struct migrate_report report;
	int64_t started_ms;
};

static void transfer_release(struct transfer *transfer)
{
	metrics_server_stop(transfer->metrics_server);
	migrate_report_release(&transfer->report);
	failed_documents_close(transfer->failed, NULL);
	target_care_free(transfer->care);
	transfer_session_release(&transfer->session);
	transform_free(transfer->metadata.transform);
	control_free(transfer->control);
	pressure_free(transfer->pressure);
	cluster_close(transfer->cluster);
	index_filter_free(transfer->filter);
	snapshot_close(transfer->previous);
	snapshot_source_release(&transfer->source);
	cluster_close(transfer->live_cluster);
}

static bool is_loopback(struct str host)
{
	return str_is(host, "localhost") || str_starts(host, STR("127.")) || str_is(host, "::1");
}

/* Learns what messages may say of the URL, and whether it leads off this machine. */
static int look_at_url(struct transfer *transfer, struct err *err)
{
	const struct target_fields *fields = transfer->request->target;
	struct url url;

	if (url_parse(fields->host, transfer->mem, &url, err) < 0)
		return err_wrap(err, "--target-host");
	transfer->compress = !fields->disable_compression && !is_loopback(url.host);
	transfer->target_name = url_without_secrets(&url, transfer->mem).ptr;
	return transfer->target_name ? 0 : arena_fail(transfer->mem, "--target-host", err);
}

static int resolve(struct transfer *transfer, struct err *err)
{
	const struct transfer_request *request = transfer->request;

	if ((!request->source &&
	     repository_fields_resolve(request->repository, true, transfer->mem, err) < 0) ||
	    target_fields_resolve(request->target, &transfer->kind, &transfer->path, err) < 0 ||
	    transfer_fields_check(request->transfer, err) < 0 ||
	    create_fields_check(request->create, err) < 0 ||
	    index_filter_new(&request->transfer->index_allowlist, &transfer->filter, err) < 0)
		return -(int)err->kind;
	transfer->target_name = request->target->host;
	return transfer->kind == TARGET_CLUSTER ? look_at_url(transfer, err) : 0;
}

/* A name that is not in the snapshot is a slip of the user's, and no reason to move less. */
static int check_entry(const struct transfer *transfer, size_t entry, struct err *err)
{
	const struct snapshot *snapshot = transfer->source.snapshot;

	for (size_t i = 0; i < snapshot->index_count; i++)
		if (index_filter_entry_accepts(transfer->filter, entry, snapshot->indices[i].name))
			return 0;
	if (transfer->request->source)
		return err_set(err, ERR_USAGE, "the source has no index that matches '%s'",
			       index_filter_entry(transfer->filter, entry));
	return err_set(err, ERR_USAGE,
		       "--index-allowlist: snapshot '" STR_FMT "' has no index that matches '%s'; "
		       "`shardlift snapshot show --repo-uri %s --snapshot-name " STR_FMT
		       "` lists those it has",
		       STR_ARG(snapshot->summary.name), index_filter_entry(transfer->filter, entry),
		       transfer->request->repository->repo_uri, STR_ARG(snapshot->summary.name));
}

static int check_entries(const struct transfer *transfer, struct err *err)
{
	for (size_t i = 0; i < index_filter_entry_count(transfer->filter); i++)
		if (check_entry(transfer, i, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int open_live(struct transfer *transfer, struct err *err)
{
	const struct transfer_request *request = transfer->request;

	if (source_connect(request->source, &transfer->live_cluster, err) < 0 ||
	    live_indices_read(transfer->live_cluster, transfer->filter, str_from(request->query),
			      &transfer->source.snapshot, &transfer->live, err) < 0)
		return -(int)err->kind;
	return check_entries(transfer, err);
}

static int open_source(struct transfer *transfer, struct err *err)
{
	bool allow_partial = transfer->request->transfer->allow_partial_snapshot;
	const struct snapshot *snapshot;

	if (transfer->request->source)
		return open_live(transfer, err);
	if (snapshot_source_open(&transfer->source, transfer->request->repository, err) < 0)
		return -(int)err->kind;
	snapshot = transfer->source.snapshot;
	if (snapshot_check_complete(snapshot, allow_partial, err) < 0)
		return -(int)err->kind;
	if (str_is(snapshot->summary.state, "PARTIAL"))
		log_warn("snapshot",
			 "snapshot '" STR_FMT
			 "' is PARTIAL: %zu shards failed when it was taken and are not in it",
			 STR_ARG(snapshot->summary.name), snapshot->failure_count);
	if (check_entries(transfer, err) < 0)
		return -(int)err->kind;
	return delta_fields_open(transfer->request->delta, transfer->request->transfer->op_type,
				 transfer->source.repository, allow_partial, &transfer->previous,
				 &transfer->delta_mode, err);
}

static int open_target(struct transfer *transfer, struct err *err)
{
	const struct target_fields *fields = transfer->request->target;

	if (transfer->kind == TARGET_FILES)
		return file_sink_prepare(transfer->path, err);
	if (transfer->kind == TARGET_NULL)
		return 0;
	if (target_connect(fields, &transfer->cluster, err) < 0)
		return -(int)err->kind;
	log_debug("cluster", "target is %s at %s", cluster_version_text(transfer->cluster),
		  transfer->target_name);
	return 0;
}

static int open_transform(void *user, struct transform **out, struct err *err)
{
	const struct transfer *transfer = user;
	const struct transform_context context =
		transform_context_of(&transfer->request->transform->run, TRANSFORM_DOCUMENT);

	return transform_new(transfer->transformer, &context, out, err);
}

/* What is wrong with them is told before anything else happens. */
static int check_transforms(struct transfer *transfer, struct err *err)
{
	const struct document_transform_fields *documents = transfer->request->transform;
	const struct create_fields *create = transfer->request->create;
	struct transform *transform;

	if (create && metadata_transform_new(&create->transformer, &documents->run, transfer->mem,
					     &transfer->metadata.transform, err) < 0)
		return -(int)err->kind;
	if (transformer_fields_read(&documents->transformer, transfer->mem, &transfer->transformer,
				    err) < 0)
		return -(int)err->kind;
	if (!transfer->transformer.ptr)
		return 0;
	if (open_transform(transfer, &transform, err) < 0)
		return -(int)err->kind;
	transform_free(transform);
	return 0;
}

static int open_sink(void *user, size_t sender, struct bulk_sink **out, struct err *err)
{
	const struct transfer *transfer = user;
	const char *compress = transfer->request->transfer->compress;
	struct cluster *cluster;

	(void)sender;
	switch (transfer->kind) {
	case TARGET_NULL:
		*out = null_sink_new();
		return 0;
	case TARGET_FILES:
		*out = file_sink_new(transfer->path, strcmp(compress, "gzip") == 0   ? FILE_GZIP
						     : strcmp(compress, "zstd") == 0 ? FILE_ZSTD
										     : FILE_PLAIN);
		return 0;
	case TARGET_CLUSTER:
		if (cluster_clone(transfer->cluster, &cluster, err) < 0)
			return -(int)err->kind;
		*out = cluster_sink_new(cluster, transfer->compress);
		return 0;
	}
	BUG("unknown kind of target");
}

static int open_session(struct transfer *transfer, struct err *err)
{
	const struct session_of of = {.request = transfer->request,
				      .snapshot = transfer->source.snapshot,
				      .previous = transfer->previous,
				      .delta_mode = transfer->delta_mode,
				      .filter = transfer->filter,
				      .target_name = transfer->target_name,
				      .transformer = transfer->transformer,
				      .kind = transfer->kind,
				      .cluster = transfer->cluster};
	struct str folder;

	if (transfer_session_open(&transfer->session, &of, transfer->mem, err) < 0)
		return -(int)err->kind;
	folder = arena_printf(transfer->mem, "%s/failed-documents", transfer->session.state_dir);
	if (folder.ptr && transfer->request->transfer->digest)
		transfer->digest_folder = digest_folder_of(transfer->session.state_dir,
							   transfer->session.name, transfer->mem);
	if (transfer->mem->failed)
		return arena_fail(transfer->mem, "--state-dir", err);
	return failed_documents_open(folder.ptr, transfer->session.name, &transfer->failed, err);
}

static struct pressure_options pressure_of(const struct transfer *transfer)
{
	const struct care_fields *care = transfer->request->care;

	/* Only a cluster can be overwhelmed. */
	return (struct pressure_options){
		.max_in_flight = transfer->request->transfer->max_connections,
		.documents_per_second = care->documents_per_second,
		.bytes_per_second = care->bytes_per_second,
		.adaptive = transfer->cluster != NULL,
	};
}

static enum generated_ids ids_mode(const struct transfer_fields *fields)
{
	if (strcmp(fields->generated_ids, "always") == 0)
		return GENERATED_IDS_ALWAYS;
	return strcmp(fields->generated_ids, "never") == 0 ? GENERATED_IDS_NEVER
							   : GENERATED_IDS_AUTO;
}

/* Before the senders' ways to the target are made: what watches it, watches them too. */
static int open_care(struct transfer *transfer, struct err *err)
{
	const struct care_fields *fields = transfer->request->care;
	const struct pressure_options pressure = pressure_of(transfer);
	const struct target_care_options options = {
		.state_dir = transfer->session.state_dir,
		.session = transfer->session.name,
		.target = transfer->target_name,
		.tune = fields->tune_target,
		/* A transform sends documents where it likes, under names not known here. */
		.allow_missing = fields->allow_missing || transfer->transformer.ptr,
		.pause_ms = fields->pause_ms,
	};
	enum generated_ids ids = ids_mode(transfer->request->transfer);

	if (transfer->session.lasts)
		log_info("backfill", "session '%s'", transfer->session.name);
	transfer->pressure = pressure_new(&pressure);
	transfer->control =
		control_new(transfer->session.state_dir, transfer->session.name, &pressure);
	transfer->generates_ids = ids == GENERATED_IDS_ALWAYS;
	if (!transfer->cluster)
		return 0;
	transfer->care = target_care_new(transfer->cluster, &options);
	target_care_press(transfer->care, transfer->pressure);
	return target_generates_ids(transfer->cluster, ids, &transfer->generates_ids, err);
}

static int check_together(const struct transfer *transfer, struct err *err)
{
	return transfer_check(
		&(struct transfer_features){
			.delta = transfer->previous,
			.generated_ids = transfer->generates_ids,
			.transforms = transfer->transformer.ptr,
			.digest = transfer->digest_folder,
			.sourceless = transfer->request->transfer->sourceless,
			.live = transfer->live_cluster,
		},
		err);
}

/* Before Elasticsearch 7 every action line names a type. */
static bool needs_type(const struct cluster *cluster)
{
	return cluster && cluster_version(cluster)->flavour == CLUSTER_ELASTICSEARCH &&
	       cluster_version(cluster)->major < 7;
}

/* NULL: documents alone. */
static const struct migrate_metadata_plan *plan_metadata(struct transfer *transfer)
{
	const struct create_fields *create = transfer->request->create;

	if (!create || !transfer->cluster)
		return NULL;
	transfer->metadata = (struct migrate_metadata_plan){
		.allowlist = &transfer->request->transfer->index_allowlist,
		.indices_only = create->indices_only,
		.allow_existing = create->creation.allow_existing,
		.rules = rule_options_of(&create->creation, cluster_version(transfer->cluster)),
		.transform = transfer->metadata.transform,
	};
	return &transfer->metadata;
}

static struct migrate_plan make_plan(struct transfer *transfer)
{
	const struct transfer_fields *fields = transfer->request->transfer;
	const struct work_fields *work = transfer->request->work;

	return (struct migrate_plan){
		.snapshot = transfer->source.snapshot,
		.source = transfer->live_cluster,
		.filter = transfer->filter,
		.target = transfer->cluster,
		.failed = transfer->failed,
		.care = transfer->care,
		.ours = transfer->session.ours,
		.metadata = plan_metadata(transfer),
		.backfill = {.documents_per_bulk = fields->documents_per_bulk,
			     .bytes_per_bulk = fields->bytes_per_bulk,
			     .max_memory = fields->max_memory,
			     .readers = fields->readers ? fields->readers : processors(),
			     .senders = fields->max_connections,
			     .range_bytes = work->range_bytes,
			     .grace_ms = work->grace_ms,
			     .one_item = work->one_item,
			     .emit_type = needs_type(transfer->cluster),
			     .allowed = {transfer->request->allowed->types.items,
					 transfer->request->allowed->types.count},
			     .operation = strcmp(fields->op_type, "create") == 0 ? BULK_CREATE
										 : BULK_INDEX,
			     .source_versions = fields->source_versions,
			     .sourceless = fields->sourceless,
			     .ids = transfer->generates_ids ? BACKFILL_IDS_GENERATED
							    : BACKFILL_IDS_KEEP,
			     .live = transfer->live_cluster ? &transfer->live : NULL,
			     .previous = transfer->previous,
			     .delta_mode = transfer->delta_mode,
			     .digest_folder = transfer->digest_folder,
			     .pressure = transfer->pressure,
			     .control = transfer->control,
			     .coordinator = transfer->session.coordinator,
			     .fingerprint = transfer->session.fingerprint,
			     .open_sink = open_sink,
			     .open_sink_user = transfer,
			     .open_transform = transfer->transformer.ptr ? open_transform : NULL,
			     .open_transform_user = transfer,
			     .on_transform_error =
				     transform_error_policy_of(&transfer->request->transform->run)},
	};
}

/* Said apart from the table: logs keep it, and what a filter means is easily overlooked there. */
static void log_index(const struct migrate_index *index)
{
	if (index->documents.unreadable)
		log_error("migrate", "index '" STR_FMT "' could not be read to its end: %s",
			  STR_ARG(index->name), index->documents.reason);
	else if (index->refused)
		log_warn("migrate", "index '" STR_FMT "' is refused: its _source is %s",
			 STR_ARG(index->name), source_kind_name(index->source_kind));
	else if (index->creation == OUTCOME_FAILED || index->creation == OUTCOME_BLOCKED)
		log_error("migrate", "index '" STR_FMT "' was not created: " STR_FMT,
			  STR_ARG(index->name), STR_ARG(index->creation_note));
	if (index->source_kind == SOURCE_FILTERED && !index->rebuild)
		log_warn("migrate",
			 "index '" STR_FMT
			 "' stores its sources in part (_source includes or excludes): "
			 "what they leave out does not come along",
			 STR_ARG(index->name));
}

static void log_indices(const struct transfer *transfer)
{
	for (size_t i = 0; i < transfer->report.count; i++)
		log_index(&transfer->report.indices[i]);
}

static int print_report(struct transfer *transfer, const struct err *ended_by, struct err *err)
{
	const struct transfer_request *request = transfer->request;
	const struct run_facts facts = {
		.command = request->command,
		.repository = str_from(request->repository->repo_uri),
		.snapshot = transfer->source.snapshot->summary.name,
		.previous = transfer->previous ? transfer->previous->summary.name : STR_NONE,
		.source_version = transfer->source.snapshot->summary.version,
		.target = transfer->target_name,
		.target_version =
			transfer->cluster ? cluster_version_text(transfer->cluster) : NULL,
		.failed_documents = failed_documents_path(transfer->failed),
		.creates_indices = request->create && transfer->cluster,
		.session = transfer->session.lasts ? transfer->session.name : NULL,
		.elapsed_ms = clock_monotonic_ms() - transfer->started_ms,
		.progress = &transfer->progress,
		.err = ended_by,
	};

	if (request->general->json)
		return run_report_print_json(&transfer->report, &facts, stdout, err);
	return run_report_print(&transfer->report, &facts, stdout, err);
}

/* The next step after a run that was stopped. */
static int add_hint(const struct transfer *transfer, struct err *err)
{
	if (err->kind != ERR_CANCELLED)
		return -(int)err->kind;
	if (transfer->kind == TARGET_FILES)
		return err_set(
			err, ERR_CANCELLED,
			"interrupted: the files written so far are whole; empty '%s' and run "
			"the same command again",
			transfer->path);
	if (!transfer->session.lasts)
		return err_set(err, ERR_CANCELLED, "interrupted");
	return err_set(err, ERR_CANCELLED,
		       "interrupted: what is done is kept; the same command again goes on where "
		       "this run ended");
}

/* What the Java tool's containers end with. */
static int exit_code_of_one(enum backfill_end end)
{
	switch (end) {
	case BACKFILL_ITEM_DONE:
		return 0;
	case BACKFILL_LEASE_LOST:
		return 2;
	case BACKFILL_ALL_DONE:
		return 3;
	case BACKFILL_ALL_LEASED:
		return 4;
	case BACKFILL_UNREADABLE:
		return 5;
	}
	BUG("unknown end of a run");
}

static int exit_code_of(const struct transfer *transfer)
{
	if (transfer->request->work->one_item)
		return exit_code_of_one(transfer->report.end);
	return (int)run_report_exit_code(&transfer->report);
}

static void log_session(const struct transfer *transfer)
{
	if (transfer->report.finished_before)
		log_info("backfill",
			 "session '%s' was finished before: nothing was left to do (--restart "
			 "begins anew)",
			 transfer->session.name);
	else if (transfer->report.resumed)
		log_info("backfill", "session '%s' was taken up again", transfer->session.name);
}

/* A session that has nothing left to do has nothing to be slowed down or paused. */
static void forget_wishes(const struct transfer *transfer)
{
	struct err err = {0};

	if (transfer->report.end == BACKFILL_ALL_DONE &&
	    control_forget(transfer->session.state_dir, transfer->session.name, &err) < 0)
		log_warn("backfill", "%s", err.message);
}

static int run(struct transfer *transfer, struct err *err)
{
	struct migrate_plan plan = make_plan(transfer);
	struct err run_err = {0};
	struct progress_bar *bar;
	int ended;

	transfer->metrics = (struct backfill_metrics){&transfer->progress, transfer->pressure};
	if (backfill_metrics_start(transfer->request->metrics, &transfer->metrics,
				   &transfer->metrics_server, err) < 0)
		return -(int)err->kind;
	bar = progress_bar_start(&transfer->progress, transfer->request->transfer->progress);
	ended = migrate_run(&plan, &transfer->progress, interrupt_catch(), &transfer->report,
			    &run_err);
	progress_bar_stop(bar);
	if (ended < 0)
		add_hint(transfer, &run_err);
	else
		ended = failed_documents_flush(transfer->failed, &run_err);
	if (ended >= 0)
		forget_wishes(transfer);
	log_session(transfer);
	log_indices(transfer);
	if (ended < 0 && transfer->report.count == 0 && !transfer->request->general->json) {
		*err = run_err;
		return ended;
	}
	if (print_report(transfer, ended < 0 ? &run_err : NULL, err) < 0)
		return -(int)err->kind;
	if (ended < 0) {
		*err = run_err;
		return -(int)err->kind;
	}
	if (transfer->report.count == 0)
		log_warn("migrate", "the snapshot holds no index: nothing was moved");
	return exit_code_of(transfer);
}

static int run_request(const struct transfer_request *request, struct cli *cli, struct err *err)
{
	cleanup(transfer_release) struct transfer transfer = {
		.request = request,
		.mem = cli->mem,
		.started_ms = clock_monotonic_ms(),
	};

	if (resolve(&transfer, err) < 0 || check_transforms(&transfer, err) < 0 ||
	    open_source(&transfer, err) < 0 || open_target(&transfer, err) < 0 ||
	    open_session(&transfer, err) < 0 || open_care(&transfer, err) < 0 ||
	    check_together(&transfer, err) < 0)
		return -(int)err->kind;
	return run(&transfer, err);
}

int transfer_run(const struct transfer_request *request, struct cli *cli, struct err *err)
{
	int code = run_request(request, cli, err);

	if (code >= 0 || !request->work->one_item)
		return code;
	/* The codes of errors say that no work is left, or who has it, to what starts workers. */
	log_error("shardlift", "%s", err->message);
	return EXIT_CODE_COMPLETED_WITH_ERRORS;
}
