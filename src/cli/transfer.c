#include "cli/transfer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/processors.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "cli/run_report.h"
#include "cli/transfer_internal.h"
#include "store/read_ahead.h"

#include <stdio.h>

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
		.renames = transfer->renames,
		.indices_only = create->indices_only,
		.plan = transfer->request->plan,
		.allow_existing = create->creation.allow_existing,
		.rules = rule_options_of(&create->creation, cluster_version(transfer->cluster)),
		.transform = transfer->metadata.transform,
	};
	return &transfer->metadata;
}

/* One more than there are processors reads while others wait for the first bytes of a shard. */
static int64_t reader_count(const struct transfer *transfer)
{
	const struct blob_store *store = transfer->source.store;
	bool remote = store && blob_store_is_remote(store);

	return transfer->request->transfer->readers ? transfer->request->transfer->readers
						    : processors() + (remote ? 1 : 0);
}

static void limit_read_ahead(const struct transfer *transfer)
{
	int64_t wanted = transfer->request->transfer->read_ahead_memory;

	read_ahead_set_memory(
		wanted ? (size_t)wanted
		       : MIN((size_t)reader_count(transfer) * READ_AHEAD_SOURCE, MIB(256)));
}

static struct migrate_plan make_plan(struct transfer *transfer)
{
	const struct transfer_fields *fields = transfer->request->transfer;
	const struct work_fields *work = transfer->request->work;

	return (struct migrate_plan){
		.snapshot = transfer->source.snapshot,
		.source = transfer->live_cluster,
		.remote = transfer->request->remote ? &transfer->remote.options : NULL,
		.marks = transfer->marks.source ? &transfer->marks : NULL,
		.plan_only = transfer->request->plan,
		.filter = transfer->filter,
		.target_names = transfer->target_names,
		.target = transfer->cluster,
		.failed = transfer->failed,
		.care = transfer->care,
		.ours = transfer->session.ours,
		.metadata = plan_metadata(transfer),
		.backfill = {.documents_per_bulk = fields->documents_per_bulk,
			     .bytes_per_bulk = fields->bytes_per_bulk,
			     .max_memory = fields->max_memory,
			     .readers = reader_count(transfer),
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
			     .recovery_source = fields->recovery_source,
			     .sourceless_memory = fields->sourceless_memory,
			     .ids = transfer->generates_ids ? BACKFILL_IDS_GENERATED
							    : BACKFILL_IDS_KEEP,
			     .live = transfer->live_cluster ? &transfer->live : NULL,
			     .files = transfer->request->input ? &transfer->files : NULL,
			     .on_bad_line = transfer->request->input
						    ? bad_line_policy_of(transfer->request->input)
						    : TRANSFORM_ERROR_RECORD,
			     .previous = transfer->previous,
			     .delta_mode = transfer->delta_mode,
			     .digest_folder = transfer->digest_folder,
			     .pressure = transfer->pressure,
			     .control = transfer->control,
			     .coordinator = transfer->session.coordinator,
			     .fingerprint = transfer->session.fingerprint,
			     .open_sink = transfer_open_sink,
			     .open_sink_user = transfer,
			     .begin_item = transfer->keeps_places ? transfer_begin_item : NULL,
			     .open_transform =
				     transfer->transformer.ptr ? transfer_open_transform : NULL,
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
		.planned = request->plan,
		.live = transfer->live_cluster || request->input,
		.failed_documents =
			transfer->failed ? failed_documents_path(transfer->failed) : NULL,
		.creates_indices = request->create && transfer->cluster,
		.session = transfer->session.lasts ? transfer->session.name : NULL,
		.elapsed_ms = clock_monotonic_ms() - transfer->started_ms,
		.progress = &transfer->progress,
		.err = ended_by,
	};

	if (request->on_report) {
		request->on_report(request->user, &transfer->report);
		return 0;
	}
	if (request->general->json)
		return run_report_print_json(&transfer->report, &facts, stdout, err);
	return run_report_print(&transfer->report, &facts, stdout, err);
}

/* The next step after a run that was stopped. */
static int add_hint(const struct transfer *transfer, struct err *err)
{
	if (err->kind != ERR_CANCELLED)
		return -(int)err->kind;
	if (transfer->kind == TARGET_FILES && !transfer->keeps_places)
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

/* In this run: what earlier ones of the session did is not counted. */
static void log_recovered(const struct transfer *transfer)
{
	if (transfer->request->transfer->recovery_source)
		log_info("migrate", "%llu of %llu documents read came whole from _recovery_source",
			 (unsigned long long)transfer->progress.documents_recovered,
			 (unsigned long long)transfer->progress.documents_read);
}

static int run(struct transfer *transfer, struct err *err)
{
	struct migrate_plan plan = make_plan(transfer);
	struct err run_err = {0};
	struct progress_bar *bar;
	int ended;

	limit_read_ahead(transfer);
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
	log_recovered(transfer);
	log_indices(transfer);
	transfer_log_allowlist(transfer, ended);
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

/* Nothing is kept of it, and nothing sent. */
static int run_plan(struct transfer *transfer, struct err *err)
{
	struct migrate_plan plan = make_plan(transfer);

	if (migrate_run(&plan, &transfer->progress, interrupt_catch(), &transfer->report, err) <
		    0 ||
	    print_report(transfer, NULL, err) < 0)
		return -(int)err->kind;
	return exit_code_of(transfer);
}

static int run_request(const struct transfer_request *request, struct cli *cli, struct err *err)
{
	cleanup(transfer_release) struct transfer transfer = {
		.request = request,
		.mem = cli->mem,
		.started_ms = clock_monotonic_ms(),
	};

	if (transfer_open(&transfer, err) < 0)
		return -(int)err->kind;
	return request->plan ? run_plan(&transfer, err) : run(&transfer, err);
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
