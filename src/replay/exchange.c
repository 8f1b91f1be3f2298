#include "replay/replay_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FIRST_REST_MS = 100, MOST_REST_MS = 30000, MOST_AUTH_FAILURES = 20 };

static void exchange_ended(struct exchange *ex);
static void send_next(struct exchange *ex);

static struct str identity_of(struct exchange *ex)
{
	const struct captured_transaction *t = ex->transaction;

	return arena_printf(&ex->mem, STR_FMT "/" STR_FMT ".%" PRId64, STR_ARG(t->node_id),
			    STR_ARG(t->connection_id), t->index);
}

static struct str request_bytes(const struct exchange *ex)
{
	return str_of(ex->transaction->request.bytes, ex->transaction->request.len);
}

void exchange_open(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	const struct captured_transaction *t = ex->transaction;
	struct err err = {0};

	if (job_open(&ex->job, &r->rules, &r->counts.job, request_bytes(ex), identity_of(ex),
		     &ex->mem, &err) < 0) {
		ex->skipped = arena_printf(&ex->mem, "%s", err.message).ptr;
		return;
	}
	ex->has_job = true;
	ex->updates = ex->job.operation.kind == OPERATION_UPDATE ||
		      (ex->job.operation.kind == OPERATION_BULK &&
		       (ex->job.out.captured.coding.len > 0 ||
			memmem(ex->job.out.body.ptr, ex->job.out.body.len, "\"update\"", 8)));
	if (r->options->filter &&
	    !filter_takes(r->options->filter, ex->job.out.captured.method,
			  ex->job.out.captured.target, t->connection_id, t->index)) {
		ex->skipped = "filtered";
		ex->silent = true;
		r->counts.requests_filtered++;
	}
}

static void forget_bodies(struct exchange *ex)
{
	for (size_t i = 0; i < ex->answer_count; i++)
		free((void *)(uintptr_t)ex->answers[i].bytes.ptr);
	ex->answer_count = 0;
	arena_release(&ex->mem);
}

void exchange_free(struct exchange *ex)
{
	forget_bodies(ex);
	free(ex);
}

/* --- The captured response --- */

static void take_source(struct exchange *ex)
{
	const struct captured_message *response = &ex->transaction->response;

	if (ex->has_job && !ex->job.has_source)
		job_source(&ex->job, arena_str(&ex->mem, str_of(response->bytes, response->len)));
}

static bool writes(const struct exchange *ex)
{
	return ex->has_job && !ex->skipped && ex->job.operation.kind != OPERATION_READ &&
	       ex->job.operation.kind != OPERATION_CURSOR;
}

static void write_tuple(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	const struct captured_transaction *t = ex->transaction;
	const struct captured_message *request = &t->request, *response = &t->response;
	struct tuple tuple = {
		.source_request.bytes = request_bytes(ex),
		.source_response.bytes = str_of(response->bytes, response->len),
		.target_request.bytes = ex->sent,
		.target_responses = ex->answers,
		.target_response_count = ex->answer_count,
		.errors = ex->errors,
		.connection_id = t->connection_id,
		.index = t->index,
		.error = ex->answer_count == 0 ? ex->skipped : NULL,
		.keep_auth = r->options->keep_auth,
	};

	if (response->piece_count > 0 && request->piece_count > 0)
		tuple.source_response.response_ms =
			record_time_ms(response->pieces[response->piece_count - 1].time) -
			record_time_ms(request->pieces[request->piece_count - 1].time);
	buf_reset(&r->line);
	tuple_write(&r->line, &tuple, &r->scratch);
	arena_reset(&r->scratch);
	ex->tuple = tuple_sink_append(r->options->sink, buf_str(&r->line));
	r->counts.tuples++;
}

static void compare_statuses(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	if (ex->answer_count == 0 || !ex->job.has_source)
		return;
	if (ex->job.last_status == ex->job.source.status)
		r->counts.statuses_equal++;
	else
		r->counts.statuses_different++;
}

/* Both answers are there: nothing but the tuple's durability is waited for. */
static void settle(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	take_source(ex);
	if (ex->has_job)
		compare_statuses(ex);
	ex->state = EXCHANGE_WRITTEN;
	ex->tuple = 0;
	if (r->options->sink && !ex->silent)
		write_tuple(ex);
	/* Durable is only what a minute may fill: all that is in the tuple would pile up. */
	forget_bodies(ex);
	TAILQ_INSERT_TAIL(&r->written, ex, link);
}

void exchange_source_complete(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	ex->source_complete = true;
	if (ex->transaction->end == CAPTURED_DROPPED && !ex->planned && !ex->skipped)
		ex->skipped = "the source never got it";
	if (r->closing) {
		if (ex->state == EXCHANGE_ANSWERED && ex->transaction->end != CAPTURED_CUT) {
			TAILQ_REMOVE(&r->unsettled, ex, link);
			settle(ex);
		}
		return;
	}
	if (ex->state == EXCHANGE_ANSWERED) {
		TAILQ_REMOVE(&r->unsettled, ex, link);
		settle(ex);
	} else if (ex->state == EXCHANGE_SOURCE || ex->state == EXCHANGE_DECIDING) {
		stream_rest(ex->stream, 0);
	}
}

/* The whole response may be there long before the connection tells that it was all. */
static bool source_is_whole(struct exchange *ex)
{
	const struct captured_message *response = &ex->transaction->response;
	struct http_message message;
	struct arena scratch = ARENA_INIT(MIB(256));
	struct err err;
	bool whole;

	if (response->len == ex->seen)
		return false;
	ex->seen = response->len;
	whole = http_response_parse(str_of(response->bytes, response->len), ex->job.head_only,
				    &scratch, &message, &err) == 0 &&
		(message.chunked || http_message_field(&message, "content-length").ptr);
	arena_release(&scratch);
	return whole;
}

void exchanges_look_for_sources(struct replay *r)
{
	struct stream *s;

	r->awaits_source = false;
	TAILQ_FOREACH(s, &r->streams, link)
	{
		struct exchange *ex = TAILQ_FIRST(&s->queue);

		if (!ex || !ex->has_job ||
		    (ex->state != EXCHANGE_SOURCE && ex->state != EXCHANGE_DECIDING))
			continue;
		if (source_is_whole(ex)) {
			take_source(ex);
			stream_rest(s, 0);
		} else {
			r->awaits_source = true;
		}
	}
}

/* --- Barriers --- */

static bool is_before(const struct exchange *a, const struct exchange *b)
{
	return a->captured_ms < b->captured_ms;
}

/* No write that was captured before it is on its way or waits. */
static bool barrier_is_free(struct replay *r)
{
	struct stream *s;

	TAILQ_FOREACH(s, &r->streams, link)
	{
		struct exchange *ex;

		TAILQ_FOREACH(ex, &s->queue, queue)
		if (ex != r->barrier && writes(ex) &&
		    (is_before(ex, r->barrier) || ex->state == EXCHANGE_SENDING ||
		     ex->state == EXCHANGE_RESTING))
			return false;
	}
	return true;
}

static void unpark(struct replay *r)
{
	struct exchange *ex, *next;

	for (ex = TAILQ_FIRST(&r->parked); ex; ex = next) {
		next = TAILQ_NEXT(ex, link);
		if (r->barrier && (ex != r->barrier || !barrier_is_free(r)))
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

	if (!a->updates && !b->updates)
		return false;
	if (names_one(a) && names_one(b))
		return str_eq(x->index, y->index) && str_eq(x->id, y->id);
	return true;
}

/* An update and another write of its document go out in the order they were captured in. */
static bool follows_another(struct exchange *ex)
{
	struct stream *s;

	TAILQ_FOREACH(s, &ex->stream->replay->streams, link)
	{
		struct exchange *other;

		if (s == ex->stream)
			continue;
		TAILQ_FOREACH(other, &s->queue, queue)
		if (is_before(other, ex) && writes(other) && may_meet(other, ex))
			return true;
	}
	return false;
}

/* True: it waits now. */
static bool park(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	bool by_query = ex->job.operation.kind == OPERATION_BY_QUERY;

	if (!r->rules.source_versions || !writes(ex))
		return false;
	if (follows_another(ex)) {
		ex->state = EXCHANGE_PARKED;
		TAILQ_INSERT_TAIL(&r->parked, ex, link);
		return true;
	}
	if (by_query && !r->barrier)
		r->barrier = ex;
	if (!r->barrier)
		return false;
	if (ex == r->barrier ? barrier_is_free(r) : is_before(ex, r->barrier))
		return false;
	ex->state = EXCHANGE_PARKED;
	TAILQ_INSERT_TAIL(&r->parked, ex, link);
	return true;
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

static void add_answer(struct exchange *ex, const struct target_answer *answer)
{
	struct tuple_part *part;

	if (ex->answer_count == COUNT_OF(ex->answers))
		return;
	part = &ex->answers[ex->answer_count++];
	part->response_ms = answer->elapsed_ms;
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
	int64_t ms = FIRST_REST_MS;
	unsigned rests = probe ? MAX(ex->job.probes, 1U) - 1 : ex->rests;

	for (unsigned i = 0; i < rests && ms < MOST_REST_MS; i++)
		ms *= 2;
	ex->rests += !probe;
	ex->state = EXCHANGE_RESTING;
	stream_rest(ex->stream, MIN(ms, (int64_t)MOST_REST_MS));
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

static void decide(struct exchange *ex, int status, struct str bytes)
{
	bool probe = ex->job.probing;

	switch (job_decide(&ex->job, status, bytes, ex->source_complete)) {
	case JOB_FINAL:
		if (!probe || ex->job.bulk)
			replace_last_answer(ex, job_stitched(&ex->job, bytes));
		if (probe && ex->answer_count == 0)
			ex->skipped = "the target has it already";
		exchange_ended(ex);
		break;
	case JOB_NEXT:
		ex->state = EXCHANGE_QUEUED;
		stream_rest(ex->stream, 0);
		break;
	case JOB_AGAIN:
		rest(ex, probe);
		break;
	case JOB_ASK_SOURCE:
		ex->state = EXCHANGE_DECIDING;
		break;
	}
}

/* Nothing was sent, so nothing counts but that the target is not there. */
static void not_connected(struct exchange *ex, const struct target_answer *answer)
{
	struct replay *r = ex->stream->replay;
	int64_t now = clock_monotonic_ms();
	struct err err;

	r->counts.connect_failures++;
	if (ex->first_failure_ms == 0)
		ex->first_failure_ms = now;
	if (now - ex->first_failure_ms > r->options->retry_ms) {
		err_set(&err, ERR_UNREACHABLE,
			"the target at %s: %s; what is not done is replayed "
			"by the next run",
			r->options->target.host, answer->message);
		replay_fail(r, &err);
		return;
	}
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
	ex->first_failure_ms = 0;
	if (!probe)
		add_answer(ex, answer);
	watch_auth(ex, answer->status);
	decide(ex, answer->status, answer->bytes);
}

static void exchange_ended(struct exchange *ex)
{
	struct stream *s = ex->stream;
	struct replay *r = s->replay;

	TAILQ_REMOVE(&s->queue, ex, queue);
	r->counts.outstanding--;
	r->counts.answered += ex->answer_count > 0;
	r->counts.requests_skipped += ex->skipped && !ex->silent && ex->answer_count == 0;
	if (r->barrier == ex)
		r->barrier = NULL;
	if (!TAILQ_EMPTY(&r->parked))
		unpark(r);
	if (ex->source_complete) {
		settle(ex);
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

static void send_next(struct exchange *ex)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(MIB(1024));
	struct stream *s = ex->stream;
	struct replay *r = s->replay;
	struct err err = {0};

	if (r->counts.in_flight >= r->options->most_requests) {
		ex->state = EXCHANGE_READY;
		TAILQ_INSERT_TAIL(&r->ready, ex, link);
		return;
	}
	if (job_write(&ex->job, &bytes, &err) < 0) {
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
	if (!ex->job.probing)
		ex->sent = arena_str(&ex->mem, buf_str(&bytes));
	ex->state = EXCHANGE_SENDING;
	r->counts.in_flight++;
	r->counts.schedule_lag_ms = clock_monotonic_ms() - ex->due_ms;
	r->counts.source_lag_ms = clock_wall_ms() - ex->captured_ms;
	target_connection_send(s->target, buf_str(&bytes), ex->job.head_only && !ex->job.probing,
			       on_answer, ex);
}

void exchange_start(struct exchange *ex)
{
	if (ex->skipped && !ex->planned) {
		exchange_ended(ex);
		return;
	}
	if (!ex->planned && job_needs_source(&ex->job)) {
		if (ex->source_complete || source_is_whole(ex))
			take_source(ex);
		if (!ex->job.has_source && !ex->source_complete) {
			ex->state = EXCHANGE_SOURCE;
			return;
		}
	}
	if (park(ex)) {
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
		if (ex->source_complete)
			take_source(ex);
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
