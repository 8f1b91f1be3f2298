/* How a reader comes to its next work item. */
#include "backfill/pipeline_internal.h"
#include "backfill/shard_documents.h"
#include "base/log.h"

#include <stdlib.h>

#define LONGEST_WAIT_MS 2000 /* others may have finished or died meanwhile */

static bool find_index(const struct pipeline *p, struct str name, size_t *index)
{
	for (*index = 0; *index < p->index_count; ++*index)
		if (str_eq(p->indices[*index].source->name, name))
			return true;
	return false;
}

/* Free at once for whoever can read it. */
static void hand_back(struct pipeline *p, struct work_claim *claim)
{
	struct err err;

	if (p->options->coordinator->ops->release(p->options->coordinator, claim, &err) < 0)
		log_warn("backfill", "work that is not this run's is not handed back: %s",
			 err.message);
	work_claim_release(claim);
}

static struct item *take_over(struct pipeline *p, struct work_claim *claim)
{
	struct item *item;
	struct err err;
	size_t index;

	if (!find_index(p, claim->item.index, &index)) {
		err_set(&err, ERR_USAGE,
			"the session has work for index '" STR_FMT "', which this run does not "
			"move; give another --session-name, or select the index",
			STR_ARG(claim->item.index));
		hand_back(p, claim);
		pipeline_stop(p, &err);
		return NULL;
	}
	if (item_open(p, claim, index, &item, &err) < 0) {
		pipeline_stop(p, &err);
		return NULL;
	}
	return item;
}

static struct work_item *make_ranges(const struct item *item, const int64_t *starts,
				     const uint64_t *sizes, size_t count, int64_t total_docs)
{
	struct work_item *ranges = mem_zalloc(count * sizeof(*ranges));

	for (size_t i = 0; i < count; i++)
		ranges[i] =
			(struct work_item){.index = item->claim.item.index,
					   .shard = item->claim.item.shard,
					   .first_doc = starts[i],
					   .end_doc = i + 1 < count ? starts[i + 1] : total_docs,
					   .bytes = sizes[i]};
	return ranges;
}

/* A delta stays whole: its numbering is another one than the shard's. So does what was begun: some
 * of its documents are in bulks that came, though the first ones did not. */
static bool is_to_be_divided(const struct item *item)
{
	const struct work_claim *claim = &item->claim;
	int64_t most = item->p->options->range_bytes;

	/* What is indexed would be turned round for each range anew. */
	if (item->p->indices[item->index].inverts)
		return false;
	return most > 0 && !item->p->options->previous && !item->p->options->live &&
	       !item->p->options->files && !claim->divided && claim->item.end_doc == WORK_TO_END &&
	       claim->item.first_doc == 0 && claim->progress.next_doc == 0 &&
	       claim->progress.documents == 0 && item->before.acknowledged_count == 0 &&
	       claim->item.bytes > (uint64_t)most;
}

/* What cannot be divided is read whole, and what is wrong with it is said then. */
static void divide(struct item *item)
{
	struct pipeline *p = item->p;
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	cleanup(mem_freep) struct work_item *ranges = NULL;
	struct work_item whole = item->claim.item;
	uint64_t *sizes, stored = 0;
	int64_t *starts, total_docs;
	size_t count;
	struct err err;
	int rc;

	if (shard_documents_divide(p->snapshot, p->indices[item->index].source, whole.shard,
				   (uint64_t)p->options->range_bytes, &mem, &starts, &sizes, &count,
				   &total_docs, &err) < 0 ||
	    count < 2)
		return;
	ranges = make_ranges(item, starts, sizes, count, total_docs);
	rc = item_divide(item, ranges, count, &err);
	if (rc == -ERR_LEASE_LOST || rc == -ERR_UNSUPPORTED)
		return;
	if (rc < 0) {
		pipeline_stop(p, &err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		stored += sizes[i];
	work_bytes_divide(p->bytes, &whole, stored);
	atomic_fetch_add(&p->progress->items_total, count - 1);
	pipeline_work_changed(p);
}

static struct item *begin(struct pipeline *p, struct work_claim *claim)
{
	struct item *item = take_over(p, claim);
	const char *blocked = item ? p->indices[item->index].blocked : NULL;
	struct err failure, err;

	if (item && blocked) {
		err_set(&failure, ERR_BLOCKED, "%s", blocked);
		if (item_end_reading(item, &(struct item_reading){.failure = &failure}, &err) < 0)
			pipeline_stop(p, &err);
	} else if (item && is_to_be_divided(item)) {
		divide(item);
	}
	if (item && !item_is_open(item)) {
		item_drop(item);
		return NULL;
	}
	return item;
}

/* What is seen before it is asked for must not be missed while it waits. */
static uint64_t changes_now(struct pipeline *p)
{
	uint64_t changes;

	pthread_mutex_lock(&p->lock);
	changes = p->work_changes;
	pthread_mutex_unlock(&p->lock);
	return changes;
}

static bool is_over(struct pipeline *p)
{
	bool over;

	pthread_mutex_lock(&p->lock);
	over = p->all_done || (p->options->one_item && p->claimed);
	pthread_mutex_unlock(&p->lock);
	return over || pipeline_stopping(p);
}

static void note(struct pipeline *p, enum claim_outcome outcome)
{
	pthread_mutex_lock(&p->lock);
	p->claimed |= outcome == CLAIM_TAKEN || p->options->one_item;
	p->all_done |= outcome == CLAIM_ALL_DONE;
	if (outcome == CLAIM_LATER && p->options->one_item)
		p->end = BACKFILL_ALL_LEASED;
	pthread_mutex_unlock(&p->lock);
	atomic_fetch_add(outcome == CLAIM_TAKEN ? &p->progress->work_assigned
						: &p->progress->work_unavailable,
			 1);
	if (outcome == CLAIM_ALL_DONE)
		pipeline_work_changed(p);
}

struct item *claims_next(struct pipeline *p)
{
	struct coordinator *c = p->options->coordinator;

	while (!is_over(p)) {
		uint64_t seen = changes_now(p);
		enum claim_outcome outcome;
		struct work_claim claim;
		struct item *item = NULL;
		int64_t wait_ms;
		struct err err;

		work_claim_init(&claim);
		if (c->ops->claim(c, &claim, &outcome, &wait_ms, &err) < 0) {
			work_claim_release(&claim);
			err_wrap(&err, "the session of this work");
			pipeline_stop(p, &err);
			return NULL;
		}
		note(p, outcome);
		if (outcome == CLAIM_TAKEN)
			item = begin(p, &claim);
		else
			work_claim_release(&claim);
		if (item)
			return item;
		if (outcome == CLAIM_LATER && !p->options->one_item)
			pipeline_wait_for_work(p, seen, MIN(wait_ms, LONGEST_WAIT_MS));
	}
	return NULL;
}
