#include "capture/connection_internal.h"

#include <stdio.h>

static void refuse(struct connection *c)
{
	const struct http1 *request = &c->request;
	char reason[200];
	int status = 400;

	snprintf(reason, sizeof(reason), "the request is refused: %s", request->reason);
	counter_add(&c->loop->proxy->counters.unparsable, 1);
	/* What can be read in two ways goes nowhere, whatever the policy. */
	if (request->error == HTTP1_GARBAGE &&
	    c->loop->proxy->options.policy == CAPTURE_FAILURE_FORWARD) {
		connection_tunnel(c, "a request", request->reason);
		return;
	}
	if (request->error == HTTP1_TOO_LARGE)
		status = 431;
	else if (request->error == HTTP1_UNSUPPORTED)
		status = request->has_length || request->minor == 1 ? 501 : 505;
	/* It counts for nothing, and neither does our answer. */
	c->in.parsed = c->in.end;
	if (c->in.parsed > c->in.recorded && (c->recording || c->phase == PHASE_HEAD) &&
	    !c->loop->proxy->options.redact_auth) {
		recorder_read(&c->recorder, c->read_time, flow_unrecorded(&c->in));
		c->in.recorded = c->in.parsed;
		recorder_dropped(&c->recorder, c->read_time);
	}
	c->recording = false;
	connection_answer(c, status, reason);
}

static void record_parsed(struct connection *c)
{
	if (c->access)
		c->access->request_bytes += c->in.parsed - c->in.recorded;
	if (c->recording && c->in.parsed > c->in.recorded)
		recorder_read(&c->recorder, c->read_time, flow_unrecorded(&c->in));
	c->in.recorded = c->in.parsed;
}

static void let_go(struct connection *c)
{
	c->in.released = c->in.parsed;
	c->head_released = c->head.len > 0;
}

/* The head is changed on its way: the one that was read is not sent. */
static bool change_head(struct connection *c, struct str head)
{
	const struct proxy_options *options = &c->loop->proxy->options;

	if (options->redact_auth && c->recording) {
		struct buf redacted = BUF_INIT(options->head_limit * 2);

		redact_head(head, &redacted);
		recorder_read(&c->recorder, c->read_time, buf_str(&redacted));
		if (c->access)
			c->access->request_bytes += head.len;
		c->in.recorded += head.len;
		buf_release(&redacted);
	}
	if (options->set_header_count == 0 && !c->request.upgrade)
		return true;
	rewrite_head(head, options->set_headers, options->set_header_count, &c->head);
	if (c->head.failed) {
		connection_answer(c, 431, "the head is too large with what --set-header adds");
		return false;
	}
	return true;
}

/* The head stands where nothing is recorded yet. */
static bool start_request(struct connection *c)
{
	struct proxy *proxy = c->loop->proxy;
	struct str head = str_of(c->in.data + c->in.recorded, c->request.head_bytes);
	struct str method = str_from(c->request.method), target = http1_target(head);
	bool capture;
	struct destination *destination = gate_destination(&proxy->gate, &capture);

	c->phase = PHASE_BODY;
	c->sent_some = c->anew = false;
	c->lost_before = c->recorder.lost;
	c->recording = capture && recorder_is_on(&c->recorder);
	counter_add(&proxy->counters.requests, 1);
	if (c->recording && suppress_rules_match(proxy->options.suppress, method, target, head)) {
		c->recording = false;
		counter_add(&proxy->counters.requests_suppressed, 1);
	}
	http1_response_init(&c->response, proxy->options.head_limit, str_is(method, "HEAD"));
	if (!change_head(c, head)) {
		destination_unref(destination);
		return true;
	}
	if (c->head.len > 0)
		c->in.sent = c->in.released += c->request.head_bytes;
	connection_connect(c, destination);
	return true;
}

static bool begin_request(struct connection *c)
{
	struct proxy *proxy = c->loop->proxy;
	struct str head = str_of(c->in.data + c->in.recorded, c->request.head_bytes);

	if (!c->mutating && c->phase == PHASE_HEAD)
		c->mutating = request_is_mutating(str_from(c->request.method), http1_target(head));
	if (c->mutating && !gate_enter(&proxy->gate)) {
		if (c->phase != PHASE_PARKED) {
			counter_add(&proxy->counters.requests_parked, 1);
			c->phase = PHASE_PARKED;
			c->parked_bytes = c->in.end - c->in.sent;
			atomic_fetch_add(&proxy->gate.bytes, c->parked_bytes);
		}
		return false;
	}
	c->inside = c->mutating;
	if (c->phase == PHASE_PARKED) {
		counter_sub(&proxy->counters.requests_parked, 1);
		atomic_fetch_sub(&proxy->gate.bytes, c->parked_bytes);
		c->parked_bytes = 0;
		c->was_parked = true;
	}
	return start_request(c);
}

static bool run_head(struct connection *c)
{
	if (c->in.parsed == c->in.end)
		return false;
	connection_stage_begin(c);
	c->in.parsed += http1_feed(&c->request, flow_unparsed(&c->in));
	if (c->request.state == HTTP1_FAILED) {
		refuse(c);
		return true;
	}
	if (!http1_head_done(&c->request))
		return false;
	c->mutating = false;
	connection_access_request(c, str_of(c->in.data + c->in.recorded, c->request.head_bytes));
	if (strcmp(c->request.method, "CONNECT") == 0) {
		connection_answer(c, 501, "CONNECT is not served");
		return true;
	}
	return begin_request(c);
}

/* Complete: a mutating one goes on when its record is stored. */
static void end_request(struct connection *c)
{
	struct proxy *proxy = c->loop->proxy;
	bool held = c->recording && c->mutating;

	if (c->recording)
		recorder_end_of_message(&c->recorder, c->read_time,
					(int32_t)c->request.first_line_bytes,
					(int32_t)c->request.header_bytes);
	connection_stage_whole(c, held);
	if (!held) {
		connection_access_released(c);
		let_go(c);
		c->phase = PHASE_SENT;
		return;
	}
	connection_access_held(c);
	c->held_for = recorder_flush(&c->recorder);
	c->phase = PHASE_HELD;
	c->began_ms = c->loop->now_ms;
	counter_add(&proxy->counters.requests_blocking, 1);
	counter_add(&proxy->counters.requests_held, 1);
}

static bool run_body(struct connection *c)
{
	bool moved = false;

	if (c->request.state != HTTP1_DONE && c->in.parsed < c->in.end) {
		c->in.parsed += http1_feed(&c->request, flow_unparsed(&c->in));
		if (c->request.state == HTTP1_FAILED) {
			refuse(c);
			return true;
		}
		moved = true;
	}
	moved |= c->in.recorded < c->in.parsed || c->in.released < c->in.parsed;
	record_parsed(c);
	if (c->request.state == HTTP1_DONE) {
		end_request(c);
		return true;
	}
	let_go(c);
	return moved;
}

static void capture_failed(struct connection *c, const char *reason)
{
	struct proxy *proxy = c->loop->proxy;

	if (proxy->options.policy == CAPTURE_FAILURE_BLOCK) {
		connection_warn(c,
				"a request could not be recorded (%s) and was answered with 503; "
				"--on-capture-failure is block",
				reason);
		connection_answer(
			c, 503,
			"the request could not be recorded in time, and did not reach the cluster");
		return;
	}
	connection_unrecorded(c, reason);
	connection_warn(c,
			"a request went on without a record (%s); replay will not have it, "
			"--on-capture-failure is forward",
			reason);
	counter_sub(&proxy->counters.requests_held, 1);
	connection_access_released(c);
	connection_stage_released(c, true);
	let_go(c);
	c->phase = PHASE_SENT;
}

static bool run_held(struct connection *c)
{
	struct proxy *proxy = c->loop->proxy;
	int64_t waited = c->loop->now_ms - c->began_ms;

	if (c->recorder.lost > c->lost_before) {
		c->lost_before = c->recorder.lost;
		capture_failed(c, c->recorder.lost_errno ? strerror(c->recorder.lost_errno)
							 : "its records cannot be stored");
		return true;
	}
	if (!recorder_has_settled(&c->recorder, c->held_for)) {
		if (waited < proxy->options.capture_timeout_ms)
			return false;
		capture_failed(c, "no answer within --capture-timeout");
		return true;
	}
	counter_add(&proxy->counters.held_count, 1);
	counter_add(&proxy->counters.held_us, connection_stage_released(c, false));
	counter_sub(&proxy->counters.requests_held, 1);
	connection_access_released(c);
	let_go(c);
	c->phase = PHASE_SENT;
	return true;
}

static bool run_tunnel(struct connection *c)
{
	if (c->in.parsed == c->in.end)
		return false;
	c->in.parsed = c->in.end;
	record_parsed(c);
	let_go(c);
	return true;
}

bool connection_run_request(struct connection *c)
{
	switch (c->phase) {
	case PHASE_HEAD:
		return run_head(c);
	case PHASE_PARKED:
		return begin_request(c);
	case PHASE_BODY:
		return run_body(c);
	case PHASE_HELD:
		return run_held(c);
	case PHASE_TUNNEL:
		return run_tunnel(c);
	case PHASE_SENT:
	case PHASE_LINGER:
	case PHASE_CLOSED:
		break;
	}
	return false;
}
