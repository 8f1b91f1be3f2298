/* The captured response of a request, and what happens when it and the target's answer are there.
 */
#include "replay/cursors.h"
#include "replay/replay_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

struct str exchange_request(const struct exchange *ex)
{
	return str_of(ex->transaction->request.bytes, ex->transaction->request.len);
}

void exchange_forget_bodies(struct exchange *ex)
{
	for (size_t i = 0; i < ex->answer_count; i++)
		free((void *)(uintptr_t)ex->answers[i].bytes.ptr);
	ex->answer_count = 0;
	free((void *)(uintptr_t)ex->sent.ptr);
	ex->sent = STR_NONE;
	arena_release(&ex->mem);
}

void exchange_take_source(struct exchange *ex)
{
	const struct captured_message *response = &ex->transaction->response;

	if (response->piece_count > 0)
		ex->ended_us = record_time_us(response->pieces[response->piece_count - 1].time);

	if (ex->has_job && !ex->job.has_source)
		job_source(&ex->job, arena_str(&ex->mem, str_of(response->bytes, response->len)));
}

static void time_response(struct tuple_part *part, const struct captured_message *request,
			  const struct captured_message *response)
{
	const struct record_time sent = request->pieces[request->piece_count - 1].time;
	const struct record_time last = response->pieces[response->piece_count - 1].time;

	part->response_ms = record_time_ms(last) - record_time_ms(sent);
	part->first_byte_us = record_time_us(response->pieces[0].time) - record_time_us(sent);
	part->last_byte_us = record_time_us(last) - record_time_us(sent);
}

/* What the transformers make of the line, which may be several or none; as it is where they fail.
 */
static void transform_line(struct replay *r)
{
	struct transform_message message = {.name = STR("a tuple")};
	struct str text = str_trim(arena_str(&r->scratch, buf_str(&r->line)));
	struct err err = {0};

	if (json_parse(text, &r->scratch, &message.value, &err) < 0 ||
	    transform_apply(r->options->tuple_transform, &message, 1, &r->scratch, &err) < 0 ||
	    message.error.kind != ERR_NONE) {
		r->counts.tuples_untransformed++;
		return;
	}
	if (!message.changed && message.value)
		return;
	buf_reset(&r->line);
	if (message.value && message.value->type == JSON_ARRAY) {
		json_each (one, message.value) {
			json_write(&r->line, one);
			buf_append_byte(&r->line, '\n');
		}
	} else if (message.value) {
		json_write(&r->line, message.value);
		buf_append_byte(&r->line, '\n');
	}
}

static void write_line(struct exchange *ex, struct tuple *tuple, bool spans)
{
	struct replay *r = ex->stream->replay;

	tuple->source_response.has_spans = spans;
	for (size_t i = 0; i < ex->answer_count; i++)
		ex->answers[i].has_spans = spans;
	buf_reset(&r->line);
	tuple_write(&r->line, tuple, &r->scratch);
}

static void write_tuple(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	const struct captured_transaction *t = ex->transaction;
	const struct captured_message *request = &t->request, *response = &t->response;
	struct tuple tuple = {
		.source_request.bytes = exchange_request(ex),
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
		time_response(&tuple.source_response, request, response);
	if (r->options->tuple) {
		write_line(ex, &tuple, true);
		r->options->tuple(r->options->tuple_user, buf_str(&r->line));
	}
	if (r->options->sink && (!r->options->tuple || !r->options->tuple_spans))
		write_line(ex, &tuple, r->options->tuple_spans);
	if (r->options->sink && r->options->tuple_transform)
		transform_line(r);
	arena_reset(&r->scratch);
	if (r->line.len == 0 || !r->options->sink)
		return;
	ex->tuple = tuple_sink_append(r->options->sink, buf_str(&r->line));
	r->counts.tuples++;
}

static const char *const methods[REPLAY_METHODS] = {"GET",    "HEAD",    "POST",  "PUT",
						    "DELETE", "OPTIONS", "PATCH", "other"};

const char *replay_method_name(size_t method)
{
	return methods[method];
}

static size_t method_of(struct str method)
{
	size_t i = 0;

	while (i < REPLAY_METHODS - 1 && !str_is(method, methods[i]))
		i++;
	return i;
}

static size_t class_of(int status)
{
	return status >= 100 && status < 600 ? (size_t)status / 100 : 0;
}

static void compare_statuses(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;
	bool same;

	if (ex->answer_count == 0 || !ex->job.has_source)
		return;
	same = ex->job.last_status == ex->job.source.status;
	if (same)
		r->counts.statuses_equal++;
	else
		r->counts.statuses_different++;
	r->counts.compared[method_of(ex->job.out.captured.method)][class_of(ex->job.source.status)]
			  [class_of(ex->job.last_status)][same]++;
}

static void learn_cursors(struct exchange *ex)
{
	if (ex->answer_count > 0 && ex->job.rules->cursors)
		cursors_learn(ex->job.rules->cursors, &ex->job,
			      ex->answers[ex->answer_count - 1].bytes);
}

/* Both answers are there: nothing but the tuple's durability is waited for. */
void exchange_settle(struct exchange *ex)
{
	struct replay *r = ex->stream->replay;

	exchange_take_source(ex);
	if (ex->has_job) {
		compare_statuses(ex);
		learn_cursors(ex);
	}
	ex->state = EXCHANGE_WRITTEN;
	ex->tuple = 0;
	if (wants_tuples(r->options) && !ex->silent) {
		int64_t began_us = clock_monotonic_us();

		write_tuple(ex);
		duration_tally_add(&r->counts.times.comparing, clock_monotonic_us() - began_us);
	}
	/* Durable is only what a minute may fill: all that is in the tuple would pile up. */
	exchange_forget_bodies(ex);
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
			exchange_settle(ex);
		}
		return;
	}
	if (ex->state == EXCHANGE_ANSWERED) {
		TAILQ_REMOVE(&r->unsettled, ex, link);
		exchange_settle(ex);
	} else if (ex->state == EXCHANGE_SOURCE || ex->state == EXCHANGE_DECIDING) {
		stream_rest(ex->stream, 0);
	}
}

/* The whole response may be there long before the connection tells that it was all. */
bool exchange_source_is_whole(struct exchange *ex)
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

	if (!r->awaits_source && !r->may_await_source)
		return;
	r->awaits_source = r->may_await_source = false;
	TAILQ_FOREACH(s, &r->streams, link)
	{
		struct exchange *ex = TAILQ_FIRST(&s->queue);

		if (!ex || !ex->has_job ||
		    (ex->state != EXCHANGE_SOURCE && ex->state != EXCHANGE_DECIDING))
			continue;
		if (exchange_source_is_whole(ex)) {
			exchange_take_source(ex);
			stream_rest(s, 0);
		} else {
			r->awaits_source = true;
		}
	}
}
