#include "workflow/routes/migrate.h"

#include "cluster/data_stream.h"
#include "metadata/source_kind.h"
#include "workflow/routes/filtered_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MAX MIB(16) /* bytes of a refresh's or count's answer, parsed */

struct route {
	const struct migrate_plan *plan;
	struct migrate_report *report;
	atomic_bool *cancel;
	/* The indices whose documents are sent, and which of the report's they are. */
	struct backfill_index *accepted;
	size_t *positions;
	size_t accepted_count;
};

void migrate_report_release(struct migrate_report *report)
{
	metadata_set_release(&report->metadata);
	arena_release(&report->mem);
	*report = (struct migrate_report){0};
}

static int check_cancelled(const struct route *route, struct err *err)
{
	if (!atomic_load(route->cancel))
		return 0;
	return err_set(err, ERR_CANCELLED,
		       "interrupted; run the same command again to send all documents");
}

/* Adds to what is said of an index already. */
static void note(struct route *route, struct migrate_index *index, struct str text)
{
	struct arena *mem = &route->report->mem;

	if (text.len == 0)
		return;
	if (index->note.len == 0)
		index->note = arena_str(mem, text);
	else
		index->note = arena_printf(mem, STR_FMT "; " STR_FMT, STR_ARG(index->note),
					   STR_ARG(text));
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
		report->indices[report->count++] =
			(struct migrate_index){.name = name, .target_documents = -1};
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
	note(route, index, buf_str(&text));
}

/* Elasticsearch before 6 told documents apart by type and id; later there is only the id. */
static void note_types(struct route *route, struct migrate_index *index,
		       const struct index_metadata *metadata)
{
	size_t types = 0;

	json_each (type, metadata->mappings)
		types += !str_is(type->key, "_default_");
	if (types > 1 && route->plan->target && !route->plan->backfill.emit_type)
		note(route, index,
		     STR("has several mapping types: documents that share an id become one"));
}

static void refuse_source(struct route *route, struct migrate_index *index, struct str why)
{
	index->refused = true;
	note(route, index, why);
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

		buf_printf(&text, "%s'" STR_FMT "' (" STR_FMT ") %s%s%s", i ? "; " : "",
			   STR_ARG(field->path), STR_ARG(field->type), quality_text(field->quality),
			   field->reason ? ": " : "", field->reason ? field->reason : "");
	}
	if (buf_check(&text, "the fields of a mapping", &err) == 0)
		note(route, index, arena_str(&route->report->mem, buf_str(&text)));
	index->rebuild = true;
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
		.target_name = index->name,
		.shard_count = metadata->shard_count,
		.rebuild = index->rebuild,
		.synthetic = index->source_kind == SOURCE_SYNTHETIC,
		.only_type = type.ptr ? arena_str(&route->report->mem, type) : STR_NONE};
	route->positions[i] = (size_t)(index - route->report->indices);
}

/* Documents of the index that the session has done with, by its own account. */
static int documents_done(const struct route *route, struct str name, uint64_t *documents,
			  struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct coordinator *c = route->plan->backfill.coordinator;
	struct work_status *rows;
	size_t count = 0;
	int rc = c ? c->ops->list(c, &mem, &rows, &count, err) : 0;

	*documents = 0;
	/* A session that is only now begun has no items, and may have no store. */
	if (rc == -ERR_NOT_FOUND)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (str_eq(rows[i].item.index, name))
			*documents += rows[i].progress.documents;
	return rc;
}

/* An index that is new has none of the documents that an earlier run sent. */
static int check_is_young(const struct route *route, const struct migrate_index *index,
			  struct err *err)
{
	uint64_t documents;
	int rc = documents_done(route, index->name, &documents, err);

	if (rc == 0 && documents > 0)
		return err_set(err, ERR_USAGE,
			       "index '" STR_FMT "' was not on the target any more, but %" PRIu64
			       " of its documents were sent by an earlier run of this session; run "
			       "again with --restart to send all of them",
			       STR_ARG(index->name), documents);
	return rc;
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
		note(route, index, str_from(broken.message));
		return 0;
	}
	judge_source(route, index, &metadata);
	if (metadata.closed && route->plan->source) {
		index->refused = true;
		note(route, index,
		     STR("refused: it is closed, and closed indices cannot be read; "
			 "open it on the source, or leave it out"));
	}
	if (index->refused)
		return 0;
	note_types(route, index, &metadata);
	if (metadata.closed)
		note(route, index, STR("closed in the source, open on the target"));
	accept(route, index, source, &metadata);
	return 0;
}

static bool creates(const struct route *route)
{
	return route->plan->target && route->plan->metadata;
}

static bool is_usable(const struct migrate_index *index)
{
	return index->creation == OUTCOME_WRITTEN || index->creation == OUTCOME_EXISTED;
}

static int take_outcome(struct route *route, size_t accepted, struct err *err)
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
	return index->creation == OUTCOME_WRITTEN ? check_is_young(route, index, err) : 0;
}

/* Creates the indices and what else the snapshot knows, before any document is sent. */
static int create_all(struct route *route, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	struct migrate_report *report = route->report;
	struct str *refused = mem_zalloc((report->count + 1) * sizeof(*refused));
	struct migrate_metadata migrating = {
		.snapshot = plan->snapshot,
		.source = plan->source,
		.filter = plan->filter,
		.plan = plan->metadata,
		.target = plan->target,
		.ours = plan->ours,
		.refused = refused,
		.cancel = route->cancel,
	};
	int rc;

	for (size_t i = 0; i < report->count; i++)
		if (report->indices[i].refused)
			refused[migrating.refused_count++] = report->indices[i].name;
	rc = migrate_metadata_run(&migrating, &report->metadata, err);
	free(refused);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < route->accepted_count; i++)
		rc = take_outcome(route, i, err);
	return rc;
}

/* Whether an index that was there is a data stream, which takes creates alone. */
static int judge_target(struct route *route, size_t accepted, struct err *err)
{
	const struct migrate_plan *plan = route->plan;
	struct migrate_index *index = &route->report->indices[route->positions[accepted]];
	struct backfill_index *work = &route->accepted[accepted];

	if (!plan->target || work->blocked ||
	    (creates(route) && index->creation == OUTCOME_WRITTEN))
		return 0;
	if (cluster_is_data_stream(plan->target, index->name, &work->create_only, err) < 0)
		return err_wrap(err, "index '" STR_FMT "'", STR_ARG(index->name));
	if (!work->create_only || !plan->backfill.previous)
		return 0;
	work->blocked =
		"it is a data stream on the target, which takes neither updates nor deletes";
	note(route, index, str_from(work->blocked));
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

		if (route->accepted[i].blocked)
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
	rc = backfill_run(plan->snapshot, route->accepted, count, &options, plan->failed, progress,
			  route->cancel, &report, err);
	route->report->end = report.end;
	route->report->resumed = report.resumed;
	route->report->finished_before = report.finished_before;
	for (size_t i = 0; i < count; i++) {
		struct migrate_index *index = &route->report->indices[route->positions[i]];

		index->documents = results[i];
		if (results[i].unreadable)
			note(route, index, str_from(results[i].reason));
	}
	free(results);
	return rc;
}

/* One request about an index; why it was no success becomes its note. */
static int ask(struct route *route, struct migrate_index *index, const char *method,
	       const char *what, struct arena *mem, struct json **answer, bool *ok, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	int status, rc;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index->name);
	buf_append_str(&path, str_from(what));
	rc = buf_check(&path, "the path of a request", err);
	if (rc == 0)
		rc = cluster_request(route->plan->target, method, buf_cstr(&path), STR_NONE, true,
				     mem, &status, answer, err);
	if (rc < 0)
		return err_wrap(err, "index '" STR_FMT "' cannot be counted on the target",
				STR_ARG(index->name));
	*ok = status == 200;
	if (!*ok) {
		struct str reason = cluster_error_reason(*answer, status, mem);
		struct str text =
			arena_printf(mem, "not counted on the target: " STR_FMT, STR_ARG(reason));

		note(route, index, text);
	}
	return 0;
}

static int count_on_target(struct route *route, struct migrate_index *index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = NULL;
	bool ok;
	int rc = ask(route, index, "POST", "/_refresh", &mem, &answer, &ok, err);

	if (rc == 0 && ok)
		rc = ask(route, index, "GET", "/_count", &mem, &answer, &ok, err);
	if (rc == 0 && ok)
		index->target_documents = json_i64_or(json_get(answer, "count"), -1);
	return rc;
}

static int count_all(struct route *route, struct err *err)
{
	for (size_t i = 0; route->plan->target && i < route->accepted_count; i++) {
		struct migrate_index *index = &route->report->indices[route->positions[i]];
		int rc = check_cancelled(route, err);

		if (rc == 0 && !route->accepted[i].blocked)
			rc = count_on_target(route, index, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool transforms(const struct route *route)
{
	return route->plan->backfill.open_transform != NULL;
}

/* A transform drops documents and makes new ones, of other indices too, and a delta is a part of
 * what is there: then, none failed is all that can be said. */
static bool counts_tell(const struct route *route)
{
	return !transforms(route) && !route->plan->backfill.previous;
}

static bool all_sent(const struct route *route, const struct backfill_index_result *documents)
{
	return !documents->unreadable && documents->failed == 0 &&
	       (transforms(route) || documents->sent == documents->documents);
}

static bool is_there(const struct route *route, const struct migrate_index *index)
{
	if (!route->plan->target || !counts_tell(route))
		return true;
	return index->target_documents >= 0 &&
	       (uint64_t)index->target_documents == index->documents.documents;
}

static void note_disagreement(struct route *route, struct migrate_index *index)
{
	const struct backfill_index_result *documents = &index->documents;
	int64_t more = index->target_documents - (int64_t)documents->documents;
	char text[200] = "";

	if (documents->failed > 0)
		snprintf(text, sizeof(text), "%" PRIu64 " of its documents failed",
			 documents->failed);
	else if (counts_tell(route) && more > 0)
		snprintf(text, sizeof(text),
			 "the target holds %" PRId64 " more than the snapshot: others were there "
			 "before or came meanwhile",
			 more);
	else if (counts_tell(route) && index->target_documents >= 0 && !documents->unreadable)
		snprintf(text, sizeof(text), "the target holds %" PRId64 " less than the snapshot",
			 -more);
	note(route, index, str_from(text));
}

/* All that were selected and not taken out on the way count, in whatever way they ended. */
static void judge(struct route *route)
{
	struct migrate_report *report = route->report;

	report->agrees = migrate_metadata_other_problems(&report->metadata) == 0;
	for (size_t i = 0; i < report->count; i++)
		report->indices[i].agrees = false;
	for (size_t i = 0; i < route->accepted_count; i++) {
		struct migrate_index *index = &report->indices[route->positions[i]];

		if (route->accepted[i].blocked)
			continue;
		index->agrees = all_sent(route, &index->documents) && is_there(route, index);
		if (!index->agrees)
			note_disagreement(route, index);
		else if (transforms(route) && index->documents.sent != index->documents.documents)
			note(route, index,
			     STR("transformed: counts are not compared with the snapshot's"));
	}
	for (size_t i = 0; i < report->count; i++)
		report->agrees = report->agrees && report->indices[i].agrees;
}

static int run(struct route *route, struct progress *progress, struct err *err)
{
	int rc = select_indices(route, err);

	if (rc < 0)
		return rc;
	route->accepted = mem_zalloc((route->report->count + 1) * sizeof(*route->accepted));
	route->positions = mem_zalloc((route->report->count + 1) * sizeof(*route->positions));
	for (size_t i = 0; i < route->report->count; i++) {
		rc = check_cancelled(route, err);
		if (rc == 0)
			rc = prepare(route, &route->report->indices[i], err);
		if (rc < 0)
			return rc;
	}
	rc = creates(route) ? create_all(route, err) : 0;
	for (size_t i = 0; rc == 0 && i < route->accepted_count; i++)
		rc = judge_target(route, i, err);
	if (rc == 0)
		rc = begin_care(route, err);
	if (rc == 0) {
		rc = send_documents(route, progress, err);
		target_care_end(route->plan->care, rc < 0 ? err : NULL);
	}
	if (rc == 0)
		rc = count_all(route, err);
	if (rc == 0)
		judge(route);
	return rc;
}

int migrate_run(const struct migrate_plan *plan, struct progress *progress, atomic_bool *cancel,
		struct migrate_report *report, struct err *err)
{
	struct route route = {.plan = plan, .report = report, .cancel = cancel};
	int rc;

	*report = (struct migrate_report){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	metadata_set_init(&report->metadata);
	rc = run(&route, progress, err);
	free(route.accepted);
	free(route.positions);
	return rc;
}
