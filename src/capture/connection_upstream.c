#include "capture/connection_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- To the source --- */

static void on_upstream(evutil_socket_t fd, short what, void *user)
{
	struct connection *c = user;

	(void)fd;
	stream_note(&c->upstream, what);
	connection_run(c);
}

static int open_socket(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Tries c->address and those behind it. */
static bool try_addresses(struct connection *c)
{
	for (; c->address; c->address = c->address->ai_next) {
		int fd = open_socket(c->address);
		SSL *ssl = fd >= 0 ? destination_ssl(c->destination, fd) : NULL;

		if (fd < 0)
			continue;
		/* Never in the clear where it is to be TLS. */
		if (c->destination->is_tls && !ssl) {
			close(fd);
			errno = ENOMEM;
			continue;
		}
		if (!stream_open(&c->upstream, c->loop->base, fd, ssl, on_upstream, c))
			continue;
		c->upstream.connecting = true;
		c->active_upstream = true;
		c->connect_ms = c->loop->now_ms;
		counter_add(&c->loop->proxy->counters.upstream_connections, 1);
		return true;
	}
	return false;
}

static void connect_failed(struct connection *c, int error)
{
	char reason[400], tls[160] = "";
	unsigned long code = ERR_peek_error();
	long verified = c->upstream.ssl ? SSL_get_verify_result(c->upstream.ssl) : X509_V_OK;

	if (verified != X509_V_OK)
		snprintf(tls, sizeof(tls), "its certificate is refused: %s",
			 X509_verify_cert_error_string(verified));
	else if (c->upstream.ssl && code)
		snprintf(tls, sizeof(tls), "TLS: %s", ERR_reason_error_string(code));
	snprintf(reason, sizeof(reason), "no connection to the source %s: %s", c->destination->text,
		 tls[0]  ? tls
		 : error ? strerror(error)
			 : "it closed the connection");
	resolver_hurry(c->loop->proxy->resolver);
	counter_add(&c->loop->proxy->counters.upstream_failures, 1);
	connection_warn(c, "%s; the request was answered with 502", reason);
	connection_answer(c, 502, reason);
}

static void close_socket(struct connection *c)
{
	stream_close(&c->upstream);
	counter_sub(&c->loop->proxy->counters.upstream_connections, 1);
	c->active_upstream = false;
}

bool connection_connect(struct connection *c, struct destination *destination)
{
	if (stream_is_open(&c->upstream) && c->destination == destination) {
		destination_unref(destination);
		return true;
	}
	connection_drop_upstream(c);
	c->destination = destination;
	c->addresses = destination_addresses(destination);
	c->address = c->addresses->first;
	if (try_addresses(c))
		return true;
	connect_failed(c, errno);
	return false;
}

bool connection_upstream_ready(struct connection *c)
{
	bool failed = false;
	int error;

	if (!stream_is_open(&c->upstream))
		return false;
	errno = 0;
	if (stream_settle(&c->upstream, &failed))
		return true;
	if (!failed)
		return false;
	error = errno;
	if (c->upstream.connecting && c->address->ai_next) {
		close_socket(c);
		c->address = c->address->ai_next;
		if (try_addresses(c))
			return false;
	}
	connect_failed(c, error);
	return false;
}

/* --- From the source --- */

static void record_parsed(struct connection *c)
{
	struct record_time now = record_time_now();

	if (c->access)
		c->access->response_bytes += c->out.parsed - c->out.recorded;
	if (c->recording && c->out.parsed > c->out.recorded)
		recorder_write(&c->recorder, now, flow_unrecorded(&c->out));
	connection_stage_answer(c, now);
	c->out.recorded = c->out.parsed;
	if (c->out.released < c->out.parsed)
		c->response_begun = true;
	c->out.released = c->out.parsed;
}

static bool exchange_is_open(const struct connection *c)
{
	return (c->phase == PHASE_BODY || c->phase == PHASE_HELD || c->phase == PHASE_SENT) &&
	       !c->response_done;
}

bool connection_begin_anew(struct connection *c)
{
	if (!exchange_is_open(c) || c->sent_some || c->anew)
		return false;
	c->anew = true;
	close_socket(c);
	return true;
}

static void response_failed(struct connection *c)
{
	const char *reason = c->response.reason;

	counter_add(&c->loop->proxy->counters.unparsable, 1);
	if (c->loop->proxy->options.policy == CAPTURE_FAILURE_FORWARD) {
		connection_tunnel(c, "a response of the source", reason);
		return;
	}
	connection_warn(c, "a response of the source is refused: %s", reason);
	connection_answer(c, 502, "the answer of the source is no HTTP/1 that is understood");
}

/* False: the connection does not go on as it was. */
static bool parse_responses(struct connection *c)
{
	while (c->out.parsed < c->out.end && !c->response_done) {
		size_t taken = http1_feed(&c->response, flow_unparsed(&c->out));

		c->out.parsed += taken;
		if (c->response.state == HTTP1_FAILED) {
			response_failed(c);
			return false;
		}
		if (http1_head_done(&c->response) && c->response.status == 101) {
			connection_answer(c, 502, "the source switched protocols unasked");
			return false;
		}
		if (c->response.state == HTTP1_DONE && http1_is_interim(&c->response))
			http1_response_init(&c->response, c->loop->proxy->options.head_limit,
					    c->response.head_only);
		else if (c->response.state == HTTP1_DONE)
			c->response_done = true;
		else if (taken == 0)
			break;
	}
	return true;
}

/* The exchange has its answer; what it still has for the source, nobody takes. */
static void upstream_is_over(struct connection *c)
{
	connection_drop_upstream(c);
	c->close_after = true;
	if (c->phase == PHASE_BODY || c->phase == PHASE_HELD || c->phase == PHASE_SENT)
		c->write_failed = true;
}

/* `in_order`: not by a reset. */
static void upstream_ended(struct connection *c, bool in_order)
{
	if (c->phase == PHASE_TUNNEL) {
		c->out.parsed = c->out.end;
		record_parsed(c);
	} else if (exchange_is_open(c)) {
		if (in_order && c->response.head_bytes > 0 && http1_end(&c->response)) {
			c->response_done = true;
			connection_stage_answer(c, record_time_now());
			upstream_is_over(c);
			return;
		}
		counter_add(&c->loop->proxy->counters.upstream_failures, 1);
		connection_answer(c, 502,
				  "the source closed the connection before it had answered");
		return;
	}
	if (c->phase == PHASE_PARKED) {
		connection_drop_upstream(c);
		return;
	}
	/* Between requests the client is to see what the source did, too. */
	upstream_is_over(c);
}

static void took_bytes(struct connection *c)
{
	if (c->phase == PHASE_TUNNEL) {
		c->out.parsed = c->out.end;
		record_parsed(c);
		return;
	}
	if (!exchange_is_open(c)) {
		/* Nobody asked for it. */
		c->out.end = c->out.parsed;
		upstream_is_over(c);
		return;
	}
	if (!parse_responses(c))
		return;
	record_parsed(c);
	if (c->response_done && c->out.end > c->out.parsed) {
		c->out.end = c->out.parsed;
		c->close_after = true;
	}
}

bool connection_read_upstream(struct connection *c)
{
	size_t room;
	ssize_t got;
	char *to;

	if (!stream_is_open(&c->upstream) || !connection_upstream_ready(c))
		return false;
	if (!c->upstream.readable || c->upstream.eof || recorder_is_full(&c->recorder))
		return false;
	to = flow_room(&c->out, MAX(c->loop->proxy->options.head_limit + 1, (size_t)FLOW_BYTES),
		       &room);
	if (room == 0)
		return false;
	got = stream_read(&c->upstream, to, room);
	if (got == STREAM_AGAIN) {
		if (c->out.sent == c->out.end && c->out.recorded == c->out.end)
			flow_free(&c->out);
		return false;
	}
	if (connection_begin_anew(c))
		return true;
	if (got <= 0) {
		c->upstream.eof = true;
		upstream_ended(c, got == 0);
		return true;
	}
	c->moved_ms = c->loop->now_ms;
	c->out.end += (size_t)got;
	took_bytes(c);
	return true;
}
