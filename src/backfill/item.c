#include "backfill/item.h"

#include "backfill/pipeline_internal.h"
#include "base/clock.h"

#include <stdlib.h>

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

static void free_item(struct item *item)
{
	for (size_t i = 0; i < item->part_count; i++)
		free((char *)(uintptr_t)item->parts[i].segment.ptr);
	free(item->parts);
	ack_tracker_release(&item->acks);
	work_claim_release(&item->claim);
	pthread_cond_destroy(&item->saved_some);
	pthread_mutex_destroy(&item->lock);
	free(item);
}

int item_open(struct pipeline *p, struct work_claim *claim, size_t index, struct item **out,
	      struct err *err)
{
	struct item *item = mem_zalloc(sizeof(*item));
	struct item_state state;
	int rc;

	item->p = p;
	item->claim = *claim;
	item->index = index;
	atomic_init(&item->holders, 1);
	pthread_mutex_init(&item->lock, NULL);
	pthread_cond_init(&item->saved_some, NULL);
	item->progress = item->claim.progress;
	item->progress.state = STR_NONE;
	item->failures_on_record = item->progress.failed;
	rc = item_state_parse(item->claim.progress.state, &item->claim.mem, &state, err);
	if (rc < 0) {
		free_item(item);
		return rc;
	}
	ack_tracker_init(&item->acks, item->progress.next_doc, state.acknowledged,
			 state.acknowledged_count);
	item_add_parts(item, state.parts, state.part_count);
	item->resumed = state.resumed || item->progress.next_doc > item->claim.item.first_doc;
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
		p->options->coordinator->ops->release(p->options->coordinator, &item->claim, NULL);
	free_item(item);
	pipeline_work_changed(p);
}

int64_t item_begin(const struct item *item, const struct doc_range **acknowledged, size_t *count)
{
	*acknowledged = item->acks.before;
	*count = item->acks.before_count;
	return item->acks.covered;
}

struct doc_range item_add_bulk(struct item *item, int64_t end)
{
	struct doc_range range;

	pthread_mutex_lock(&item->lock);
	range = ack_tracker_add(&item->acks, end);
	pthread_mutex_unlock(&item->lock);
	return range;
}

static bool is_within(const struct checksum_part *part, const struct checksum_part *other)
{
	return str_eq(part->segment, other->segment) && part->offset >= other->offset &&
	       part->offset + part->length <= other->offset + other->length;
}

/* What is read a second time, after a restart, proves nothing new. */
static bool has_part(const struct item *item, const struct checksum_part *part)
{
	for (size_t i = 0; i < item->part_count; i++)
		if (is_within(part, &item->parts[i]))
			return true;
	return false;
}

void item_add_parts(struct item *item, const struct checksum_part *parts, size_t count)
{
	pthread_mutex_lock(&item->lock);
	for (size_t i = 0; i < count; i++) {
		struct checksum_part *part;

		if (has_part(item, &parts[i]))
			continue;
		if (item->part_count == item->part_capacity) {
			item->part_capacity = MAX(item->part_capacity * 2, (size_t)8);
			item->parts = mem_realloc(item->parts,
						  item->part_capacity * sizeof(*item->parts));
		}
		part = &item->parts[item->part_count++];
		*part = parts[i];
		part->segment = str_of(str_dup(parts[i].segment), parts[i].segment.len);
	}
	pthread_mutex_unlock(&item->lock);
}

/* With the lock held. */
static int write_state(const struct item *item, struct buf *out, struct err *err)
{
	size_t most = item->acks.out_count + item->acks.before_count;
	struct item_state state = {
		.parts = item->parts, .part_count = item->part_count, .resumed = item->resumed};
	cleanup(mem_freep) struct doc_range *ranges = mem_alloc((most + 1) * sizeof(*ranges));

	state.acknowledged = ranges;
	state.acknowledged_count = ack_tracker_ranges(&item->acks, ranges, most);
	item_state_write(out, &state);
	return buf_check(out, "the state of a work item", err);
}

/* What is to be told the coordinator. */
struct saving {
	struct buf state;
	struct work_progress progress;
	bool ends;
	uint64_t changes;
};

/* With the lock held. */
static int prepare(const struct item *item, struct saving *s, struct err *err)
{
	s->changes = item->changes;
	s->progress = item->progress;
	s->progress.next_doc = ack_tracker_next_doc(&item->acks);
	s->ends = item->read && ack_tracker_is_settled(&item->acks);
	if (s->ends && item->failure.kind == ERR_NONE) {
		s->progress.next_doc = MAX(s->progress.next_doc, item->end_doc);
		s->progress.documents += item->rest.documents;
		s->progress.failed += item->rest.failed;
	}
	if (write_state(item, &s->state, err) < 0)
		return -(int)err->kind;
	s->progress.state = buf_str(&s->state);
	return 0;
}

/* A damaged shard stays damaged; what a network did may be over the next time. */
static bool is_final(const struct err *failure)
{
	return !failure->retry && failure->kind != ERR_UNREACHABLE &&
	       failure->kind != ERR_TIMEOUT && failure->kind != ERR_HTTP;
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

static void add_counts(struct work_progress *to, const struct item_counts *counts)
{
	to->documents += counts->documents;
	to->sent += counts->sent;
	to->failed += counts->failed;
	to->superseded += counts->superseded;
	to->source_bytes += counts->source_bytes;
}

int item_acknowledge(struct item *item, struct doc_range range, const struct item_counts *counts,
		     struct err *err)
{
	int rc;

	pthread_mutex_lock(&item->lock);
	ack_tracker_acknowledge(&item->acks, range);
	add_counts(&item->progress, counts);
	rc = save(item, err);
	pthread_mutex_unlock(&item->lock);
	return rc;
}

int item_end_reading(struct item *item, int64_t end_doc, const struct item_counts *rest,
		     const struct err *failure, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&item->lock);
	item->read = true;
	item->end_doc = end_doc;
	item->rest = *rest;
	if (failure)
		item->failure = *failure;
	if (ack_tracker_is_settled(&item->acks))
		rc = save(item, err);
	pthread_mutex_unlock(&item->lock);
	return rc;
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
