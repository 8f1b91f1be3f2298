/* The work of a session: its items at the beginning, its results at the end. */
#include "backfill/pipeline_internal.h"
#include "backfill/shard_documents.h"
#include "backfill/shard_proof.h"
#include "backfill/source_digests.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_MAX MIB(2048) /* bytes of a listing, states included */

static size_t shard_count(const struct pipeline *p)
{
	size_t total = 0;

	for (size_t i = 0; i < p->index_count; i++)
		total += (size_t)MAX(p->indices[i].shard_count, 0);
	return total;
}

static struct work_item whole_shard(const struct pipeline *p, size_t index, int32_t shard)
{
	struct work_item item = {
		.index = p->indices[index].source->name, .shard = shard, .end_doc = WORK_TO_END};

	struct err unknown;

	if (p->options->live)
		item.bytes = p->options->live->shard_bytes[pipeline_live_place(p, index)];
	else if (p->options->files)
		item.bytes = p->options->files->files->bytes;
	/* What is wrong with a shard is said by the reader that opens it. */
	else if (shard_documents_size(p->snapshot, p->indices[index].source, shard, &item.bytes,
				      &unknown) < 0)
		item.bytes = 0;
	return item;
}

static int create_items(struct pipeline *p, bool *created, struct err *err)
{
	struct coordinator *c = p->options->coordinator;
	cleanup(mem_freep) struct work_item *items =
		mem_zalloc((shard_count(p) + 1) * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < p->index_count; i++)
		for (int32_t shard = 0; shard < p->indices[i].shard_count; shard++) {
			if (atomic_load(p->cancel))
				return err_set(err, ERR_CANCELLED, "interrupted");
			items[count++] = whole_shard(p, i, shard);
		}
	return c->ops->create(c, p->options->fingerprint, items, count, created, err);
}

static bool is_over(const struct work_status *status)
{
	return status->state == WORK_COMPLETED || status->state == WORK_PARKED;
}

/* The counters go on where the session stands. */
static void count_in(struct pipeline *p, const struct work_status *status)
{
	struct progress *progress = p->progress;

	work_bytes_add(p->bytes, status);
	atomic_fetch_add(&progress->items_total, 1);
	atomic_fetch_add(&progress->items_done, is_over(status));
	atomic_fetch_add(&progress->documents_read, status->progress.documents);
	atomic_fetch_add(&progress->documents_sent, status->progress.sent);
	atomic_fetch_add(&progress->documents_failed, status->progress.failed);
}

int work_plan_begin(struct pipeline *p, struct backfill_report *report, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIST_MAX);
	struct coordinator *c = p->options->coordinator;
	struct work_status *rows;
	size_t count, unparked;
	bool created;
	int rc = create_items(p, &created, err);

	/* Running it again is how a user asks for another try. */
	if (rc == 0 && !created && !p->options->one_item)
		rc = c->ops->unpark(c, &unparked, err);
	if (rc == 0)
		rc = c->ops->list(c, &mem, &rows, &count, err);
	if (rc < 0)
		return rc == -ERR_USAGE ? rc : err_wrap(err, "the session of this work");
	report->resumed = !created;
	report->finished_before = !created;
	for (size_t i = 0; i < count; i++) {
		count_in(p, &rows[i]);
		if (!is_over(&rows[i]))
			report->finished_before = false;
	}
	atomic_fetch_add(&p->progress->jumps, 1);
	return 0;
}

static size_t index_of(const struct pipeline *p, struct str name)
{
	size_t i = 0;

	while (i < p->index_count && !str_eq(p->indices[i].source->name, name))
		i++;
	return i;
}

static void mark_unreadable(const struct pipeline *p, struct backfill_index_result *result,
			    size_t index, int32_t shard, struct str reason)
{
	char name[WORK_ITEM_MAX];

	pipeline_work_item(&p->indices[index], shard, name);
	if (!result->unreadable)
		snprintf(result->reason, sizeof(result->reason), "%s: " STR_FMT, name,
			 STR_ARG(reason));
	result->unreadable = true;
}

static void count_row(const struct pipeline *p, const struct work_status *row,
		      struct backfill_report *report)
{
	size_t index = index_of(p, row->item.index);
	struct backfill_index_result *result;

	if (index == p->index_count)
		return;
	result = &report->indices[index];
	result->documents += row->progress.documents;
	result->sent += row->progress.sent;
	result->failed += row->progress.failed;
	result->superseded += row->progress.superseded;
	result->source_bytes += row->progress.source_bytes;
	if (row->state == WORK_PARKED && !p->indices[index].blocked)
		mark_unreadable(p, result, index, row->item.shard,
				row->reason.len ? row->reason : STR("it was given up"));
}

static bool same_shard(const struct work_status *a, const struct work_status *b)
{
	return a->item.shard == b->item.shard && str_eq(a->item.index, b->item.index);
}

/* Rows [from, to) are one shard's. */
static int prove(const struct pipeline *p, const struct work_status *rows, size_t from, size_t to,
		 struct backfill_report *report, struct err *err)
{
	size_t index = index_of(p, rows[from].item.index);
	struct err broken;
	int rc;

	for (size_t i = from; i < to; i++)
		if (rows[i].state != WORK_COMPLETED)
			return 0;
	if (index == p->index_count || p->options->live || p->options->files)
		return 0;
	rc = shard_proof(p->snapshot, p->indices[index].source, rows[from].item.shard, &rows[from],
			 to - from, p->cancel, &broken);
	if (rc == -ERR_CANCELLED) {
		*err = broken;
		return rc;
	}
	if (rc < 0) {
		mark_unreadable(p, &report->indices[index], index, rows[from].item.shard,
				str_from(broken.message));
		report->indices[index].unproven = true;
	}
	return 0;
}

int work_plan_report(struct pipeline *p, struct backfill_report *report, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIST_MAX);
	struct coordinator *c = p->options->coordinator;
	struct work_status *rows;
	size_t count, to;
	int rc = c->ops->list(c, &mem, &rows, &count, err);

	if (rc < 0)
		return err_wrap(err, "the session of this work");
	for (size_t i = 0; i < count; i++)
		count_row(p, &rows[i], report);
	for (size_t from = 0; p->all_done && rc == 0 && from < count; from = to) {
		for (to = from + 1; to < count && same_shard(&rows[from], &rows[to]);)
			to++;
		rc = prove(p, rows, from, to, report, err);
	}
	if (rc == 0 && p->all_done && p->options->digest_folder)
		rc = source_digests_write(p, rows, count, report, err);
	return rc;
}
