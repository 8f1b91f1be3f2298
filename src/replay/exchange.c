#include "replay/replay_internal.h"
#include "replay/spread.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_REST_MS = 100, MOST_REST_MS = 30000, MOST_WAIT_MS = 3000, MOST_AUTH_FAILURES = 20 };

#define OUTGOING_KEPT_BYTES MIB(1)

static void exchange_ended(struct exchange *ex);
static void send_next(struct exchange *ex);

static struct str identity_of(struct exchange *ex)
{
	const struct captured_transaction *t = ex->transaction;

	return arena_printf(&ex->mem, STR_FMT "/" STR_FMT ".%" PRId64, STR_ARG(t->node_id),
			    STR_ARG(t->connection_id), t->index);
}

void exchange_open(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	const struct captured_transaction *t = ex->transaction;
	const struct str identity = r->rules.source_versions ? identity_of(ex) : STR_NONE;
	struct err err = {0};

	if (job_open(&ex->job, &r->rules, &r->counts.job, exchange_request(ex), identity, &ex->mem,
		     &err) < 0) {
		ex->skipped = arena_printf(&ex->mem, "%s", err.message).ptr;
		return;
	}
	ex->has_job = true;
	ex->writes = ex->job.operation.kind != OPERATION_READ &&
		     ex->job.operation.kind != OPERATION_CURSOR;
	if (r->options->filter &&
	    !filter_takes(r->options->filter, ex->job.out.captured.method,
			  ex->job.out.captured.target, t->connection_id, t->index)) {
		ex->skipped = "filtered";
		ex->silent = true;
		r->counts.requests_filtered++;
	}
	order_add(ex);
}

void exchange_free(struct exchange *ex)
{
	exchange_forget_bodies(ex);
	free(ex);
}

/* --- Sending --- */

/* Whenever one that was called does not go out after all, too: those behind it would wait forever.
 */
static void call_ready(struct replay *r)
{
	struct exchange *ex = TAILQ_FIRST(&r->ready);

	if (!ex || r->counts.in_flight >= r->options->most_requests)
		return;
	TAILQ_REMOVE(&r->ready, ex, link);
	ex->state = EXCHANGE_QUEUED;
	stream_rest(ex->stream, 0);
}

static void leave_flight(struct replay *r)
{
	r->counts.in_flight--;
	call_ready(r);
}

/* Most have one. */
static struct tuple_part *next_part(struct exchange *ex)
{
	bool only = ex->answers == &ex->only_answer;
	struct tuple_part *many = NULL;

	if (ex->answer_count == 0)
		ex->answers = &ex->only_answer;
	else if (only && (many = arena_zalloc(&ex->mem, JOB_ATTEMPTS_MOST, sizeof(*many)))) {
		many[0] = ex->only_answer;
		ex->answers = many;
	}
	if (ex->answer_count == (ex->answers == &ex->only_answer ? 1 : JOB_ATTEMPTS_MOST))
		free((void *)(uintptr_t)ex->answers[--ex->answer_count].bytes.ptr);
	return &ex->answers[ex->answer_count++];
}

static void add_answer(struct exchange *ex, const struct target_answer *answer)
{
	struct tuple_part *part = next_part(ex);

	*part = (struct tuple_part){0};
	part->response_ms = answer->elapsed_ms;
	part->first_byte_us = answer->first_byte_us;
	part->last_byte_us = answer->last_byte_us;
	if (answer->status == 0) {
		part->failure = arena_printf(&ex->mem, "%s", answer->message).ptr;
		ex->errors++;
	} else {
		part->bytes = str_of(str_dup(answer->bytes), answer->bytes.len);
	}
}

static void replace_last_answer(struct exchange *ex, struct str bytes)
{
	struct tuple_part *part;

	if (!bytes.ptr || ex->answer_count == 0)
		return;
	part = &ex->answers[ex->answer_count - 1];
	free((void *)(uintptr_t)part->bytes.ptr);
	part->bytes = str_of(str_dup(bytes), bytes.len);
}

static void rest(struct exchange *ex, bool probe)
{
	int64_t ms = FIRST_REST_MS, most = probe || ex->job.refused ? MOST_WAIT_MS : MOST_REST_MS;
	unsigned rests = probe ? MAX(ex->job.probes, 1U) - 1 : ex->rests;

	for (unsigned i = 0; i < rests && ms < most; i++)
		ms *= 2;
	ex->rests += !probe;
	ex->state = EXCHANGE_RESTING;
	if (probe)
		order_wait(ex);
	stream_rest(ex->stream, MIN(ms, most));
}

static void watch_auth(struct exchange *ex, int status)
{
	struct replay *r = ex->stream->replay;
	struct err err;

	if (status != 401 && status != 403) {
		r->auth_failures = 0;
		return;
	}
	r->counts.auth_failures++;
	if (!r->options->stop_on_auth_failure ||
	    (ex->job.has_source && ex->job.source.status == status) ||
	    ++r->auth_failures < MOST_AUTH_FAILURES)
		return;
	err_set(&err, ERR_AUTH,
		"the target answered %d to %d requests in a row; give it credentials it takes "
		"(--target-username, --target-api-key, --sigv4-auth-header-service-region), or "
		"--no-stop-on-auth-failure",
		status, MOST_AUTH_FAILURES);
	replay_fail(r, &err);
}

/* True: the run ends, so that what is not written is replayed by the next. */
static bool fails_after(struct exchange *ex, const char *why)
{
	struct replay *r = ex->stream->replay;
	int64_t now = clock_monotonic_ms();
	struct err err;

	if (ex->first_failure_ms == 0)
		ex->first_failure_ms = now;
	if (now - ex->first_failure_ms <= r->options->retry_ms)
		return false;
	err_set(&err, ERR_UNREACHABLE,
		"the target at %s: %s; what is not done is replayed by the next run",
		r->options->target.host, why);
	replay_fail(r, &err);
	return true;
}

/* That a question is answered does not say that what was refused would be. */
static bool is_refused_too_long(struct exchange *ex, int status, bool probe)
{
	char why[120];

	if (!probe)
		ex->is_refused = ex->job.refused;
	if (!ex->job.refused) {
		if (!ex->is_refused)
			ex->first_failure_ms = 0;
		return false;
	}
	snprintf(why, sizeof(why),
		 status == 401 ? "it answers %d to some of what the source took (see "
				 "--no-stop-on-auth-failure)"
		 : status      ? "it answers %d, or so in bulks, all the time"
			       : "it does not answer, or ends connections before it has",
		 status);
	return fails_after(ex, why);
}

static void decide(struct exchange *ex, int status, struct str bytes)
{
	bool probe = ex->job.probing;
	enum job_verdict verdict;

	/* Reads did not wait for it: what the source refused, too, needs no second try. */
	if (!probe && !ex->job.has_source &&
	    (ex->source_complete || (status >= 300 && exchange_source_is_whole(ex))))
		exchange_take_source(ex);
	verdict = job_decide(&ex->job, status, bytes, ex->source_complete);
	if (is_refused_too_long(ex, status, probe))
		return;
	switch (verdict) {
	case JOB_FINAL:
		if (!probe || ex->job.bulk)
			replace_last_answer(ex, job_stitched(&ex->job, bytes));
		if (probe && ex->answer_count == 0)
			ex->skipped = ex->job.is_lost ? "there is nothing to update"
						      : "the target has it already";
		exchange_ended(ex);
		break;
	case JOB_NEXT:
		ex->state = EXCHANGE_QUEUED;
		stream_rest(ex->stream, 0);
		break;
	case JOB_AGAIN:
		rest(ex, probe && !ex->job.refused && !ex->job.refresh.ptr);
		break;
	case JOB_ASK_SOURCE:
		ex->state = EXCHANGE_DECIDING;
		ex->stream->replay->may_await_source = true;
		break;
	}
}

/* Nothing was sent, so nothing counts but that the target is not there. */
static void not_connected(struct exchange *ex, const struct target_answer *answer)
{
	ex->stream->replay->counts.connect_failures++;
	if (fails_after(ex, answer->message))
		return;
	job_not_sent(&ex->job);
	rest(ex, false);
}

static void on_answer(void *user, const struct target_answer *answer)
{
	struct exchange *ex = user;
	struct replay *r = ex->stream->replay;
	bool probe = ex->job.probing;

	leave_flight(r);
	if (answer->status == 0 && answer->never_sent) {
		not_connected(ex, answer);
		return;
	}
	if (!probe)
		add_answer(ex, answer);
	watch_auth(ex, answer->status);
	decide(ex, answer->status, answer->bytes);
}

static void count_answered(struct exchange *ex)
{
	struct duration_tally *tally = &ex->stream->replay->counts.times.target_transactions;

	duration_tally_add(tally, clock_monotonic_us() - ex->first_sent_us);
	if (ex->job.last_status == 0) {
		tally->failed++;
		ex->stream->replay->counts.given_up++;
	}
}

static void exchange_ended(struct exchange *ex)
{
	struct stream *s = ex->stream;
	struct replay *r = s->replay;

	TAILQ_REMOVE(&s->queue, ex, queue);
	r->counts.outstanding--;
	r->counts.answered += ex->answer_count > 0;
	if (ex->answer_count > 0)
		count_answered(ex);
	r->counts.requests_skipped += ex->skipped && !ex->silent && ex->answer_count == 0;
	order_remove(ex);
	if (ex->source_complete) {
		exchange_settle(ex);
	} else {
		ex->state = EXCHANGE_ANSWERED;
		TAILQ_INSERT_TAIL(&r->unsettled, ex, link);
	}
	stream_next(s);
}

static bool plan(struct exchange *ex)
{
	struct err err = {0};
	int got;

	ex->planned = true;
	got = job_plan(&ex->job, &ex->skipped, &err);
	if (got < 0)
		ex->skipped = arena_printf(&ex->mem, "%s", err.message).ptr;
	return got > 0;
}

/* True: it rests until its turn, which it keeps. */
static bool is_held_back(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	double now = (double)clock_monotonic_ms();

	if (r->options->most_per_second <= 0)
		return false;
	if (ex->slot_ms == 0) {
		ex->slot_ms = MAX(now, r->next_slot_ms);
		r->next_slot_ms = ex->slot_ms + 1000 / r->options->most_per_second;
	}
	if (ex->slot_ms >= now + 1) {
		ex->state = EXCHANGE_RESTING;
		stream_rest(ex->stream, (int64_t)(ex->slot_ms - now));
		return true;
	}
	ex->slot_ms = 0;
	return false;
}

/* For the tuple. Not in mem, which would keep each of hundreds of sends. */
static void keep_sent(struct exchange *ex, struct str bytes)
{
	if (!wants_tuples(ex->stream->replay->options))
		return;
	free((void *)(uintptr_t)ex->sent.ptr);
	ex->sent = str_of(str_dup(bytes), bytes.len);
}

/* Only the first time; what is sent again goes at once. */
static size_t spread(const struct exchange *ex, struct str bytes, struct target_part *parts)
{
	const struct replay *r = ex->stream->replay;

	if (r->options->no_spread || ex->job.probing || ex->answer_count > 0 ||
	    ex->transaction->request.piece_count < 2)
		return 0;
	return spread_parts(&ex->transaction->request, bytes.len,
			    str_ends(bytes, ex->job.out.captured.framed), r->options->speedup,
			    ex->due_ms, clock_monotonic_ms(), parts);
}

/* The first time something of it goes out. */
static void count_first_sent(struct exchange *ex, const struct target_request *request)
{
	struct replay_times *times = &ex->stream->replay->counts.times;
	const struct outgoing *out = &ex->job.out;

	ex->first_sent_us = clock_monotonic_us();
	duration_tally_add(&times->scheduled, ex->first_sent_us - ex->read_us);
	times->sent_bytes += request->bytes.len;
	times->body_bytes += out->body_changed ? out->body.len : out->captured.framed.len;
	times->parts += MAX(request->part_count, (size_t)1);
}

static void hand_over(struct exchange *ex, struct str bytes)
{
	struct target_part parts[SPREAD_PARTS_MOST];
	const struct target_request request = {
		.bytes = bytes,
		.head_only = ex->job.head_only && !ex->job.probing,
		.parts = parts,
		.part_count = spread(ex, bytes, parts),
	};

	if (ex->first_sent_us == 0)
		count_first_sent(ex, &request);
	target_connection_send(ex->stream->target, &request, on_answer, ex);
}

static void send_next(struct exchange *ex)
{
	struct stream *s = ex->stream;
	struct replay *r = s->replay;
	struct buf *bytes = &r->outgoing;
	struct err err = {0};

	order_wake(ex);
	if (r->counts.in_flight >= r->options->most_requests) {
		ex->state = EXCHANGE_READY;
		TAILQ_INSERT_TAIL(&r->ready, ex, link);
		return;
	}
	if (is_held_back(ex)) {
		call_ready(r);
		return;
	}
	buf_reset(bytes);
	if (job_write(&ex->job, bytes, &err) < 0) {
		if (err.kind == ERR_AUTH) {
			replay_fail(r, &err);
			return;
		}
		ex->skipped = arena_printf(&ex->mem, "%s", err.message).ptr;
		exchange_ended(ex);
		call_ready(r);
		return;
	}
	if (!s->target)
		s->target = target_connection_new(r->target);
	if (ex->job.probing)
		ex->job.may_wait = order_may_wait(ex);
	else
		keep_sent(ex, buf_str(bytes));
	ex->state = EXCHANGE_SENDING;
	r->counts.in_flight++;
	r->counts.schedule_lag_ms = clock_monotonic_ms() - ex->due_ms;
	r->counts.source_lag_ms = clock_wall_ms() - ex->captured_us / 1000;
	hand_over(ex, buf_str(bytes));
	if (bytes->capacity > OUTGOING_KEPT_BYTES)
		buf_release(bytes);
}

/* It is the head of its stream and due. */
static void exchange_start(struct exchange *ex)
{
	if (ex->skipped && !ex->planned) {
		exchange_ended(ex);
		return;
	}
	if (!ex->planned && job_needs_source(&ex->job)) {
		if (ex->source_complete || exchange_source_is_whole(ex))
			exchange_take_source(ex);
		if (!ex->job.has_source && !ex->source_complete) {
			ex->state = EXCHANGE_SOURCE;
			ex->stream->replay->may_await_source = true;
			return;
		}
	}
	if (order_parks(ex)) {
		call_ready(ex->stream->replay);
		return;
	}
	if (!ex->planned && !plan(ex)) {
		exchange_ended(ex);
		return;
	}
	send_next(ex);
}

void exchange_wake(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	if (r->stopping && ex->state != EXCHANGE_DECIDING)
		return;
	switch (ex->state) {
	case EXCHANGE_QUEUED:
	case EXCHANGE_SOURCE:
		exchange_start(ex);
		break;
	case EXCHANGE_RESTING:
		send_next(ex);
		break;
	case EXCHANGE_DECIDING:
		decide(ex, ex->job.deciding_status, STR_NONE);
		break;
	case EXCHANGE_PARKED:
	case EXCHANGE_READY:
	case EXCHANGE_SENDING:
	case EXCHANGE_ANSWERED:
	case EXCHANGE_WRITTEN:
		break;
	}
}
