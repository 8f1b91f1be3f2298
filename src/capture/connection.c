#include "capture/connection_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS_MAX 64 /* before others have their turn */
#define WARN_EVERY_MS 1000

void connection_warn(struct connection *c, const char *fmt, ...)
{
	struct proxy *proxy = c->loop->proxy;
	int64_t last = atomic_load(&proxy->warned_ms);
	char message[600];
	va_list args;

	if (!proxy->options.warn || (last && c->loop->now_ms - last < WARN_EVERY_MS) ||
	    !atomic_compare_exchange_strong(&proxy->warned_ms, &last, c->loop->now_ms))
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	proxy->options.warn(proxy->options.user, message);
}

/* --- Beginning and end --- */

static void on_client(evutil_socket_t fd, short what, void *user)
{
	struct connection *c = user;

	(void)fd;
	stream_note(&c->client, what);
	connection_run(c);
}

/* As a Netty channel's long id: unique, 60 characters, without '.' and '|'. */
static void make_id(const struct proxy *proxy, uint64_t sequence, char text[static 61])
{
	struct record_time now = record_time_now();
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = (uint32_t)now.nanos;
	snprintf(text, 61, "%016llx-%08x-%08x-%016llx-%08x", (unsigned long long)proxy->machine,
		 (unsigned)getpid(), (unsigned)sequence,
		 (unsigned long long)(now.seconds * 1000000000 + now.nanos), random);
}

struct recorder_options connection_recorder_options(struct loop *loop, char id[static 61])
{
	struct proxy *proxy = loop->proxy;

	make_id(proxy, atomic_fetch_add(&proxy->sequence, 1), id);
	return (struct recorder_options){.sink = proxy->options.sink,
					 .queue = loop->queue,
					 .counters = &proxy->counters,
					 .commits = &loop->tallies[CAPTURE_COMMIT],
					 .node_id = str_from(proxy->node_id),
					 .connection_id = str_from(id),
					 .record_limit = proxy->options.record_limit};
}

static void begin_recording(struct connection *c)
{
	char id[61];
	struct recorder_options options = connection_recorder_options(c->loop, id);

	options.owner = c;
	recorder_init(&c->recorder, &options);
}

void connection_unrecorded(struct connection *c, const char *reason)
{
	counter_add(&c->loop->proxy->counters.gaps, 1);
	if (recorder_is_on(&c->recorder))
		gap_marker_note(&c->loop->gaps, record_time_now(), reason);
}

void connection_accept(struct loop *loop, int fd, bool refuse)
{
	struct proxy *proxy = loop->proxy;
	struct connection *c = mem_zalloc(sizeof(*c));
	SSL *ssl = proxy->options.tls ? server_tls_ssl(proxy->options.tls, fd) : NULL;
	int on = 1;

	/* Never in the clear where it is to be TLS. */
	if (proxy->options.tls && !ssl) {
		close(fd);
		free(c);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	c->loop = loop;
	c->upstream.fd = -1;
	c->head = BUF_INIT(proxy->options.head_limit + MIB(1));
	c->moved_ms = c->began_ms = loop->now_ms;
	c->opened_us = clock_monotonic_us();
	http1_request_init(&c->request, proxy->options.head_limit);
	if (!stream_open(&c->client, loop->base, fd, ssl, on_client, c)) {
		free(c);
		return;
	}
	begin_recording(c);
	connection_access_open(c);
	c->next = loop->connections;
	c->link = &loop->connections;
	if (c->next)
		c->next->link = &c->next;
	loop->connections = c;
	counter_add(&proxy->counters.connections, 1);
	counter_add(&proxy->counters.active_connections, 1);
	if (refuse) {
		counter_add(&proxy->counters.connections_refused, 1);
		connection_answer(c, 503, "too many connections; raise --max-connections");
	}
}

void connection_drop_upstream(struct connection *c)
{
	if (c->active_upstream)
		counter_sub(&c->loop->proxy->counters.upstream_connections, 1);
	c->active_upstream = false;
	stream_close(&c->upstream);
	addresses_unref(take(c->addresses));
	destination_unref(take(c->destination));
}

static void leave_park(struct connection *c)
{
	struct proxy *proxy = c->loop->proxy;

	counter_sub(&proxy->counters.requests_parked, 1);
	atomic_fetch_sub(&proxy->gate.bytes, c->parked_bytes);
	c->parked_bytes = 0;
}

static void leave_phase(struct connection *c)
{
	if (c->phase == PHASE_PARKED)
		leave_park(c);
	if (c->phase == PHASE_HELD)
		counter_sub(&c->loop->proxy->counters.requests_held, 1);
}

static void leave_gate(struct connection *c)
{
	if (c->inside)
		gate_leave(&c->loop->proxy->gate);
	c->inside = false;
}

/* What the client sent of a request that never became whole was seen by nobody but, in part, the
 * source; it is in the record without an end. */
static void record_rest(struct connection *c)
{
	c->in.parsed = c->in.end;
	if ((c->recording || c->phase == PHASE_HEAD) && !c->loop->proxy->options.redact_auth &&
	    c->in.parsed > c->in.recorded)
		recorder_read(&c->recorder, c->read_time, flow_unrecorded(&c->in));
}

/* Its end is in the record, and may be stored; but the source has not got all of it, and will not.
 */
static void record_undelivered(struct connection *c)
{
	bool unsent = c->write_failed || flow_sendable(&c->in) > 0 || c->head.len > 0;

	if (c->recording && (c->phase == PHASE_HELD || (c->phase == PHASE_SENT && unsent)))
		recorder_dropped(&c->recorder, record_time_now());
}

void connection_close(struct connection *c)
{
	bool broken = c->stage != CAPTURE_CONNECTION;

	if (c->phase == PHASE_CLOSED)
		return;
	if (c->phase == PHASE_HEAD || c->phase == PHASE_BODY)
		record_rest(c);
	record_undelivered(c);
	connection_access_end(c, 0);
	connection_stage_break(c);
	leave_phase(c);
	leave_gate(c);
	c->phase = PHASE_CLOSED;
	recorder_close(&c->recorder);
	connection_drop_upstream(c);
	stream_close(&c->client);
	flow_free(&c->in);
	flow_free(&c->out);
	buf_release(&c->head);
	counter_sub(&c->loop->proxy->counters.active_connections, 1);
	activity_tally_add(&c->loop->tallies[CAPTURE_CONNECTION],
			   clock_monotonic_us() - c->opened_us, broken);
}

/* At the end nothing waits: the next process tells that this one is over. */
static bool waits_for_mark(const struct connection *c)
{
	return recorder_owes_mark(&c->recorder) && !c->loop->draining &&
	       !atomic_load(&c->loop->proxy->stopping);
}

bool connection_reap(struct connection *c)
{
	if (c->phase != PHASE_CLOSED || !recorder_is_settled(&c->recorder) || waits_for_mark(c))
		return false;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	recorder_release(&c->recorder);
	counter_add(&c->loop->proxy->counters.removed, 1);
	free(c->access);
	free(c);
	return true;
}

/* --- Answers of our own --- */

static const char *status_text(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 408:
		return "Request Timeout";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		BUG("a status without a text");
	}
}

void connection_linger(struct connection *c)
{
	connection_stage_break(c);
	leave_phase(c);
	leave_gate(c);
	connection_drop_upstream(c);
	flow_free(&c->in);
	c->phase = PHASE_LINGER;
	c->began_ms = c->loop->now_ms;
}

void connection_answer(struct connection *c, int status, const char *reason)
{
	char body[700], head[300];
	size_t from;

	counter_add(&c->loop->proxy->counters.refused, 1);
	if (c->response_begun) {
		connection_close(c);
		return;
	}
	if (c->phase == PHASE_HEAD || c->phase == PHASE_BODY)
		record_rest(c);
	snprintf(body, sizeof(body),
		 "{\"error\":{\"type\":\"shardlift_capture\",\"reason\":\"%s\"},\"status\":%d}\n",
		 reason, status);
	snprintf(head, sizeof(head),
		 "HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n"
		 "connection: close\r\n\r\n",
		 status, status_text(status), strlen(body));
	c->out.end = c->out.parsed = c->out.recorded = c->out.released;
	from = c->out.end - c->out.sent;
	flow_append(&c->out, str_from(head));
	if (strcmp(c->request.method, "HEAD") != 0)
		flow_append(&c->out, str_from(body));
	if (c->recording)
		recorder_write(
			&c->recorder, record_time_now(),
			str_of(c->out.data + c->out.sent + from, c->out.end - c->out.sent - from));
	if (c->access)
		c->access->response_bytes = c->out.end - c->out.sent - from;
	connection_access_end(c, status);
	record_undelivered(c);
	connection_linger(c);
}

void connection_tunnel(struct connection *c, const char *what, const char *reason)
{
	struct proxy *proxy = c->loop->proxy;

	connection_unrecorded(c, reason);
	connection_warn(c,
			"%s is no HTTP/1 that is understood (%s); the connection goes on, what it "
			"carries cannot be replayed",
			what, reason);
	connection_stage_break(c);
	leave_phase(c);
	leave_gate(c);
	c->phase = PHASE_TUNNEL;
	/* Where credentials stand in it is not known. */
	c->recording = recorder_is_on(&c->recorder) && !proxy->options.redact_auth;
	if (!stream_is_open(&c->upstream)) {
		bool capture;

		connection_connect(c, gate_destination(&proxy->gate, &capture));
	}
}

/* --- Going on --- */

void connection_end_exchange(struct connection *c)
{
	bool keep = c->request.keep_alive && c->response.keep_alive && !c->close_after &&
		    !c->loop->draining;

	leave_gate(c);
	connection_access_end(c, c->response.status);
	c->phase = PHASE_HEAD;
	c->recording = false;
	c->response_begun = c->response_done = false;
	c->began_ms = c->moved_ms = c->loop->now_ms;
	http1_request_init(&c->request, c->loop->proxy->options.head_limit);
	if (!keep)
		connection_linger(c);
}

static bool end_exchange_when_done(struct connection *c)
{
	if (!c->response_done)
		return false;
	if (c->phase == PHASE_SENT && flow_sendable(&c->in) == 0 && c->head.len == 0) {
		connection_end_exchange(c);
		return true;
	}
	/* Answered before the request was complete, and the source wants no more of it. */
	if (c->phase == PHASE_BODY && (!c->response.keep_alive || c->write_failed)) {
		record_rest(c);
		connection_access_end(c, c->response.status);
		connection_linger(c);
		return true;
	}
	return false;
}

/* What goes on no longer, though the client still listens. */
static void linger_when_over(struct connection *c)
{
	bool nothing_read = c->in.end == c->in.parsed;

	if ((c->phase == PHASE_HEAD && c->close_after && nothing_read) ||
	    (c->phase == PHASE_TUNNEL && !stream_is_open(&c->upstream)))
		connection_linger(c);
	if (c->phase == PHASE_LINGER && !c->shut) {
		c->shut = true;
		stream_shutdown(&c->client);
	}
}

/* Whether a client that sends no more waits for nothing either. */
static bool client_is_done(const struct connection *c)
{
	bool written = flow_sendable(&c->out) == 0;

	if (c->phase == PHASE_LINGER || c->phase == PHASE_HEAD)
		return written;
	return c->phase == PHASE_BODY && c->in.parsed == c->in.end && flow_sendable(&c->in) == 0;
}

/* The source has ended between requests. One that the system has taken by then is served. */
static bool asks_once_more(struct connection *c)
{
	if (c->phase != PHASE_HEAD || !c->close_after || c->in.end > c->in.parsed)
		return false;
	c->client.readable = true;
	return connection_read_client(c);
}

/* Nothing moves any more. True: something changed all the same. */
static bool run_ends(struct connection *c)
{
	if (flow_sendable(&c->out) == 0) {
		if (asks_once_more(c))
			return true;
		linger_when_over(c);
	}
	if (!c->client.eof)
		return false;
	if (client_is_done(c)) {
		connection_close(c);
		return true;
	}
	if (c->phase == PHASE_TUNNEL && flow_sendable(&c->in) == 0 && !c->write_failed &&
	    connection_upstream_ready(c)) {
		stream_shutdown(&c->upstream);
		c->write_failed = true;
	}
	return false;
}

static bool client_ready(struct connection *c)
{
	bool failed = false;

	if (c->phase == PHASE_CLOSED)
		return false;
	if (stream_settle(&c->client, &failed))
		return true;
	if (failed)
		connection_close(c);
	return false;
}

void connection_run(struct connection *c)
{
	int round = 0;

	while (client_ready(c) && round++ < ROUNDS_MAX) {
		bool moved = connection_read_client(c);

		moved |= c->phase < PHASE_LINGER && connection_run_request(c);
		moved |= c->phase < PHASE_LINGER && connection_write_upstream(c);
		moved |= c->phase < PHASE_LINGER && connection_read_upstream(c);
		moved |= c->phase != PHASE_CLOSED && connection_write_client(c);
		moved |= c->phase < PHASE_LINGER && end_exchange_when_done(c);
		/* Only when all that was read has been looked at. */
		if (!moved && (c->phase == PHASE_CLOSED || !run_ends(c)))
			break;
	}
	if (round > ROUNDS_MAX && c->phase != PHASE_CLOSED)
		event_active(c->client.event, EV_READ, 0);
	connection_reap(c);
}
