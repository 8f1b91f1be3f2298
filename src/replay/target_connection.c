#include "replay/target_internal.h"

#include "base/clock.h"
#include "net/http1.h"
#include "net/stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A connection that rests keeps no larger buffers. */
enum { KEPT_BYTES = 4096 };

struct target_connection {
	struct target *target;
	struct stream socket;
	struct event *deadline;
	bool connected, asked, reused;
	int failed_errno; /* of a call that failed outside of the loop; told by the deadline */
	bool head_only;
	target_done done;
	void *user;
	struct buf request; /* what is not sent yet, from `kept_from` of the request's bytes on */
	size_t kept_from;
	struct buf answer; /* what was read before the last read */
	size_t len, sent;  /* bytes of the request; those that were given to the socket */
	struct target_part *parts;
	size_t part_count;
	struct event *pace; /* until the next part is due; NULL: never needed yet */
	size_t parsed;      /* bytes of the answer that the parser has had */
	size_t answer_at;   /* where the answer at hand begins, behind interim ones */
	struct http1 parser;
	int64_t connect_us, connected_us; /* when it began to, when it had */
	int64_t began_us;
	int64_t sent_us, first_us; /* the request's last byte, the answer's first; 0: not yet */
};

static void drop_socket(struct target_connection *c)
{
	if (!stream_is_open(&c->socket))
		return;
	stream_close(&c->socket);
	if (c->connected) {
		c->target->counts.closed++;
		duration_tally_add(&c->target->counts.lifetimes,
				   clock_monotonic_us() - c->connected_us);
	}
	c->connected = c->reused = false;
}

static void end_request(struct target_connection *c, const struct target_answer *answer)
{
	target_done done = c->done;

	event_del(c->deadline);
	if (c->part_count > 0 && c->pace)
		event_del(c->pace);
	c->asked = false;
	c->done = NULL;
	done(c->user, answer);
	if (!c->asked && c->answer.capacity > KEPT_BYTES)
		buf_release(&c->answer);
	if (!c->asked && c->request.capacity > KEPT_BYTES)
		buf_release(&c->request);
}

/* A name may have several, of which not each is listened at: localhost is ::1 and 127.0.0.1. */
static void try_next_address(struct target *t)
{
	t->address = t->address->ai_next ? t->address->ai_next : t->addresses;
}

static void count_failure(struct target_connection *c, int64_t now_us)
{
	struct target_counts *counts = &c->target->counts;

	if (!c->connected) {
		counts->failed++;
		duration_tally_add_failed(&counts->connecting, now_us - c->connect_us);
		return;
	}
	counts->lifetimes.failed++;
	if (c->first_us)
		duration_tally_add_failed(&counts->receiving, now_us - c->first_us);
	else if (c->sent_us)
		duration_tally_add_failed(&counts->waiting, now_us - c->sent_us);
	else
		duration_tally_add_failed(&counts->sending,
					  now_us - MAX(c->began_us, c->connected_us));
}

static void fail_request(struct target_connection *c, enum err_kind kind, const char *message)
{
	int64_t now_us = clock_monotonic_us();
	struct target_answer answer = {.failed = kind,
				       .never_sent = !c->connected ||
						     (c->reused && c->first_us == 0 &&
						      c->answer_at == 0 && kind == ERR_UNREACHABLE),
				       .elapsed_ms = (now_us - c->began_us) / 1000};

	count_failure(c, now_us);
	if (!c->connected)
		try_next_address(c->target);
	snprintf(answer.message, sizeof(answer.message), "%s", message);
	drop_socket(c);
	end_request(c, &answer);
}

static void answer_complete(struct target_connection *c, struct str bytes, bool keep)
{
	int64_t now_us = clock_monotonic_us();
	struct target_answer answer = {
		.bytes = bytes,
		.status = c->parser.status,
		.elapsed_ms = (now_us - c->began_us) / 1000,
		.first_byte_us = c->first_us - c->sent_us,
		.last_byte_us = now_us - c->sent_us,
	};

	duration_tally_add(&c->target->counts.waiting, c->first_us - c->sent_us);
	duration_tally_add(&c->target->counts.receiving, now_us - c->first_us);
	if (keep && c->parser.keep_alive && c->sent == c->len && !c->socket.closing)
		c->reused = true;
	else
		drop_socket(c);
	end_request(c, &answer);
}

/* `all`: what was read of the answer so far. True: the request has ended, one way or another. */
static bool feed(struct target_connection *c, struct str all)
{
	for (;;) {
		size_t from = http1_head_done(&c->parser) ? c->parsed : c->answer_at;
		size_t used = http1_feed(&c->parser, str_from_offset(all, from));

		c->parsed = from + used;
		if (c->parser.state == HTTP1_FAILED) {
			fail_request(c, ERR_FORMAT, c->parser.reason);
			return true;
		}
		if (c->parser.state == HTTP1_DONE && http1_is_interim(&c->parser)) {
			c->answer_at = c->parsed;
			c->first_us = c->parsed < all.len ? c->first_us : 0;
			http1_response_init(&c->parser, HTTP1_HEAD_LIMIT_DEFAULT, c->head_only);
			if (c->parsed < all.len)
				continue;
			return false;
		}
		if (c->parser.state == HTTP1_DONE) {
			/* What comes behind an answer nobody asked for: that connection is no use.
			 */
			answer_complete(c, str_of(all.ptr + c->answer_at, c->parsed - c->answer_at),
					c->parsed == all.len);
			return true;
		}
		if (used == 0 || c->parsed == all.len)
			return false;
	}
}

/* True: the request has ended. */
static bool take_bytes(struct target_connection *c, struct str bytes)
{
	c->target->counts.bytes_read += bytes.len;
	if (c->first_us == 0)
		c->first_us = clock_monotonic_us();
	/* Answered before all of it was sent. */
	if (c->sent_us == 0)
		c->sent_us = c->first_us;
	if (c->answer.len == 0 && feed(c, bytes))
		return true;
	buf_append_str(&c->answer, bytes);
	if (c->answer.failed) {
		fail_request(c, ERR_LIMIT, "the answer is larger than 128 MiB");
		return true;
	}
	return c->answer.len > bytes.len && feed(c, buf_str(&c->answer));
}

static void socket_ended(struct target_connection *c, bool reset)
{
	if (!reset && http1_end(&c->parser))
		answer_complete(c, str_from_offset(buf_str(&c->answer), c->answer_at), false);
	else
		fail_request(c, ERR_UNREACHABLE,
			     reset ? "the target reset the connection"
				   : "the target closed the connection before its answer was "
				     "complete");
}

/* Until it would block, also after a read that gave less than was asked for: a reset that came with
 * it is told by no other event. */
static void read_answer(struct target_connection *c)
{
	while (c->asked && c->socket.readable) {
		ssize_t got = stream_read(&c->socket, c->target->read, READ_BYTES);

		if (got == STREAM_AGAIN)
			return;
		if (got <= 0) {
			socket_ended(c, got < 0 || c->failed_errno);
			return;
		}
		if (take_bytes(c, str_of(c->target->read, (size_t)got)))
			return;
	}
}

/* --- Sending --- */

/* Up to where the parts that are due reach. */
static size_t due_bytes(struct target_connection *c)
{
	int64_t now = clock_monotonic_ms();
	size_t end = c->sent;

	if (c->part_count == 0)
		return c->len;
	for (size_t i = 0; i < c->part_count && c->parts[i].due_ms <= now; i++)
		end = c->parts[i].end;
	return MAX(end, c->sent);
}

static void on_pace(evutil_socket_t fd, short what, void *user);

static void wait_for_part(struct target_connection *c)
{
	struct timeval delay = {0};
	int64_t ms;

	for (size_t i = 0; i < c->part_count; i++)
		if (c->parts[i].end > c->sent) {
			ms = MAX(c->parts[i].due_ms - clock_monotonic_ms(), (int64_t)0);
			delay = (struct timeval){ms / 1000, ms % 1000 * 1000};
			break;
		}
	if (!c->pace)
		c->pace = evtimer_new(c->target->base, on_pace, c);
	event_add(c->pace, &delay);
	/* Until then it is not the target that is waited for. */
	event_del(c->deadline);
}

/* Of `bytes`, which are the request from `from` on, what is due and has room. False: it failed. */
static bool write_some(struct target_connection *c, struct str bytes, size_t from)
{
	size_t end = due_bytes(c);

	while (c->sent < end && c->socket.writable) {
		const struct iovec part = {(void *)(uintptr_t)(bytes.ptr + (c->sent - from)),
					   end - c->sent};
		ssize_t got = stream_write(&c->socket, &part, 1);

		if (got == STREAM_FAILED)
			return false;
		if (got == STREAM_AGAIN)
			break;
		c->sent += (size_t)got;
		c->target->counts.bytes_written += (uint64_t)got;
	}
	if (c->sent == c->len && c->sent_us == 0) {
		c->sent_us = clock_monotonic_us();
		duration_tally_add(&c->target->counts.sending,
				   c->sent_us - MAX(c->began_us, c->connected_us));
	} else if (c->sent == end && end < c->len) {
		wait_for_part(c);
	}
	return true;
}

/* Who refuses a request while it is sent answers, then closes: the answer is there to be read. */
static void write_failed(struct target_connection *c)
{
	c->socket.readable = c->sent > 0;
	c->failed_errno = EPIPE; /* what was taken here is told by no later call */
	read_answer(c);
	if (c->asked)
		fail_request(c, ERR_UNREACHABLE, "the target reset the connection");
}

static void write_rest(struct target_connection *c)
{
	if (c->sent < c->len && !write_some(c, buf_str(&c->request), c->kept_from))
		write_failed(c);
}

static void on_pace(evutil_socket_t fd, short what, void *user)
{
	struct target_connection *c = user;

	(void)fd;
	(void)what;
	event_add(c->deadline, c->target->read_timeout);
	write_rest(c);
}

/* --- Connecting --- */

static void cannot_connect(struct target_connection *c, int error)
{
	unsigned long tls = ERR_get_error();
	char message[256];

	if (tls && c->socket.handshaking)
		ERR_error_string_n(tls, message, sizeof(message));
	else
		snprintf(message, sizeof(message), "no connection: %s",
			 error ? strerror(error) : "closed");
	fail_request(c, ERR_UNREACHABLE, message);
}

static bool settle(struct target_connection *c)
{
	bool failed = false;

	errno = 0;
	if (!stream_settle(&c->socket, &failed)) {
		if (failed)
			cannot_connect(c, errno);
		return false;
	}
	c->connected = true;
	c->connected_us = clock_monotonic_us();
	c->target->counts.opened++;
	duration_tally_add(&c->target->counts.connecting, c->connected_us - c->connect_us);
	event_add(c->deadline, c->target->read_timeout);
	return true;
}

/* Bytes that nobody asked for, or the end: it is no use. (TLS has its own to say.) What came with
 * the last answer, in the next record of TLS, is told by no event. */
static void look_at_resting(struct target_connection *c)
{
	if (c->socket.readable &&
	    stream_read(&c->socket, c->target->read, READ_BYTES) != STREAM_AGAIN)
		drop_socket(c);
}

static void on_socket(evutil_socket_t fd, short what, void *user)
{
	struct target_connection *c = user;

	(void)fd;
	stream_note(&c->socket, what);
	if (!c->asked) {
		look_at_resting(c);
		return;
	}
	if (!c->connected && !settle(c))
		return;
	if (c->socket.writable)
		write_rest(c);
	if (c->asked && stream_is_open(&c->socket))
		read_answer(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
	struct target_connection *c = user;

	(void)fd;
	(void)what;
	if (c->asked && c->failed_errno && !c->connected)
		cannot_connect(c, c->failed_errno);
	else if (c->asked && c->failed_errno)
		write_failed(c);
	else if (c->asked)
		fail_request(c, ERR_TIMEOUT,
			     c->connected ? "no answer in time" : "no connection in time");
}

/* Told from the loop, as everything else. */
static void fail_later(struct target_connection *c, int error)
{
	c->failed_errno = error ? error : EIO;
	event_active(c->deadline, EV_TIMEOUT, 0);
}

static void start_connecting(struct target_connection *c)
{
	struct target *t = c->target;
	int one = 1,
	    fd = socket(t->address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	SSL *ssl;

	c->connect_us = c->began_us;
	if (fd < 0) {
		fail_later(c, errno);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, t->address->ai_addr, t->address->ai_addrlen) < 0 && errno != EINPROGRESS) {
		fail_later(c, errno);
		close(fd);
		return;
	}
	ssl = t->tls ? target_ssl(t) : NULL;
	if (ssl) {
		SSL_set_fd(ssl, fd);
		SSL_set_connect_state(ssl);
	}
	if (!stream_open(&c->socket, t->base, fd, ssl, on_socket, c)) {
		fail_later(c, ENOMEM);
		return;
	}
	c->socket.connecting = true;
	event_add(c->deadline, t->connect_timeout);
}

struct target_connection *target_connection_new(struct target *target)
{
	struct target_connection *c = mem_zalloc(sizeof(*c));

	c->target = target;
	c->socket.fd = -1;
	c->request = BUF_INIT(SIZE_MAX / 4);
	c->answer = BUF_INIT(TARGET_ANSWER_MAX);
	c->deadline = evtimer_new(target->base, on_deadline, c);
	return c;
}

static void keep_parts(struct target_connection *c, const struct target_request *request)
{
	c->part_count = request->part_count;
	if (request->part_count == 0)
		return;
	c->parts = mem_realloc(c->parts, request->part_count * sizeof(*c->parts));
	memcpy(c->parts, request->parts, request->part_count * sizeof(*c->parts));
}

void target_connection_send(struct target_connection *c, const struct target_request *request,
			    target_done done, void *user)
{
	if (c->asked)
		BUG("two requests at once on a connection of the target");
	if (c->connected && !c->socket.drained)
		look_at_resting(c);
	c->asked = true;
	c->done = done;
	c->user = user;
	c->head_only = request->head_only;
	c->began_us = clock_monotonic_us();
	c->parsed = c->answer_at = c->sent = 0;
	c->sent_us = c->first_us = 0;
	http1_response_init(&c->parser, HTTP1_HEAD_LIMIT_DEFAULT, request->head_only);
	c->len = request->bytes.len;
	c->failed_errno = 0;
	buf_reset(&c->request);
	buf_reset(&c->answer);
	keep_parts(c, request);
	if (c->connected) {
		event_add(c->deadline, c->target->read_timeout);
		if (!write_some(c, request->bytes, 0))
			fail_later(c, errno);
	} else {
		start_connecting(c);
	}
	c->kept_from = c->sent;
	if (c->sent < c->len)
		buf_append_str(&c->request, str_from_offset(request->bytes, c->sent));
}

void target_connection_free(struct target_connection *c)
{
	if (!c)
		return;
	drop_socket(c);
	event_free(c->deadline);
	if (c->pace)
		event_free(c->pace);
	free(c->parts);
	buf_release(&c->request);
	buf_release(&c->answer);
	free(c);
}
