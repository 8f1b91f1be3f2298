/* Order between connections: by-query requests see what was written before them and nothing that
 * was written after; an update waits for the write before it.
 *
 * A request has its place somewhere between its beginning and its end at the source, and only what
 * ended before another began is before it: so whoever waits for whom makes no circle. */
#include "replay/replay_internal.h"
#include "replay/updates.h"

#include "base/clock.h"

/* However much is outstanding, something pipelined or from clocks that differ may wait for itself.
 */
enum { MOST_WAIT_FOR_OTHERS_MS = 600000 };

static bool backfill_works(const struct replay *r)
{
	return r->options->backfill_works && atomic_load(r->options->backfill_works);
}

static bool writes(const struct exchange *ex)
{
	return ex->writes && !ex->skipped;
}

static int64_t ended_at_us(const struct exchange *ex)
{
	return MAX(ex->ended_us, ex->captured_us);
}

static int64_t ended_at_ms(const struct exchange *ex)
{
	return ended_at_us(ex) / 1000;
}

static bool is_before(const struct exchange *a, const struct exchange *b)
{
	return ended_at_us(a) < b->captured_us;
}

/* Some write that is not done is before it. */
static bool follows_a_write(struct exchange *ex)
{
	struct stream *s;

	TAILQ_FOREACH(s, &ex->stream->replay->streams, link)
	{
		struct exchange *other;

		TAILQ_FOREACH(other, &s->queue, queue)
		{
			if (other->captured_us >= ex->captured_us)
				break;
			if (other != ex && writes(other) && is_before(other, ex))
				return true;
		}
	}
	return false;
}

/* What a backfill brings later was there for it at the source. */
static bool must_wait(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	struct exchange *barrier;

	TAILQ_FOREACH(barrier, &r->barriers, barrier)
	if (barrier != ex && writes(barrier) && writes(ex) && is_before(barrier, ex))
		return true;
	return writes(ex) && ex->job.operation.kind == OPERATION_BY_QUERY &&
	       (backfill_works(r) || follows_a_write(ex));
}

bool order_parks(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	if (!r->rules.source_versions || TAILQ_EMPTY(&r->barriers) || !writes(ex) || !must_wait(ex))
		return false;
	ex->state = EXCHANGE_PARKED;
	TAILQ_INSERT_TAIL(&r->parked, ex, link);
	return true;
}

static void unpark(struct replay *r)
{
	struct exchange *ex, *next;

	for (ex = TAILQ_FIRST(&r->parked); ex; ex = next) {
		next = TAILQ_NEXT(ex, link);
		if (must_wait(ex))
			continue;
		TAILQ_REMOVE(&r->parked, ex, link);
		ex->state = EXCHANGE_QUEUED;
		stream_rest(ex->stream, 0);
	}
}

static bool names_one(const struct exchange *ex)
{
	enum operation_kind kind = ex->job.operation.kind;

	return kind == OPERATION_INDEX || kind == OPERATION_DELETE || kind == OPERATION_UPDATE;
}

static bool may_meet(const struct exchange *a, const struct exchange *b)
{
	const struct operation *x = &a->job.operation, *y = &b->job.operation;

	return !names_one(a) || !names_one(b) ||
	       (str_eq(x->id, y->id) && str_eq(x->index, y->index));
}

static void wake_those_behind(struct exchange *done)
{
	struct exchange *ex;

	TAILQ_FOREACH(ex, &done->stream->replay->waiting, link)
	if (may_meet(ex, done))
		stream_rest(ex->stream, 0);
}

void order_add(struct exchange *ex)
{
	ex->is_barrier = ex->job.operation.kind == OPERATION_BY_QUERY && writes(ex);
	if (ex->is_barrier)
		TAILQ_INSERT_TAIL(&ex->stream->replay->barriers, ex, barrier);
}

void order_remove(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	order_wake(ex);
	if (!ex->writes)
		return;
	if (ex->is_barrier)
		TAILQ_REMOVE(&r->barriers, ex, barrier);
	if (!TAILQ_EMPTY(&r->parked))
		unpark(r);
	wake_those_behind(ex);
}

void order_wait(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	if (ex->waits_ms == 0)
		ex->waits_ms = clock_monotonic_ms();
	ex->waits = true;
	TAILQ_INSERT_TAIL(&r->waiting, ex, link);
	r->counts.updates_waiting++;
}

void order_wake(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	if (!ex->waits)
		return;
	ex->waits = false;
	TAILQ_REMOVE(&r->waiting, ex, link);
	r->counts.updates_waiting--;
}

/* A write that began at the source before this one ended, and does not wait as this one does. What
 * is behind it on its own connection, where requests were pipelined, cannot come first. */
const struct exchange *order_awaited(const struct exchange *ex)
{
	const struct stream *s;

	TAILQ_FOREACH(s, &ex->stream->replay->streams, link)
	{
		const struct exchange *other;

		if (s == ex->stream)
			continue;
		TAILQ_FOREACH(other, &s->queue, queue)
		{
			if (other->captured_us > ended_at_us(ex))
				break;
			if (writes(other) && !other->waits)
				return other;
		}
	}
	return NULL;
}

/* A later request of its connection writes or deletes the whole document: whatever the update made
 * of it is gone by then. */
static bool is_overwritten(struct exchange *ex)
{
	struct exchange *later = ex;

	if (ex->job.operation.kind != OPERATION_UPDATE)
		return false;
	while ((later = TAILQ_NEXT(later, queue))) {
		enum operation_kind kind = later->job.operation.kind;

		if (!writes(later) || (kind != OPERATION_INDEX && kind != OPERATION_DELETE) ||
		    !may_meet(ex, later))
			continue;
		if (later->source_complete || exchange_source_is_whole(later))
			exchange_take_source(later);
		if (later->job.has_source && later->job.source.status < 300)
			return true;
	}
	return false;
}

/* What was captured since is read: who is behind need not wait for what would have come by now. */
static bool all_of_its_time_is_read(const struct exchange *ex)
{
	const struct replay *r = ex->stream->replay;

	return r->ended || (r->options->source->in_order &&
			    r->read_captured_ms - ended_at_ms(ex) >= r->options->update_wait_ms);
}

/* It may go at any moment, or wait for something in vain itself. The index may have two names. */
static bool one_that_waits_may_bring_it(const struct exchange *ex)
{
	struct exchange *other;

	TAILQ_FOREACH(other, &ex->stream->replay->waiting, link)
	if (other != ex && (!names_one(ex) || !names_one(other) ||
			    str_eq(ex->job.operation.id, other->job.operation.id)))
		return true;
	return false;
}

/* It is not read yet, or is another replayer's. Where there is no memory to read on, waiting would
 * not end. */
static bool is_still_to_come(const struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	if (r->ended || r->has_held ||
	    record_source_has_passed(r->options->source,
				     ended_at_ms(ex) + r->options->update_wait_ms))
		return false;
	r->awaits_records_ms = clock_monotonic_ms();
	return true;
}

/* NULL: it has none, or is the one that asks. */
static const struct exchange *other_with_updates(const struct stream *s, const struct exchange *ex)
{
	const struct exchange *head = TAILQ_FIRST(&s->queue);

	return head && head != ex && head->job.update_count > 0 ? head : NULL;
}

/* Once a later update of a document has found that nothing comes any more but updates that wait
 * likewise, they do not wait for what may be behind the later one itself. */
static void find_those_in_vain(struct exchange *ex)
{
	const struct stream *s;

	for (size_t i = 0; i < ex->job.update_count; i++)
		ex->job.updates[i].in_vain = false;
	TAILQ_FOREACH(s, &ex->stream->replay->streams, link)
	{
		const struct exchange *other = other_with_updates(s, ex);

		if (!other || !other->nothing_comes || ex->captured_us > ended_at_us(other))
			continue;
		for (size_t i = 0; i < ex->job.update_count; i++)
			ex->job.updates[i].in_vain |=
				updates_are_behind(&other->job, &ex->job.updates[i]);
	}
}

/* Of what is before a document's updates and never comes, the earliest gives up first: else a later
 * one would go before it, and it would be taken to be in. Those that wait need no look, which is
 * dear where bulks have thousands of updates each. */
static void find_earlier_updates(struct exchange *ex, bool may_wait)
{
	int64_t ended_us = ended_at_us(ex);
	const struct stream *s;

	for (size_t i = 0; i < ex->job.update_count; i++)
		ex->job.updates[i].follows = false;
	TAILQ_FOREACH(s, &ex->stream->replay->streams, link)
	{
		const struct exchange *other = other_with_updates(s, ex);

		if (!other || other->captured_us > ended_us)
			continue;
		for (size_t i = 0; i < ex->job.update_count; i++) {
			struct pending_update *update = &ex->job.updates[i];

			if (!update->follows && (!may_wait || update->in_vain))
				update->follows = updates_are_before(&other->job, update);
		}
	}
}

static bool may_wait_for_others(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	int64_t waited_ms;

	ex->job.is_overwritten = is_overwritten(ex);
	if (ex->job.is_overwritten)
		return false;
	if (backfill_works(r)) {
		ex->waits_ms = 0;
		return true;
	}
	waited_ms = ex->waits_ms ? clock_monotonic_ms() - ex->waits_ms : 0;
	return (waited_ms < r->options->update_wait_ms &&
		(!all_of_its_time_is_read(ex) || one_that_waits_may_bring_it(ex))) ||
	       (waited_ms < MOST_WAIT_FOR_OTHERS_MS && (order_awaited(ex) || is_still_to_come(ex)));
}

bool order_awaits_backfill(const struct exchange *ex)
{
	return backfill_works(ex->stream->replay) && (ex->is_barrier || ex->job.update_count > 0);
}

bool order_may_wait(struct exchange *ex)
{
	bool may_wait = may_wait_for_others(ex);

	ex->nothing_comes = !may_wait && !ex->job.is_overwritten;
	find_those_in_vain(ex);
	find_earlier_updates(ex, may_wait);
	return may_wait;
}

void order_look(struct replay *r)
{
	bool works = backfill_works(r);
	struct exchange *ex;

	unpark(r);
	if (r->backfill_worked && !works) {
		TAILQ_FOREACH(ex, &r->waiting, link)
		stream_rest(ex->stream, 0);
	}
	r->backfill_worked = works;
}
