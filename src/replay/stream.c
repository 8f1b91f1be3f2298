#include "replay/replay_internal.h"

#include "base/clock.h"

#include <stdlib.h>

static struct stream **bucket_of(struct replay *r, uint64_t connection)
{
	return &r->buckets[connection % STREAM_BUCKETS];
}

static struct stream *find(struct replay *r, uint64_t connection)
{
	struct stream *s = *bucket_of(r, connection);

	while (s && s->connection != connection)
		s = s->same_bucket;
	return s;
}

static void free_stream(struct stream *s)
{
	struct stream **at = bucket_of(s->replay, s->connection);

	while (*at != s)
		at = &(*at)->same_bucket;
	*at = s->same_bucket;
	TAILQ_REMOVE(&s->replay->streams, s, link);
	duration_tally_add(&s->replay->counts.times.streams, clock_monotonic_us() - s->opened_us);
	target_connection_free(s->target);
	event_free(s->timer);
	free(s);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
	struct stream *s = user;
	struct exchange *head = TAILQ_FIRST(&s->queue);

	(void)fd;
	(void)what;
	if (head)
		exchange_wake(head);
	else if (s->closed)
		free_stream(s);
}

void stream_rest(struct stream *s, int64_t ms)
{
	const struct timeval delay = {ms / 1000, ms % 1000 * 1000};

	/* Not by way of libevent's heap, of which each level is a cache miss. */
	if (ms <= 0)
		event_active(s->timer, EV_TIMEOUT, 0);
	else
		event_add(s->timer, &delay);
}

static struct stream *open_stream(struct replay *r, uint64_t connection)
{
	struct stream *s = mem_zalloc(sizeof(*s)), **bucket = bucket_of(r, connection);

	s->replay = r;
	s->connection = connection;
	s->opened_us = clock_monotonic_us();
	TAILQ_INIT(&s->queue);
	s->timer = evtimer_new(r->base, on_timer, s);
	s->same_bucket = *bucket;
	*bucket = s;
	TAILQ_INSERT_TAIL(&r->streams, s, link);
	return s;
}

static int64_t captured_at(const struct captured_transaction *t)
{
	return t->request.piece_count > 0 ? record_time_us(t->request.pieces[0].time) : 0;
}

void stream_add(struct replay *r, struct captured_transaction *t)
{
	struct stream *s = find(r, t->connection);
	struct exchange *ex = mem_zalloc(sizeof(*ex));
	int64_t earliest = 0;

	if (!s) {
		s = open_stream(r, t->connection);
		earliest = t->index > 0 ? clock_monotonic_ms() + r->options->quiescent_ms : 0;
	}
	ex->stream = s;
	ex->transaction = t;
	ex->mem = (struct arena){.limit = MIB(1024), .first = 1024};
	/* Never before what comes before it, whatever the clock did: who waits for whom has no
	 * circles then. */
	ex->captured_us = s->captured_us = MAX(captured_at(t), s->captured_us);
	ex->read_us = clock_monotonic_us();
	ex->due_ms = MAX(schedule_due(&r->schedule, ex->captured_us / 1000, ex->read_us / 1000),
			 earliest);
	t->user = ex;
	r->counts.outstanding++;
	exchange_open(ex);
	TAILQ_INSERT_TAIL(&s->queue, ex, queue);
	/* From the loop, never from within the reassembly. */
	if (TAILQ_FIRST(&s->queue) == ex)
		stream_next(s);
}

void stream_next(struct stream *s)
{
	struct exchange *head = TAILQ_FIRST(&s->queue);
	int64_t now = clock_monotonic_ms();

	if (s->replay->closing)
		return;
	if (head) {
		head->head_ms = now;
		stream_rest(s, MAX(head->due_ms - now, (int64_t)0));
	} else if (s->closed)
		stream_rest(s, 0);
}

void connection_stream_close(struct replay *r, uint64_t connection)
{
	struct stream *s = find(r, connection);

	if (!s)
		return;
	s->closed = true;
	if (TAILQ_EMPTY(&s->queue) && !r->closing)
		stream_rest(s, 0);
}

/* What is not done is not finished: a source that commits when it is closed would commit it. */
static void let_go(struct exchange *ex)
{
	captured_transaction_disown(ex->transaction);
	captured_transaction_release(ex->transaction);
	exchange_free(ex);
}

void streams_free(struct replay *r)
{
	struct exchange_list *const lists[] = {&r->unsettled, &r->written};
	struct exchange *ex;
	struct stream *s;

	while ((s = TAILQ_FIRST(&r->streams))) {
		while ((ex = TAILQ_FIRST(&s->queue))) {
			TAILQ_REMOVE(&s->queue, ex, queue);
			let_go(ex);
		}
		free_stream(s);
	}
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		while ((ex = TAILQ_FIRST(lists[i]))) {
			TAILQ_REMOVE(lists[i], ex, link);
			let_go(ex);
		}
}
