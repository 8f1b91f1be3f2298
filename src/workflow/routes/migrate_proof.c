/* The proof of counts, at the end of a migration. */
#include "cluster/document_count.h"
#include "workflow/routes/migrate_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define ANSWER_MAX MIB(64) /* bytes of answers about one index, parsed */

int route_check_cancelled(const struct route *route, struct err *err)
{
	if (!atomic_load(route->cancel))
		return 0;
	return err_set(err, ERR_CANCELLED,
		       "interrupted; run the same command again to send all documents");
}

void route_note(struct route *route, struct migrate_index *index, struct str text)
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

static int count_on_target(struct route *route, struct migrate_index *index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct str reason;
	int rc = document_count(route->plan->target, index->target_name, &mem,
				&index->target_documents, &reason, err);

	if (rc < 0)
		return err_wrap(err, "on the target");
	if (reason.len > 0)
		route_note(
			route, index,
			arena_printf(&mem, "not counted on the target: " STR_FMT, STR_ARG(reason)));
	return 0;
}

static int count_all(struct route *route, struct err *err)
{
	bool asked = route->plan->target && !route->plan->backfill.files;

	for (size_t i = 0; asked && i < route->accepted_count; i++) {
		struct migrate_index *index = &route->report->indices[route->positions[i]];
		int rc = route_check_cancelled(route, err);

		if (rc == 0 && !route->accepted[i].blocked)
			rc = count_on_target(route, index, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What was written while its shards were read may be missing in the copy. */
static int look_for_writes(struct route *route, struct err *err)
{
	const struct source_marks *marks = route->plan->marks;
	int rc = 0;

	for (size_t i = 0; marks && rc == 0 && i < route->accepted_count; i++) {
		struct migrate_index *index = &route->report->indices[route->positions[i]];
		cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
		struct str words;

		rc = source_marks_compare(marks, index->name, &mem, &words, err);
		index->written = rc == 0 && words.len > 0;
		if (index->written)
			route_note(
				route, index,
				arena_printf(
					&mem,
					"was written to on the source meanwhile (" STR_FMT
					"): stop its writers and run the same command again with "
					"--restart, or pass --allow-writes",
					STR_ARG(words)));
	}
	return rc;
}

static bool transforms(const struct route *route)
{
	return route->plan->backfill.open_transform != NULL;
}

/* A transform drops documents and makes new ones, of other indices too, a delta is a part of what
 * is there, and files change documents more than once and delete them: then, none failed is all
 * that can be said. */
static bool counts_tell(const struct route *route)
{
	return !transforms(route) && !route->plan->backfill.previous &&
	       !route->plan->backfill.files;
}

static bool all_sent(const struct route *route, const struct backfill_index_result *documents)
{
	return !documents->unreadable && documents->failed == 0 &&
	       (transforms(route) || route->plan->backfill.files ||
		documents->sent == documents->documents);
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
	else if (counts_tell(route) && more < 0 && index->target_documents >= 0 &&
		 !documents->unreadable)
		snprintf(text, sizeof(text), "the target holds %" PRId64 " less than the snapshot",
			 -more);
	route_note(route, index, str_from(text));
}

/* It may be meant, so it is no disagreement, but nobody should have to find out elsewhere. */
static void note_transformed(struct route *route, struct migrate_index *index)
{
	const struct backfill_index_result *documents = &index->documents;
	char text[160];

	if (!transforms(route) || documents->sent == documents->documents)
		return;
	snprintf(text, sizeof(text), "transformed: counts are not compared with the snapshot's");
	if (documents->sent == 0)
		snprintf(text, sizeof(text),
			 "transformed: none of its %" PRIu64
			 " documents was sent, the transformers dropped or skipped all",
			 documents->documents);
	route_note(route, index, str_from(text));
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
		index->agrees = index->agrees && !index->written;
		if (!index->agrees)
			note_disagreement(route, index);
		else
			note_transformed(route, index);
	}
	for (size_t i = 0; i < report->count; i++)
		report->agrees = report->agrees && report->indices[i].agrees;
}

/* Without a refresh: that would be more than a question. */
static int count_on_source(struct route *route, struct migrate_index *index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct str query = route->plan->backfill.live->query, reason;
	int64_t count;
	int rc = document_count_now(route->plan->source, index->name, query, &mem, &count, &reason,
				    err);

	if (rc < 0)
		return err_wrap(err, "on the source");
	index->documents.documents = (uint64_t)MAX(count, INT64_C(0));
	index->documents.unreadable = count < 0;
	if (count < 0)
		snprintf(index->documents.reason, sizeof(index->documents.reason),
			 "it cannot be counted: " STR_FMT, STR_ARG(reason));
	return 0;
}

int route_plan(struct route *route, struct err *err)
{
	struct migrate_report *report = route->report;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < route->accepted_count; i++) {
		struct migrate_index *index = &report->indices[route->positions[i]];

		rc = route->plan->source ? count_on_source(route, index, err) : 0;
		index->agrees = !route->accepted[i].blocked && !index->documents.unreadable;
	}
	report->agrees = migrate_metadata_other_problems(&report->metadata) == 0;
	for (size_t i = 0; i < report->count; i++)
		report->agrees = report->agrees && report->indices[i].agrees;
	return rc;
}

int route_prove(struct route *route, struct err *err)
{
	int rc = look_for_writes(route, err);

	if (rc == 0)
		rc = count_all(route, err);
	if (rc == 0)
		judge(route);
	return rc;
}
