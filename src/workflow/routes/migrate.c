#include "workflow/routes/migrate.h"

#include "backfill/coordinator_limit.h"
#include "cluster/data_stream.h"
#include "documents/rebuild_tally.h"
#include "metadata/source_kind.h"
#include "workflow/routes/filtered_source.h"
#include "workflow/routes/sent_before.h"
#include "workflow/routes/migrate_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void migrate_report_release(struct migrate_report *report)
{
	metadata_set_release(&report->metadata);
	for (size_t i = 0; i < report->count; i++)
		rebuild_tally_free(report->indices[i].tally);
	arena_release(&report->mem);
	*report = (struct migrate_report){0};
}

static int select_indices(struct route *route, struct err *err)
{
	const struct snapshot *snapshot = route->plan->snapshot;
	struct migrate_report *report = route->report;

	report->indices =
		arena_zalloc(&report->mem, snapshot->index_count, sizeof(*report->indices));
	if (!report->indices)
		return arena_fail(&report->mem, "the report", err);
	for (size_t i = 0; i < snapshot->index_count; i++) {
		struct str name = snapshot->indices[i].name;

		if (route->plan->filter && !index_filter_accepts(route->plan->filter, name))
			continue;
		report->indices[report->count++] = (struct migrate_index){
			.name = name,
			.target_name =
				route->plan->target_names ? route->plan->target_names[i] : name,
			.target_documents = -1,
		};
	}
	if (report->count > 0 || snapshot->index_count == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "none of the %zu indices of snapshot '" STR_FMT
		       "' is selected; name some with --index-allowlist",
		       snapshot->index_count, STR_ARG(snapshot->summary.name));
}

static void note_filter(struct route *route, struct migrate_index *index,
			const struct index_metadata *metadata)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));

	filtered_source_words(metadata->mappings, &text);
	route_note(route, index, buf_str(&text));
}

/* Elasticsearch before 6 told documents apart by type and id; later there is only the id. */
static void note_types(struct route *route, struct migrate_index *index,
		       const struct index_metadata *metadata)
{
	size_t types = 0;

	json_each (type, metadata->mappings)
		types += !str_is(type->key, "_default_");
	if (types > 1 && route->plan->target && !route->plan->backfill.emit_type)
		route_note(route, index,
			   STR("has several mapping types: documents that share an id become one"));
}

static void refuse_source(struct route *route, struct migrate_index *index, struct str why)
{
	index->refused = true;
	route_note(route, index, why);
}

static const char *quality_text(enum rebuild_quality quality)
{
	return quality == REBUILD_EXACT         ? "exactly"
	       : quality == REBUILD_APPROXIMATE ? "approximately"
						: "not at all";
}

/* Which fields come back, and how. */
static void note_rebuilding(struct route *route, struct migrate_index *index,
			    const struct index_metadata *metadata)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct rebuild_plan plan;
	struct err err;

	if (rebuild_plan_make(metadata->mappings, metadata->created_version,
			      index->source_kind == SOURCE_SYNTHETIC, &mem, &plan, &err) < 0) {
		refuse_source(route, index,
			      arena_printf(&route->report->mem, "refused: %s", err.message));
		return;
	}
	buf_append_str(&text, STR("its documents are rebuilt: "));
	for (size_t i = 0; i < plan.count; i++) {
		const struct rebuild_field *field = &plan.fields[i];

		if (field->hidden)
			continue;
		buf_printf(&text, "%s'" STR_FMT "' (" STR_FMT ") %s%s%s", i ? "; " : "",
			   STR_ARG(field->path), STR_ARG(field->type), quality_text(field->quality),
			   field->reason ? ": " : "", field->reason ? field->reason : "");
	}
	if (buf_check(&text, "the fields of a mapping", &err) == 0)
		route_note(route, index, arena_str(&route->report->mem, buf_str(&text)));
	index->rebuild = true;
	index->tally = rebuild_tally_new();
	index->inverts = plan.inverts;
}

/* Which fields kept documents from being rebuilt, in this run. */
static void note_tally(struct route *route, struct migrate_index *index)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);

	if (!index->tally)
		return;
	rebuild_tally_write(index->tally, &text);
	route_note(route, index, arena_str(&route->report->mem, buf_str(&text)));
}

/* Says what the mapping means for the documents; sets `refused` or `rebuild`. */
static void judge_source(struct route *route, struct migrate_index *index,
			 const struct index_metadata *metadata)
{
	index->source_kind = index_source_kind(metadata);
	if (index->source_kind != SOURCE_STORED && route->plan->backfill.sourceless) {
		note_rebuilding(route, index, metadata);
		return;
	}
	switch (index->source_kind) {
	case SOURCE_STORED:
		return;
	case SOURCE_FILTERED:
		note_filter(route, index, metadata);
		return;
	case SOURCE_DISABLED:
		refuse_source(route, index,
			      STR("refused: its mapping disables _source, so its documents are not "
				  "in the snapshot as they were sent; leave it out, index it again "
				  "from its origin, or have it rebuilt with "
				  "--enable-sourceless-migrations"));
		return;
	case SOURCE_SYNTHETIC:
		refuse_source(route, index,
			      STR("refused: its _source is synthetic, so its documents are not in "
				  "the snapshot as they were sent; leave it out, index it again "
				  "from its origin, or have it rebuilt with "
				  "--enable-sourceless-migrations"));
		return;
	}
}

/* One that cannot be created is work of the session all the same, for another run. */
static void accept(struct route *route, struct migrate_index *index,
		   const struct snapshot_index *source, const struct index_metadata *metadata)
{
	size_t i = route->accepted_count++;
	struct str type = index_only_type(metadata);

	route->accepted[i] = (struct backfill_index){
		.source = source,
		.target_name = index->target_name,
		.shard_count = metadata->shard_count,
		.rebuild = index->rebuild,
		.inverts = index->inverts,
		.tally = index->tally,
		.synthetic = index->source_kind == SOURCE_SYNTHETIC,
		.only_type = type.ptr ? arena_str(&route->report->mem, type) : STR_NONE};
	route->positions[i] = (size_t)(index - route->report->indices);
}

/* Reads and judges one index. Negative only when the run cannot go on. */
static int prepare(struct route *route, struct migrate_index *index, struct err *err)
{
	const struct snapshot *snapshot = route->plan->snapshot;
	const struct snapshot_index *source = snapshot_find_index(snapshot, index->name);
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata = {0};
	struct err broken;

	(void)err;
	if (snapshot_index_metadata(snapshot, source, &mem, &metadata, &broken) < 0) {
		index->documents.unreadable = true;
		memcpy(index->documents.reason, broken.message, sizeof(broken.message));
		route_note(route, index, str_from(broken.message));
		return 0;
	}
	judge_source(route, index, &metadata);
	if (metadata.closed && route->plan->source) {
		index->refused = true;
		route_note(route, index,
			   STR("refused: it is closed, and closed indices cannot be read; "
			       "open it on the source, or leave it out"));
	}
	if (index->refused)
		return 0;
	note_types(route, index, &metadata);
	if (metadata.closed)
		route_note(route, index, STR("closed in the source, open on the target"));
	accept(route, index, source, &metadata);
	return 0;
}

static bool creates(const struct route *route)
{
	return route->plan->target && route->plan->metadata;
}

static bool is_usable(const struct migrate_index *index)
{
	return index->creation == OUTCOME_WRITTEN || index->creation == OUTCOME_EXISTED ||
	       index->creation == OUTCOME_READY;
}

static void take_outcome(struct route *route, size_t accepted)
{
	struct migrate_index *index = &route->report->indices[route->positions[accepted]];
	const struct metadata_item *item =
		metadata_set_find(&route->report->metadata, METADATA_INDEX, index->name);

	if (item) {
		index->creation = item->outcome;
		index->creation_note = migrate_metadata_words(item, &route->report->mem);
	}
	if (!is_usable(index))
		route->accepted[accepted].blocked = "the index was not created on the target";
}

static int check_missing(void *user, struct str name, struct err *err)
{
	return sent_before_check(user, name, err);
}

/* Creates the indices and what else the snapshot knows, before any document is sent. */
static int create_all(struct route *route, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	struct migrate_report *report = route->report;
	struct str *refused = mem_zalloc((report->count + 1) * sizeof(*refused));
	struct sent_before sent = {.coordinator = plan->backfill.coordinator,
				   .target = plan->target};
	struct migrate_metadata migrating = {
		.snapshot = plan->snapshot,
		.source = plan->source,
		.filter = plan->filter,
		.plan = plan->metadata,
		.target = plan->target,
		.ours = plan->ours,
		.refused = refused,
		.cancel = route->cancel,
		.begin_index = check_missing,
		.user = &sent,
	};
	int rc;

	for (size_t i = 0; i < report->count; i++)
		if (report->indices[i].refused)
			refused[migrating.refused_count++] = report->indices[i].name;
	rc = migrate_metadata_run(&migrating, &report->metadata, err);
	free(refused);
	sent_before_release(&sent);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < route->accepted_count; i++)
		take_outcome(route, i);
	return 0;
}

/* The lines of files say where their documents belong. */
static bool names_targets_itself(const struct route *route)
{
	const struct file_documents_options *files = route->plan->backfill.files;

	return files && !files->index.ptr;
}

/* Whether an index that was there is a data stream, which takes creates alone. */
static int judge_target(struct route *route, size_t accepted, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	struct migrate_index *index = &route->report->indices[route->positions[accepted]];
	struct backfill_index *work = &route->accepted[accepted];

	if (!plan->target || work->blocked || names_targets_itself(route) ||
	    (creates(route) && index->creation == OUTCOME_WRITTEN))
		return 0;
	if (cluster_is_data_stream(plan->target, index->target_name, &work->create_only, err) < 0)
		return err_wrap(err, "index '" STR_FMT "'", STR_ARG(index->name));
	if (!work->create_only || !plan->backfill.previous)
		return 0;
	work->blocked =
		"it is a data stream on the target, which takes neither updates nor deletes";
	route_note(route, index, str_from(work->blocked));
	return 0;
}

/* Looks after the target before the first document is sent: for the indices that get some. */
static int begin_care(struct route *route, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	struct backfill_index *usable = mem_zalloc((route->accepted_count + 1) * sizeof(*usable));
	bool *created = mem_zalloc(route->accepted_count + 1);
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < route->accepted_count; i++) {
		const struct migrate_index *index = &route->report->indices[route->positions[i]];

		if (route->accepted[i].blocked || names_targets_itself(route))
			continue;
		created[count] = index->creation == OUTCOME_WRITTEN;
		usable[count++] = route->accepted[i];
	}
	rc = target_care_begin(plan->care, plan->snapshot, usable, created, count, route->cancel,
			       err);
	free(created);
	free(usable);
	return rc;
}

/* What the target brings itself. */
static int reindex_documents(struct route *route, struct progress *progress,
			     struct backfill_report *report, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	size_t count = route->accepted_count;
	cleanup(mem_freep) bool *made = mem_zalloc(count + 1);
	cleanup(mem_freep) uint64_t *bytes = mem_zalloc((count + 1) * sizeof(*bytes));

	for (size_t i = 0; i < count; i++) {
		const struct backfill_index *index = &route->accepted[i];
		size_t place = (size_t)(index->source - plan->snapshot->indices);

		made[i] = route->report->indices[route->positions[i]].creation == OUTCOME_WRITTEN;
		bytes[i] = plan->backfill.live->shard_bytes[place] * (uint64_t)index->shard_count;
	}
	return remote_reindex_run(plan->remote, route->accepted, made, count, bytes, progress,
				  route->cancel, report, err);
}

static int check_reindex(const struct route *route, struct err *err)
{
	if (!route->plan->remote || route->accepted_count == 0)
		return 0;
	return remote_reindex_check(route->plan->remote, route->accepted[0].source->name,
				    route->plan->plan_only, route->cancel, err);
}

static int send_documents(struct route *route, struct progress *progress, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	struct backfill_options options = plan->backfill;
	size_t count = route->accepted_count;
	struct backfill_index_result *results =
		mem_zalloc(MAX(count, (size_t)1) * sizeof(*results));
	struct backfill_report report = {.indices = results};
	int rc;

	/* A session that is paused stays so from its first bulk on. */
	if (options.control)
		control_look(options.control, options.pressure);
	/* Lines for nobody in particular keep what tells two documents of one id apart. */
	options.keep_type = options.keep_type || !plan->target;
	rc = plan->remote ? reindex_documents(route, progress, &report, err)
			  : backfill_run(plan->snapshot, route->accepted, count, &options,
					 plan->failed, progress, route->cancel, &report, err);
	route->report->end = report.end;
	route->report->resumed = report.resumed;
	route->report->finished_before = report.finished_before;
	for (size_t i = 0; i < count; i++) {
		struct migrate_index *index = &route->report->indices[route->positions[i]];

		index->documents = results[i];
		note_tally(route, index);
		if (results[i].unreadable)
			route_note(route, index, str_from(results[i].reason));
	}
	free(results);
	return rc;
}

static int mark_source(struct route *route, struct err *err)
{
	struct source_marks *marks = route->plan->marks;
	int rc = 0;

	if (!marks)
		return 0;
	for (size_t i = 0; rc == 0 && i < route->accepted_count; i++)
		rc = source_marks_add(marks, route->accepted[i].source->name, err);
	return rc < 0 ? rc : source_marks_keep(marks, err);
}

static int plan_all(struct route *route, struct err *err)
{
	int rc = creates(route) ? create_all(route, err) : 0;

	return rc < 0 ? rc : route_plan(route, err);
}

/* Which indices, and what can come of each. */
static int prepare_all(struct route *route, struct err *err)
{
	int rc = select_indices(route, err);

	if (rc < 0)
		return rc;
	route->accepted = mem_zalloc((route->report->count + 1) * sizeof(*route->accepted));
	route->positions = mem_zalloc((route->report->count + 1) * sizeof(*route->positions));
	for (size_t i = 0; i < route->report->count; i++)
		if ((rc = route_check_cancelled(route, err)) < 0 ||
		    (rc = prepare(route, &route->report->indices[i], err)) < 0)
			return rc;
	return check_reindex(route, err);
}

/* All that is done to source and target before the first document. */
static int make_ready(struct route *route, struct err *err)
{
	int rc = creates(route) ? create_all(route, err) : 0;

	for (size_t i = 0; rc == 0 && i < route->accepted_count; i++)
		rc = judge_target(route, i, err);
	if (rc == 0)
		rc = mark_source(route, err);
	return rc == 0 ? begin_care(route, err) : rc;
}

static int run(struct route *route, struct progress *progress, struct err *err)
{
	int rc = prepare_all(route, err);

	if (rc == 0 && route->plan->plan_only)
		return plan_all(route, err);
	if (rc == 0)
		rc = make_ready(route, err);
	if (rc < 0)
		return rc;
	rc = send_documents(route, progress, err);
	target_care_end(route->plan->care, rc == 0 && route->report->end == BACKFILL_ALL_DONE,
			rc < 0 ? err : NULL);
	return rc < 0 ? rc : route_prove(route, err);
}

int migrate_run(const struct migrate_plan *plan, struct progress *progress, atomic_bool *cancel,
		struct migrate_report *report, struct err *err)
{
	struct route route = {.plan = plan, .report = report, .cancel = cancel};
	struct coordinator_limit *limit = coordinator_limit_start(plan->backfill.coordinator,
								  cancel, plan->backfill.grace_ms);
	int rc;

	*report = (struct migrate_report){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	metadata_set_init(&report->metadata);
	rc = run(&route, progress, err);
	coordinator_limit_stop(limit);
	free(route.accepted);
	free(route.positions);
	return rc;
}
