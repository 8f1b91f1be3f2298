#include "capture/connection_internal.h"

static void note_parked_bytes(struct connection *c)
{
	uint64_t now = c->in.end - c->in.sent;

	atomic_fetch_add(&c->loop->proxy->gate.bytes, now - c->parked_bytes);
	c->parked_bytes = now;
}

static size_t in_limit(const struct connection *c)
{
	return MAX(c->loop->proxy->options.head_limit + 1, (size_t)FLOW_BYTES);
}

static void client_said(struct connection *c, size_t len)
{
	/* One that takes nothing of its answer is idle, whatever it sends. */
	if (c->phase != PHASE_LINGER || flow_sendable(&c->out) == 0)
		c->moved_ms = c->loop->now_ms;
	if (c->phase == PHASE_LINGER)
		return;
	if (c->phase == PHASE_HEAD && c->in.end == c->in.parsed)
		c->began_ms = c->loop->now_ms;
	connection_access_arrived(c);
	c->served = true;
	c->in.end += len;
	counter_add(&c->loop->proxy->counters.bytes_read, len);
	c->read_time = record_time_now();
	if (c->phase == PHASE_PARKED)
		note_parked_bytes(c);
}

/* A reset that came with the last bytes is seen when the answer is written. */
static bool is_owed_an_answer(const struct connection *c)
{
	return c->phase == PHASE_PARKED || c->phase == PHASE_HELD || c->phase == PHASE_SENT ||
	       (c->phase == PHASE_BODY && c->request.state == HTTP1_DONE);
}

/* Nothing is there to be read, so the call that would only say so is spared. */
static bool has_drained(struct connection *c)
{
	if (!c->client.drained)
		return false;
	/* What the last bytes are is not known yet. */
	if (c->phase == PHASE_BODY && c->request.state != HTTP1_DONE && c->in.parsed < c->in.end)
		return true;
	c->client.drained = false;
	if (is_owed_an_answer(c))
		c->client.readable = false;
	return !c->client.readable;
}

bool connection_read_client(struct connection *c)
{
	char scratch[4096], *to = scratch;
	size_t room = sizeof(scratch);
	ssize_t got;

	if (!c->client.readable || c->client.eof || recorder_is_full(&c->recorder) ||
	    has_drained(c))
		return false;
	if (c->phase != PHASE_LINGER)
		to = flow_room(&c->in, in_limit(c), &room);
	/* One that has gone is not to wait for a source that takes nothing. */
	if (room == 0 && stream_was_reset(&c->client)) {
		connection_close(c);
		return true;
	}
	if (room == 0)
		return false;
	got = stream_read(&c->client, to, room);
	if (got == STREAM_AGAIN) {
		/* An idle connection holds no memory for bytes. */
		if (c->in.sent == c->in.end && c->in.recorded == c->in.end)
			flow_free(&c->in);
		return false;
	}
	if (got == STREAM_FAILED) {
		connection_close(c);
		return true;
	}
	if (got == 0)
		c->client.eof = true;
	else
		client_said(c, (size_t)got);
	return true;
}

bool connection_write_client(struct connection *c)
{
	struct iovec part = {.iov_base = c->out.data + c->out.sent,
			     .iov_len = flow_sendable(&c->out)};
	ssize_t got;

	if (part.iov_len == 0 || !c->client.writable)
		return false;
	got = stream_write(&c->client, &part, 1);
	if (got == STREAM_AGAIN)
		return false;
	if (got == STREAM_FAILED) {
		connection_close(c);
		return true;
	}
	counter_add(&c->loop->proxy->counters.bytes_written, (size_t)got);
	c->moved_ms = c->loop->now_ms;
	flow_sent(&c->out, (size_t)got);
	return true;
}

static void upstream_took(struct connection *c, size_t taken)
{
	size_t of_head = c->head_released ? MIN(taken, c->head.len - c->head_sent) : 0;

	c->head_sent += of_head;
	if (c->head_sent > 0 && c->head_sent == c->head.len) {
		buf_release(&c->head);
		c->head_sent = 0;
		c->head_released = false;
	}
	flow_sent(&c->in, taken - of_head);
}

/* One that may have been done is not sent twice, so the source is looked at before the first byte.
 */
static bool upstream_has_gone(struct connection *c)
{
	if (!c->mutating || c->sent_some || c->anew)
		return false;
	c->upstream.readable = true;
	return connection_read_upstream(c);
}

/* A source that takes no more may have answered: its answer is read before anything is decided. */
static void upstream_takes_no_more(struct connection *c)
{
	c->write_failed = true;
	c->close_after = true;
}

/* True: there was something. */
static bool discard_request(struct connection *c)
{
	bool some = flow_sendable(&c->in) > 0 || c->head.len > 0;

	flow_discard(&c->in);
	buf_release(&c->head);
	c->head_sent = 0;
	c->head_released = false;
	return some;
}

static bool must_connect_again(const struct connection *c)
{
	return c->anew && c->phase != PHASE_TUNNEL && !stream_is_open(&c->upstream);
}

bool connection_write_upstream(struct connection *c)
{
	struct iovec parts[2];
	ssize_t got;
	int count = 0;

	if (c->write_failed)
		return discard_request(c);
	if (c->head_released && c->head.len > c->head_sent)
		parts[count++] =
			(struct iovec){c->head.ptr + c->head_sent, c->head.len - c->head_sent};
	if (flow_sendable(&c->in) > 0)
		parts[count++] = (struct iovec){c->in.data + c->in.sent, flow_sendable(&c->in)};
	if (count == 0)
		return false;
	if (must_connect_again(c)) {
		connection_connect(c, destination_ref(c->destination));
		return true;
	}
	if (!connection_upstream_ready(c) || !c->upstream.writable)
		return false;
	if (upstream_has_gone(c))
		return true;
	got = stream_write(&c->upstream, parts, count);
	/* TLS may have begun a record that it could not finish. */
	c->sent_some |= got > 0 || c->upstream.ssl;
	if (got == STREAM_AGAIN)
		return false;
	if (got == STREAM_FAILED) {
		if (!connection_begin_anew(c))
			upstream_takes_no_more(c);
		return true;
	}
	c->moved_ms = c->loop->now_ms;
	upstream_took(c, (size_t)got);
	return true;
}
