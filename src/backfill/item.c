#include "backfill/item.h"

#include "backfill/pipeline_internal.h"
#include "backfill/source_digests.h"
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#define SETTLE_POLL_NS 100000000L /* a run that stops wakes nobody here */

static void link_item(struct item *item)
{
	struct pipeline *p = item->p;

	pthread_mutex_lock(&p->lock);
	item->next = p->items;
	if (p->items)
		p->items->previous = item;
	p->items = item;
	pthread_mutex_unlock(&p->lock);
}

/* With the pipeline's lock held. */
static void unlink_item(struct item *item)
{
	struct pipeline *p = item->p;

	if (item->next)
		item->next->previous = item->previous;
	if (item->previous)
		item->previous->next = item->next;
	else
		p->items = item->next;
}

static void release_cut(struct item_cut *cut)
{
	for (size_t i = 0; i < cut->part_count; i++)
		free((char *)(uintptr_t)cut->parts[i].segment.ptr);
	free(cut->parts);
}

static void free_item(struct item *item)
{
	for (size_t i = 0; i < item->cut_count; i++)
		release_cut(&item->cuts[i]);
	free(item->cuts);
	digest_release(&item->digest);
	digest_release(&item->rest_digest);
	ack_tracker_release(&item->acks);
	work_claim_release(&item->claim);
	pthread_cond_destroy(&item->saved_some);
	pthread_mutex_destroy(&item->lock);
	free(item);
}

/* The digest goes on where the item's checkpoint left it. */
static int open_digest(struct item *item, struct err *err)
{
	const struct json *before = item->before.digest_json;

	if (!item->p->options->digest_folder)
		return 0;
	digest_init(&item->rest_digest, SOURCE_DIGEST_BUCKETS);
	if (before && (digest_read(before, &item->digest, err) < 0 ||
		       item->digest.bucket_count != SOURCE_DIGEST_BUCKETS))
		return err_set(err, ERR_FORMAT,
			       "the digest of a work item is damaged; begin anew with --restart");
	if (before)
		return 0;
	digest_init(&item->digest, SOURCE_DIGEST_BUCKETS);
	return 0;
}

int item_open(struct pipeline *p, struct work_claim *claim, size_t index, struct item **out,
	      struct err *err)
{
	struct item *item = mem_zalloc(sizeof(*item));
	int rc;

	item->p = p;
	item->claim = *claim;
	item->index = index;
	item->begins_anew =
		p->options->live && !p->options->live->by_sequence[pipeline_live_place(p, index)];
	atomic_init(&item->holders, 1);
	pthread_mutex_init(&item->lock, NULL);
	pthread_cond_init(&item->saved_some, NULL);
	item->progress = item->claim.progress;
	item->progress.state = STR_NONE;
	item->failures_on_record = item->progress.failed;
	rc = item_state_parse(item->claim.progress.state, &item->claim.mem, &item->before, err);
	if (rc == 0)
		rc = open_digest(item, err);
	if (rc < 0) {
		free_item(item);
		return rc;
	}
	ack_tracker_init(&item->acks, item->progress.next_doc, item->before.acknowledged,
			 item->before.acknowledged_count);
	link_item(item);
	*out = item;
	return 0;
}

void item_hold(struct item *item)
{
	atomic_fetch_add(&item->holders, 1);
}

void item_drop(struct item *item)
{
	struct pipeline *p;
	struct err unknown;
	bool last;

	if (!item)
		return;
	p = item->p;
	pthread_mutex_lock(&p->lock);
	last = atomic_fetch_sub(&item->holders, 1) == 1;
	if (last)
		unlink_item(item);
	pthread_mutex_unlock(&p->lock);
	if (!last)
		return;
	/* What was acknowledged is durable already; a lease that cannot be handed back ends. */
	if (item_is_open(item))
		p->options->coordinator->ops->release(p->options->coordinator, &item->claim,
						      &unknown);
	free_item(item);
	pipeline_work_changed(p);
}

int64_t item_begin(const struct item *item, const struct doc_range **acknowledged, size_t *count)
{
	*acknowledged = item->acks.before;
	*count = item->acks.before_count;
	return item->acks.covered;
}

/* With the lock held. */
static void add_cut(struct item *item, int64_t end_doc, const struct checksum_part *parts,
		    size_t count)
{
	struct item_cut *cut;

	if (item->cut_count == item->cut_capacity) {
		item->cut_capacity = MAX(item->cut_capacity * 2, (size_t)16);
		item->cuts = mem_realloc(item->cuts, item->cut_capacity * sizeof(*item->cuts));
	}
	cut = &item->cuts[item->cut_count++];
	*cut = (struct item_cut){.end_doc = end_doc, .part_count = count};
	cut->parts = mem_alloc((count + 1) * sizeof(*parts));
	for (size_t i = 0; i < count; i++) {
		cut->parts[i] = parts[i];
		cut->parts[i].segment = str_of(str_dup(parts[i].segment), parts[i].segment.len);
	}
}

struct doc_range item_add_bulk(struct item *item, int64_t end, bool holds_part,
			       const struct checksum_part *parts, size_t part_count)
{
	struct doc_range range;

	pthread_mutex_lock(&item->lock);
	range = ack_tracker_add(&item->acks, end, holds_part);
	add_cut(item, end, parts, part_count);
	pthread_mutex_unlock(&item->lock);
	return range;
}

/* Whether a checkpoint may still come to lie there. */
static bool is_wanted(const struct item *item, const struct item_cut *cut)
{
	for (size_t i = 0; i < item->acks.out_count; i++)
		if (item->acks.out[i].first == cut->end_doc)
			return true;
	return cut->end_doc >= item->acks.covered;
}

/* With the lock held. */
static void drop_cuts(struct item *item)
{
	size_t kept = 0;

	for (size_t i = 0; i < item->cut_count; i++) {
		if (is_wanted(item, &item->cuts[i]))
			item->cuts[kept++] = item->cuts[i];
		else
			release_cut(&item->cuts[i]);
	}
	item->cut_count = kept;
}

/* With the lock held. What was read when documents before `next_doc` had come; NULL: nothing since
 * it was claimed. The last of several counts: that of the end. */
static const struct item_cut *cut_at(const struct item *item, int64_t next_doc)
{
	const struct item_cut *found = NULL;

	for (size_t i = 0; i < item->cut_count; i++)
		if (item->cuts[i].end_doc == next_doc)
			found = &item->cuts[i];
	return found;
}

/* With the lock held. The checksums are those of the checkpoint that the item was claimed with, and
 * of what was read since. */
static int write_state(const struct item *item, int64_t next_doc, struct buf *out, struct err *err)
{
	const struct item_cut *cut = cut_at(item, next_doc);
	size_t most = item->acks.out_count + item->acks.before_count;
	size_t before = item->before.part_count, since = cut ? cut->part_count : 0;
	cleanup(mem_freep) struct doc_range *ranges = mem_alloc((most + 1) * sizeof(*ranges));
	cleanup(mem_freep) struct checksum_part *parts =
		mem_alloc((before + since + 1) * sizeof(*parts));
	struct item_state state = {.acknowledged = ranges,
				   .parts = parts,
				   .part_count = before + since,
				   .digest = item->digest.buckets ? &item->digest : NULL};

	if (before)
		memcpy(parts, item->before.parts, before * sizeof(*parts));
	if (since)
		memcpy(parts + before, cut->parts, since * sizeof(*parts));
	state.acknowledged_count = ack_tracker_ranges(&item->acks, ranges, most);
	item_state_write(out, &state);
	return buf_check(out, "the state of a work item", err);
}

static void add_counts(struct work_progress *to, const struct item_counts *counts)
{
	to->documents += counts->documents;
	to->sent += counts->sent;
	to->failed += counts->failed;
	to->superseded += counts->superseded;
	to->source_bytes += counts->source_bytes;
}

/* What is to be told the coordinator. */
struct saving {
	struct buf state;
	struct work_progress progress;
	bool ends;
	uint64_t changes;
};

/* With the lock held. */
static int prepare(struct item *item, struct saving *s, struct err *err)
{
	s->changes = item->changes;
	s->progress = item->progress;
	s->progress.next_doc = ack_tracker_next_doc(&item->acks);
	s->ends = item->read && ack_tracker_is_settled(&item->acks);
	if (s->ends && item->failure.kind == ERR_NONE) {
		s->progress.next_doc = MAX(s->progress.next_doc, item->end_doc);
		add_counts(&s->progress, &item->rest);
		if (item->digest.buckets && item->rest_digest.buckets)
			digest_merge(&item->digest, &item->rest_digest);
		digest_release(&item->rest_digest);
	}
	drop_cuts(item);
	if (item->begins_anew && !(s->ends && item->failure.kind == ERR_NONE)) {
		s->progress = (struct work_progress){0};
		return 0;
	}
	if (write_state(item, s->progress.next_doc, &s->state, err) < 0)
		return -(int)err->kind;
	s->progress.state = buf_str(&s->state);
	return 0;
}

/* A damaged shard stays damaged; what a network did may be over the next time, and a scroll that
 * expired is begun anew. */
static bool is_final(const struct err *failure)
{
	return !failure->retry && failure->kind != ERR_UNREACHABLE &&
	       failure->kind != ERR_TIMEOUT && failure->kind != ERR_HTTP &&
	       failure->kind != ERR_CONFLICT;
}

static int give_up(struct item *item, const struct work_progress *progress, struct err *err)
{
	struct coordinator *c = item->p->options->coordinator;
	int rc = 0;

	/* Only where there is something new: a checkpoint makes it a first failure again. */
	if (progress->next_doc > item->claim.progress.next_doc ||
	    progress->documents > item->claim.progress.documents)
		rc = c->ops->checkpoint(c, &item->claim, progress, err);
	if (rc == 0)
		rc = c->ops->fail(c, &item->claim, item->failure.message, is_final(&item->failure),
				  err);
	return rc;
}

/* Without the lock; `saving` keeps others away from the claim. */
static int tell(struct item *item, const struct saving *s, struct err *err)
{
	struct coordinator *c = item->p->options->coordinator;
	int rc = 0;

	if (item->p->failed && s->progress.failed > item->failures_on_record)
		rc = failed_documents_flush(item->p->failed, err);
	if (rc < 0)
		return rc;
	item->failures_on_record = s->progress.failed;
	if (!s->ends)
		rc = c->ops->checkpoint(c, &item->claim, &s->progress, err);
	else if (item->failure.kind != ERR_NONE)
		rc = give_up(item, &s->progress, err);
	else
		rc = c->ops->complete(c, &item->claim, &s->progress, err);
	if (rc < 0 && rc != -ERR_LEASE_LOST)
		err_wrap(err, "the session of this work");
	return rc;
}

/* With the lock held, which it gives up meanwhile. */
static int save_once(struct item *item, struct err *err)
{
	struct saving s = {.state = BUF_INIT(ITEM_STATE_MAX)};
	int rc;

	item->saving = true;
	rc = prepare(item, &s, err);
	pthread_mutex_unlock(&item->lock);
	if (rc == 0)
		rc = tell(item, &s, err);
	pthread_mutex_lock(&item->lock);
	buf_release(&s.state);
	item->saving = false;
	item->saved = s.changes;
	if (rc < 0)
		atomic_store(&item->end, rc == -ERR_LEASE_LOST ? ITEM_LOST : ITEM_BROKEN);
	else if (s.ends)
		atomic_store(&item->end,
			     item->failure.kind == ERR_NONE ? ITEM_COMPLETED : ITEM_FAILED);
	pthread_cond_broadcast(&item->saved_some);
	if (!item_is_open(item))
		pipeline_item_ended(item);
	return rc == -ERR_LEASE_LOST ? 0 : rc;
}

/* With the lock held: until all changes up to now are durable. */
static int save(struct item *item, struct err *err)
{
	uint64_t wanted = ++item->changes;
	int rc = 0;

	while (rc == 0 && item->saved < wanted && item_is_open(item)) {
		if (item->saving)
			pthread_cond_wait(&item->saved_some, &item->lock);
		else
			rc = save_once(item, err);
	}
	return rc;
}

int item_acknowledge(struct item *item, struct doc_range range, const struct item_counts *counts,
		     const struct hash_list *hashes, struct err *err)
{
	int rc;

	pthread_mutex_lock(&item->lock);
	ack_tracker_acknowledge(&item->acks, range);
	add_counts(&item->progress, counts);
	if (item->digest.buckets)
		hash_list_add_to(hashes, &item->digest);
	rc = save(item, err);
	pthread_mutex_unlock(&item->lock);
	return rc;
}

int item_end_reading(struct item *item, const struct item_reading *reading, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&item->lock);
	item->read = true;
	item->end_doc = reading->end_doc;
	item->rest = reading->rest;
	if (reading->hashes && item->rest_digest.buckets)
		hash_list_add_to(reading->hashes, &item->rest_digest);
	if (reading->failure)
		item->failure = *reading->failure;
	else
		add_cut(item, MAX(item->end_doc, item->acks.covered), reading->parts,
			reading->part_count);
	if (ack_tracker_is_settled(&item->acks))
		rc = save(item, err);
	pthread_mutex_unlock(&item->lock);
	return rc;
}

bool item_settle(struct item *item)
{
	bool settled;

	pthread_mutex_lock(&item->lock);
	while (!ack_tracker_is_settled(&item->acks) && item_is_open(item) &&
	       !pipeline_stopping(item->p)) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += SETTLE_POLL_NS;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_clockwait(&item->saved_some, &item->lock, CLOCK_MONOTONIC, &until);
	}
	settled = ack_tracker_is_settled(&item->acks);
	pthread_mutex_unlock(&item->lock);
	return settled;
}

int item_divide(struct item *item, const struct work_item *ranges, size_t count, struct err *err)
{
	struct coordinator *c = item->p->options->coordinator;
	int rc;

	pthread_mutex_lock(&item->lock);
	while (item->saving)
		pthread_cond_wait(&item->saved_some, &item->lock);
	item->saving = true;
	pthread_mutex_unlock(&item->lock);
	rc = c->ops->divide(c, &item->claim, ranges, count, err);
	pthread_mutex_lock(&item->lock);
	item->saving = false;
	if (rc == -ERR_LEASE_LOST) {
		atomic_store(&item->end, ITEM_LOST);
		pipeline_item_ended(item);
	}
	pthread_cond_broadcast(&item->saved_some);
	pthread_mutex_unlock(&item->lock);
	return rc;
}

int item_renew(struct item *item, struct err *err)
{
	const struct work_claim *claim = &item->claim;
	int rc = 0;

	pthread_mutex_lock(&item->lock);
	if (!item->saving && item_is_open(item) &&
	    claim->lease_until_ms - clock_monotonic_ms() < claim->lease_ms / 2)
		rc = save(item, err);
	pthread_mutex_unlock(&item->lock);
	return rc;
}
