#include "replay/cursors.h"
#include "replay/deletes.h"
#include "replay/replay_internal.h"

#include "base/clock.h"
#include "net/event_loop.h"

#include <stdlib.h>

enum {
	PUMP_RECORDS = 64,
	TICK_MS = 20,
	REPORT_MS = 1000,
	COMMIT_MS = 1000,
	AWAITS_RECORDS_MS = 5000
};

static void arm(struct event *event, int64_t ms)
{
	const struct timeval delay = {ms / 1000, ms % 1000 * 1000};

	event_add(event, &delay);
}

void replay_fail(struct replay *r, const struct err *err)
{
	if (r->failed.kind == ERR_NONE)
		r->failed = *err;
	event_base_loopbreak(r->base);
}

/* --- What the reassembly tells --- */

static void count_message(struct duration_tally *tally, const struct captured_message *message)
{
	const struct captured_piece *pieces = message->pieces;

	if (message->piece_count > 0)
		duration_tally_add(tally, record_time_us(pieces[message->piece_count - 1].time) -
						  record_time_us(pieces[0].time));
}

static void on_request(void *user, struct captured_transaction *t)
{
	struct replay *r = user;

	r->counts.requests++;
	r->counts.times.request_bytes += t->request.len;
	r->counts.times.pieces += t->request.piece_count;
	count_message(&r->counts.times.requests, &t->request);
	stream_add(r, t);
}

static void on_response(void *user, struct captured_transaction *t)
{
	struct replay *r = user;

	count_message(&r->counts.times.responses, &t->response);
	exchange_source_complete(t->user);
}

static void on_closed(void *user, uint64_t connection, struct str connection_id)
{
	(void)connection_id;
	connection_stream_close(user, connection);
}

static void on_finished(void *user, struct record_position position, int64_t added_us)
{
	struct replay *r = user;

	duration_tally_add(&r->counts.times.records, clock_monotonic_us() - added_us);
	record_source_finish(r->options->source, position);
}

static void on_set_aside(void *user, struct record_position position, const char *reason)
{
	struct replay *r = user;

	r->counts.records_set_aside++;
	if (r->options->set_aside)
		r->options->set_aside(r->options->user, position, reason);
}

static void on_dropped(void *user, struct str connection_id, int64_t index, const char *reason)
{
	struct replay *r = user;

	(void)connection_id;
	(void)index;
	(void)reason;
	r->counts.requests_dropped++;
}

/* --- Reading --- */

/* All may wait for one whose captured response is not read yet, or for what comes before it; the
 * reassembly bounds the bytes. */
static bool too_many_outstanding(const struct replay *r)
{
	bool awaits_more = r->awaits_source ||
			   (r->awaits_records_ms > 0 &&
			    clock_monotonic_ms() - r->awaits_records_ms < AWAITS_RECORDS_MS);

	return r->counts.outstanding >= MAX(r->options->most_requests * 4, (size_t)1000) &&
	       !(awaits_more && r->counts.in_flight == 0);
}

static bool may_read(struct replay *r)
{
	const struct replay_options *o = r->options;

	return !r->ended && !r->stopping && !(o->sink && tuple_sink_is_full(o->sink)) &&
	       !too_many_outstanding(r) &&
	       schedule_may_read(&r->schedule, r->read_captured_ms, clock_monotonic_ms());
}

static void keep_item(struct replay *r, const struct record_item *item)
{
	buf_reset(&r->held_bytes);
	buf_append_str(&r->held_bytes, item->key);
	buf_append_str(&r->held_bytes, item->bytes);
	r->held = *item;
	r->held.key = str_of(r->held_bytes.ptr, item->key.len);
	r->held.bytes = str_from_offset(buf_str(&r->held_bytes), item->key.len);
	r->has_held = true;
}

/* True: it went in. */
static bool add_item(struct replay *r, const struct record_item *item)
{
	struct reassembly_state state;
	struct err err = {0};

	if (reassembly_add(r->reassembly, item, r->heard_ms, &err) < 0) {
		if (!r->has_held)
			keep_item(r, item);
		return false;
	}
	reassembly_state(r->reassembly, &state);
	r->read_captured_ms = state.captured_ms;
	r->has_held = false;
	return true;
}

static void source_ended(struct replay *r)
{
	r->ended = true;
	r->counts.caught_up = true;
	reassembly_end(r->reassembly, true);
}

static bool read_one(struct replay *r)
{
	struct record_item item;
	struct err err = {0};
	int64_t began_us;
	int got;

	if (r->has_held)
		return add_item(r, &r->held);
	began_us = clock_monotonic_us();
	got = record_source_next(r->options->source, 0, &item, &err);
	if (got == RECORD_SOURCE_ITEM) {
		duration_tally_add(&r->counts.times.reading, clock_monotonic_us() - began_us);
		r->counts.records_read++;
		r->counts.bytes_read += item.bytes.len;
		r->counts.next_offset = item.position.offset + 1;
		r->counts.caught_up = false;
		return add_item(r, &item);
	}
	if (got == RECORD_SOURCE_END) {
		source_ended(r);
	} else if (got == RECORD_SOURCE_REVOKED) {
		replay_leave(r, item.position.partition);
		return true;
	} else if (got == RECORD_SOURCE_NOTHING_YET) {
		r->counts.caught_up = true;
	} else if (err.kind == ERR_FORMAT && item.position.offset != RECORD_NOWHERE) {
		on_set_aside(r, item.position, err.message);
		record_source_finish(r->options->source, item.position);
		return true;
	} else {
		replay_fail(r, &err);
	}
	return false;
}

static void watch_reading(struct replay *r)
{
	bool blocked = !r->ended && !r->stopping && (r->has_held || !may_read(r));

	if (blocked == (r->blocked_us != 0))
		return;
	if (!blocked)
		duration_tally_add(&r->counts.times.blocked, clock_monotonic_us() - r->blocked_us);
	r->blocked_us = blocked ? clock_monotonic_us() : 0;
}

static void on_pump(evutil_socket_t fd, short what, void *user)
{
	struct replay *r = user;
	int left = PUMP_RECORDS;

	(void)fd;
	(void)what;
	while (left > 0 && may_read(r) && read_one(r))
		left--;
	watch_reading(r);
	if (!r->ended && !r->stopping)
		arm(r->pump, left == 0 ? 0 : TICK_MS);
}

/* --- Tuples and commits --- */

static void replay_release_durable(struct replay *r)
{
	struct exchange *ex;
	uint64_t durable = UINT64_MAX;
	int64_t now_us = 0;
	struct err err = {0};

	if (r->options->sink && tuple_sink_durable(r->options->sink, &durable, &err) < 0)
		replay_fail(r, &err);
	if (r->options->sink)
		r->counts.tuples_durable = durable;
	if (!TAILQ_EMPTY(&r->written))
		now_us = clock_monotonic_us();
	while ((ex = TAILQ_FIRST(&r->written)) && ex->tuple <= durable) {
		TAILQ_REMOVE(&r->written, ex, link);
		duration_tally_add(&r->counts.times.transactions, now_us - ex->read_us);
		captured_transaction_release(ex->transaction);
		exchange_free(ex);
	}
}

static void commit(struct replay *r)
{
	struct duration_tally *tally = &r->counts.times.commits;
	int64_t began_us = clock_monotonic_us();
	struct err err = {0};

	if (record_source_commit(r->options->source, &err) < 0) {
		replay_fail(r, &err);
		tally->failed++;
	}
	duration_tally_add(tally, clock_monotonic_us() - began_us);
}

static void fill_counts(struct replay *r)
{
	struct reassembly_state state;

	reassembly_state(r->reassembly, &state);
	r->counts.connections = state.connections;
	r->counts.captured_bytes = state.bytes;
	r->counts.target = *target_counts(r->target);
	r->counts.target_connections = r->counts.target.opened - r->counts.target.closed;
	replay_describe_wait(r);
}

static bool is_over(const struct replay *r)
{
	if (r->ended && r->counts.outstanding == 0 && TAILQ_EMPTY(&r->unsettled) &&
	    TAILQ_EMPTY(&r->written))
		return true;
	return r->stopping && (r->counts.in_flight == 0 || clock_monotonic_ms() >= r->grace_end_ms);
}

/* The wall clock of the reassembly runs only while there is nothing to read: a pause of ours is no
 * silence of the source. */
static void listen_on(struct replay *r, int64_t now)
{
	if (r->counts.caught_up || r->has_held)
		r->heard_ms += now - r->ticked_ms;
	r->ticked_ms = now;
	if (!r->ended)
		reassembly_tick(r->reassembly, r->heard_ms);
}

static void begin_stop(struct replay *r)
{
	if (r->stopping || !r->options->stop || !atomic_load(r->options->stop))
		return;
	r->stopping = true;
	r->grace_end_ms = clock_monotonic_ms() + r->options->grace_ms;
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
	struct replay *r = user;
	int64_t now = clock_monotonic_ms();

	(void)fd;
	(void)what;
	begin_stop(r);
	listen_on(r, now);
	order_look(r);
	exchanges_look_for_sources(r);
	replay_release_durable(r);
	replay_look_at_leaving(r);
	if (r->ended && r->counts.outstanding == 0 && r->options->sink)
		tuple_sink_flush(r->options->sink);
	if (now - r->committed_ms >= COMMIT_MS) {
		r->committed_ms = now;
		commit(r);
	}
	if (now - r->reported_ms >= REPORT_MS) {
		r->reported_ms = now;
		fill_counts(r);
		if (r->options->report)
			r->options->report(r->options->user, &r->counts);
	}
	if (is_over(r))
		event_base_loopbreak(r->base);
	else
		arm(r->tick, TICK_MS);
}

/* --- From beginning to end --- */

static void close_tuples(struct replay *r)
{
	int64_t until = clock_monotonic_ms() + r->options->grace_ms;

	if (!r->options->sink)
		return;
	while (!TAILQ_EMPTY(&r->written) && r->failed.kind == ERR_NONE &&
	       clock_monotonic_ms() < until) {
		const struct timespec wait = {.tv_nsec = 5000000};

		tuple_sink_flush(r->options->sink);
		nanosleep(&wait, NULL);
		replay_release_durable(r);
	}
}

static int open_all(struct replay *r, struct err *err)
{
	const struct replay_options *o = r->options;
	const struct reassembly_options limits = {.settle_ms = o->settle_ms,
						  .silent_ms = o->silent_ms,
						  .reorder_ms = 30000,
						  .connection_bytes = MIB(128),
						  .total_bytes = o->lookahead_bytes,
						  .connections = 100000};
	const struct reassembly_handler handler = {.request = on_request,
						   .response = on_response,
						   .closed = on_closed,
						   .finished = on_finished,
						   .set_aside = on_set_aside,
						   .dropped = on_dropped,
						   .user = r};

	if (event_loop_new(&r->base, err) < 0 ||
	    target_new(r->base, &o->target, &r->target, err) < 0)
		return -(int)err->kind;
	r->rules = o->rules;
	r->rules.cursors = cursors_new();
	r->rules.waits_for_credentials = o->stop_on_auth_failure;
	r->rules.deletes = o->rules.source_versions ? deletes_new() : NULL;
	r->rules.outgoing.host = target_host(r->target);
	r->rules.outgoing.prefix = target_url(r->target)->path;
	r->reassembly = reassembly_new(&limits, &handler);
	r->pump = evtimer_new(r->base, on_pump, r);
	r->tick = evtimer_new(r->base, on_tick, r);
	return 0;
}

static void close_all(struct replay *r)
{
	r->closing = true;
	if (r->reassembly)
		reassembly_end(r->reassembly, r->ended && r->failed.kind == ERR_NONE);
	replay_release_durable(r);
	if (r->reassembly && r->failed.kind != ERR_IO)
		commit(r);
	streams_free(r);
	reassembly_free(r->reassembly);
	if (r->pump)
		event_free(r->pump);
	if (r->tick)
		event_free(r->tick);
	cursors_free(r->rules.cursors);
	deletes_free(r->rules.deletes);
	target_free(r->target);
	buf_release(&r->held_bytes);
	buf_release(&r->line);
	buf_release(&r->outgoing);
	buf_release(&r->leaving);
	arena_release(&r->scratch);
	/* What connections that were freed have still deferred keeps their memory. */
	if (r->base) {
		event_base_loop(r->base, EVLOOP_NONBLOCK);
		event_base_free(r->base);
	}
}

int replay_run(const struct replay_options *options, struct replay_counts *counts, struct err *err)
{
	struct replay r = {.options = options,
			   .schedule = {.speedup = options->speedup,
					.window_ms = options->lookahead_ms,
					.gap_ms = options->gap_ms},
			   .counts.next_offset = options->first_offset,
			   .held_bytes = BUF_INIT(RECORD_LIMIT_DECODED + 1024),
			   .line = BUF_INIT(MIB(1024)),
			   .outgoing = BUF_INIT(MIB(1024)),
			   .leaving = BUF_INIT(MIB(1)),
			   .scratch = ARENA_INIT(MIB(1024))};
	int got;

	TAILQ_INIT(&r.streams);
	TAILQ_INIT(&r.ready);
	TAILQ_INIT(&r.parked);
	TAILQ_INIT(&r.waiting);
	TAILQ_INIT(&r.barriers);
	TAILQ_INIT(&r.unsettled);
	TAILQ_INIT(&r.written);
	r.ticked_ms = r.heard_ms = clock_monotonic_ms();
	got = open_all(&r, err);
	if (got == 0) {
		arm(r.pump, 0);
		arm(r.tick, TICK_MS);
		event_base_dispatch(r.base);
		close_tuples(&r);
		fill_counts(&r);
	}
	close_all(&r);
	if (got == 0 && options->report)
		options->report(options->user, &r.counts);
	*counts = r.counts;
	if (got < 0)
		return got;
	if (r.failed.kind) {
		*err = r.failed;
		return -(int)err->kind;
	}
	if (r.ended && r.counts.outstanding == 0)
		return 0;
	return err_set(err, ERR_CANCELLED,
		       "stopped; what was not committed is replayed by the next run with the same "
		       "--group");
}
