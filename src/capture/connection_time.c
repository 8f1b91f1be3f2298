#include "capture/connection_internal.h"

#define FRESH_MS 5000 /* of a drain, for a connection's first request */

static bool head_is_late(const struct connection *c, int64_t now)
{
	return c->phase == PHASE_HEAD && c->in.end > c->in.parsed &&
	       now - c->began_ms >= c->loop->proxy->options.header_timeout_ms;
}

static bool is_idle_for_long(const struct connection *c, int64_t now)
{
	bool waits = c->phase == PHASE_HEAD || c->phase == PHASE_BODY || c->phase == PHASE_TUNNEL ||
		     flow_sendable(&c->out) > 0 || c->client.eof;

	return waits && now - c->moved_ms >= c->loop->proxy->options.idle_timeout_ms;
}

/* What is left was taken, or nothing of it is for long; or it takes for ever. */
static bool has_lingered(const struct connection *c, int64_t now)
{
	const struct proxy_options *options = &c->loop->proxy->options;

	if (c->phase != PHASE_LINGER)
		return false;
	if (flow_sendable(&c->out) > 0)
		return now - c->moved_ms >= options->idle_timeout_ms;
	return now - MAX(c->moved_ms, c->began_ms) >= LINGER_MS ||
	       now - c->began_ms >= options->header_timeout_ms;
}

static bool connects_for_long(const struct connection *c, int64_t now)
{
	return stream_is_open(&c->upstream) &&
	       (c->upstream.connecting || c->upstream.handshaking) &&
	       now - c->connect_ms >= c->loop->proxy->options.connect_timeout_ms;
}

static bool handshakes_for_long(const struct connection *c, int64_t now)
{
	return c->client.handshaking &&
	       now - c->began_ms >= c->loop->proxy->options.header_timeout_ms;
}

static void connect_is_late(struct connection *c)
{
	resolver_hurry(c->loop->proxy->resolver);
	connection_answer(c, 504, "the source did not accept a connection in time");
}

/* One that was accepted a moment ago is to have its answer; of the others, those go that have not
 * just sent something. */
static bool may_end_for_drain(struct connection *c, int64_t now)
{
	if (c->phase != PHASE_HEAD || flow_sendable(&c->out) > 0 ||
	    (!c->served && now - c->began_ms < FRESH_MS))
		return false;
	if (c->client.handshaking)
		return true;
	c->client.readable = true;
	connection_read_client(c);
	return c->phase == PHASE_HEAD && c->in.end == c->in.parsed;
}

static void tick_deadlines(struct connection *c, int64_t now)
{
	if (handshakes_for_long(c, now) || has_lingered(c, now) || is_idle_for_long(c, now))
		connection_close(c);
	else if (head_is_late(c, now))
		connection_answer(c, 408, "the head of the request did not come in time");
	else if (connects_for_long(c, now))
		connect_is_late(c);
	else if (c->loop->draining && may_end_for_drain(c, now))
		connection_linger(c);
}

void connection_tick(struct connection *c, struct record_time now)
{
	const struct proxy_options *options = &c->loop->proxy->options;
	int64_t age;

	recorder_retry(&c->recorder);
	recorder_check_room(&c->recorder, c->loop->now_ms, options->capture_timeout_ms);
	recorder_mark_loss(&c->recorder, c->loop->now_ms);
	if (c->phase != PHASE_CLOSED) {
		age = recorder_age_ms(&c->recorder, now);
		c->loop->oldest_ms = MAX(c->loop->oldest_ms, age);
		if (age >= options->flush_ms)
			recorder_flush(&c->recorder);
		tick_deadlines(c, c->loop->now_ms);
	}
	connection_run(c);
}
