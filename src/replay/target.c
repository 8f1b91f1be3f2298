#include "replay/target.h"

#include "base/clock.h"
#include "net/http1.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT_BYTES = 65536 };

struct target {
	struct event_base *base;
	struct arena mem;
	struct url url;
	const char *host; /* for the Host field */
	const char *name; /* NUL-terminated, of the machine */
	struct addrinfo *addresses;
	const struct addrinfo *address; /* the one to try next */
	SSL_CTX *tls;
	bool verify;
	struct timeval connect_timeout, read_timeout;
	struct target_counts counts;
};

struct target_connection {
	struct target *target;
	struct bufferevent *bev;
	struct event *deadline;
	bool connected, asked, reused;
	bool head_only;
	target_done done;
	void *user;
	struct buf request, answer;
	size_t len, sent; /* bytes of the request; those that were given to the socket */
	struct target_part *parts;
	size_t part_count, next_part;
	struct event *pace; /* until the next part is due; NULL: never needed yet */
	size_t parsed;      /* bytes of the answer that the parser has had */
	size_t answer_at;   /* where the answer at hand begins, behind interim ones */
	struct http1 parser;
	int64_t began_ms;
	int64_t sent_us, first_us; /* the request's last byte, the answer's first; 0: not yet */
};

const struct url *target_url(const struct target *t)
{
	return &t->url;
}

const char *target_host(const struct target *t)
{
	return t->host;
}

const struct target_counts *target_counts(const struct target *t)
{
	return &t->counts;
}

static int resolve(struct target *t, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", (unsigned)t->url.port);
	rc = getaddrinfo(t->name, port, &hints, &found);
	if (rc != 0)
		return err_set(err, ERR_UNREACHABLE, "the target's name '%s' does not resolve: %s",
			       t->name, gai_strerror(rc));
	if (t->addresses)
		freeaddrinfo(t->addresses);
	t->addresses = found;
	t->address = found;
	return 0;
}

static int tls_fail(struct err *err, const char *what, const char *path)
{
	char reason[160];

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	return err_set(err, ERR_USAGE, "%s '%s' cannot be used: %s", what, path, reason);
}

static int tls_init(struct target *t, const struct http_options *o, struct err *err)
{
	t->tls = SSL_CTX_new(TLS_client_method());
	if (!t->tls)
		BUG("OpenSSL gives no context");
	SSL_CTX_set_min_proto_version(t->tls, TLS1_2_VERSION);
	t->verify = !o->insecure;
	SSL_CTX_set_verify(t->tls, o->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (o->ca_file) {
		if (SSL_CTX_load_verify_file(t->tls, o->ca_file) != 1)
			return tls_fail(err, "--target-cacert", o->ca_file);
	} else {
		SSL_CTX_set_default_verify_paths(t->tls);
	}
	if (o->client_cert && SSL_CTX_use_certificate_chain_file(t->tls, o->client_cert) != 1)
		return tls_fail(err, "--target-client-cert", o->client_cert);
	if (o->client_key &&
	    SSL_CTX_use_PrivateKey_file(t->tls, o->client_key, SSL_FILETYPE_PEM) != 1)
		return tls_fail(err, "--target-client-cert-key", o->client_key);
	return 0;
}

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){ms / 1000, ms % 1000 * 1000};
}

int target_new(struct event_base *base, const struct http_options *o, struct target **out,
	       struct err *err)
{
	struct target *t = mem_zalloc(sizeof(*t));

	t->base = base;
	t->mem = ARENA_INIT(MIB(1));
	t->connect_timeout = timeval_of(o->connect_timeout_ms ? o->connect_timeout_ms : 10000);
	t->read_timeout = timeval_of(o->request_timeout_ms ? o->request_timeout_ms : 150000);
	if (url_parse(o->host, &t->mem, &t->url, err) < 0)
		goto fail;
	t->name = arena_str(&t->mem, t->url.host).ptr;
	t->host = strchr(t->name, ':') ? arena_printf(&t->mem, "[%s]", t->name).ptr : t->name;
	if ((t->url.tls && tls_init(t, o, err) < 0) || resolve(t, err) < 0)
		goto fail;
	*out = t;
	return 0;
fail:
	target_free(t);
	return -(int)err->kind;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	if (t->addresses)
		freeaddrinfo(t->addresses);
	SSL_CTX_free(t->tls);
	arena_release(&t->mem);
	free(t);
}

static void on_pace(evutil_socket_t fd, short what, void *user);

static void drop_socket(struct target_connection *c)
{
	if (!c->bev)
		return;
	bufferevent_free(c->bev);
	c->bev = NULL;
	if (c->connected)
		c->target->counts.closed++;
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
	/* A connection that rests keeps no large buffers. */
	if (!c->asked && c->answer.capacity > KEPT_BYTES)
		buf_release(&c->answer);
}

/* A name may have several, of which not each is listened at: localhost is ::1 and 127.0.0.1. */
static void try_next_address(struct target *t)
{
	t->address = t->address->ai_next ? t->address->ai_next : t->addresses;
}

static void fail_request(struct target_connection *c, enum err_kind kind, const char *message)
{
	struct target_answer answer = {
		.failed = kind,
		.never_sent = !c->connected ||
			      (c->reused && c->answer.len == 0 && kind == ERR_UNREACHABLE),
		.elapsed_ms = clock_monotonic_ms() - c->began_ms};

	if (!c->connected) {
		c->target->counts.failed++;
		try_next_address(c->target);
	}
	snprintf(answer.message, sizeof(answer.message), "%s", message);
	drop_socket(c);
	end_request(c, &answer);
}

static void answer_complete(struct target_connection *c, bool keep)
{
	struct target_answer answer = {
		.bytes = str_of(c->answer.ptr + c->answer_at, c->parsed - c->answer_at),
		.status = c->parser.status,
		.elapsed_ms = clock_monotonic_ms() - c->began_ms,
		.first_byte_us = c->first_us - c->sent_us,
		.last_byte_us = clock_monotonic_us() - c->sent_us,
	};

	if (keep && c->parser.keep_alive && c->sent == c->len)
		c->reused = true;
	else
		drop_socket(c);
	end_request(c, &answer);
}

/* True: the request has ended, one way or another. */
static bool feed(struct target_connection *c)
{
	for (;;) {
		size_t from = http1_head_done(&c->parser) ? c->parsed : c->answer_at;
		struct str rest = str_from_offset(buf_str(&c->answer), from);
		size_t used = http1_feed(&c->parser, rest);

		c->parsed = from + used;
		if (c->parser.state == HTTP1_FAILED) {
			fail_request(c, ERR_FORMAT, c->parser.reason);
			return true;
		}
		if (c->parser.state == HTTP1_DONE && http1_is_interim(&c->parser)) {
			c->answer_at = c->parsed;
			c->first_us = c->parsed < c->answer.len ? c->first_us : 0;
			http1_response_init(&c->parser, HTTP1_HEAD_LIMIT_DEFAULT, c->head_only);
			if (c->parsed < c->answer.len)
				continue;
			return false;
		}
		if (c->parser.state == HTTP1_DONE) {
			/* What comes behind an answer nobody asked for: that connection is no use.
			 */
			answer_complete(c, c->parsed == c->answer.len);
			return true;
		}
		if (used == 0 || c->parsed == c->answer.len)
			return false;
	}
}

static void on_read(struct bufferevent *bev, void *user)
{
	struct target_connection *c = user;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);
	void *to;

	c->target->counts.bytes_read += len;
	if (!c->asked) {
		drop_socket(c);
		return;
	}
	if (c->first_us == 0)
		c->first_us = clock_monotonic_us();
	/* Answered before all of it was sent. */
	if (c->sent_us == 0)
		c->sent_us = c->first_us;
	to = buf_reserve(&c->answer, len);
	if (!to) {
		fail_request(c, ERR_LIMIT, "the answer is larger than 128 MiB");
		return;
	}
	evbuffer_remove(in, to, len);
	c->answer.len += len;
	feed(c);
}

/* Up to where the parts that are due reach. */
static size_t due_bytes(struct target_connection *c)
{
	int64_t now = clock_monotonic_ms();
	size_t end = c->sent;

	if (c->part_count == 0)
		return c->len;
	while (c->next_part < c->part_count && c->parts[c->next_part].due_ms <= now)
		end = c->parts[c->next_part++].end;
	return end;
}

static void wait_for_part(struct target_connection *c)
{
	int64_t ms = c->parts[c->next_part].due_ms - clock_monotonic_ms();
	const struct timeval delay = {MAX(ms, (int64_t)0) / 1000,
				      MAX(ms, (int64_t)0) % 1000 * 1000};

	if (!c->pace)
		c->pace = evtimer_new(c->target->base, on_pace, c);
	event_add(c->pace, &delay);
}

static void write_request(struct target_connection *c)
{
	size_t end = due_bytes(c);

	event_add(c->deadline, &c->target->read_timeout);
	if (end > c->sent) {
		c->target->counts.bytes_written += end - c->sent;
		bufferevent_write(c->bev, c->request.ptr + c->sent, end - c->sent);
		c->sent = end;
	}
	if (c->sent < c->len)
		wait_for_part(c);
	else if (c->request.capacity > KEPT_BYTES)
		buf_release(&c->request);
}

static void on_pace(evutil_socket_t fd, short what, void *user)
{
	(void)fd;
	(void)what;
	write_request(user);
}

/* All that there was to write is the kernel's. */
static void on_written(struct bufferevent *bev, void *user)
{
	struct target_connection *c = user;

	(void)bev;
	if (c->asked && c->sent_us == 0 && c->sent == c->len)
		c->sent_us = clock_monotonic_us();
}

static void on_event(struct bufferevent *bev, short what, void *user)
{
	struct target_connection *c = user;
	int error = EVUTIL_SOCKET_ERROR();

	if (what & BEV_EVENT_CONNECTED) {
		int one = 1;

		setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c->connected = true;
		c->target->counts.opened++;
		write_request(c);
		return;
	}
	if (!c->asked) {
		drop_socket(c);
		return;
	}
	if (c->connected && evbuffer_get_length(bufferevent_get_input(bev)) > 0) {
		on_read(bev, user);
		if (!c->asked || c->bev != bev)
			return;
	}
	if (c->connected && (what & BEV_EVENT_EOF) && http1_end(&c->parser)) {
		answer_complete(c, false);
	} else if (!c->connected) {
		unsigned long tls = bufferevent_get_openssl_error(bev);
		char message[256];

		if (tls)
			ERR_error_string_n(tls, message, sizeof(message));
		else
			snprintf(message, sizeof(message), "no connection: %s",
				 error ? strerror(error) : "closed");
		fail_request(c, ERR_UNREACHABLE, message);
	} else {
		fail_request(c, ERR_UNREACHABLE,
			     what & BEV_EVENT_EOF ? "the target closed the connection before its "
						    "answer was complete"
						  : "the target reset the connection");
	}
}

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
	struct target_connection *c = user;

	(void)fd;
	(void)what;
	if (c->asked)
		fail_request(c, ERR_TIMEOUT,
			     c->connected ? "no answer in time" : "no connection in time");
}

static SSL *tls_of(struct target_connection *c)
{
	struct target *t = c->target;
	SSL *ssl = SSL_new(t->tls);
	unsigned char address[16];
	bool is_address = inet_pton(AF_INET, t->name, address) == 1 ||
			  inet_pton(AF_INET6, t->name, address) == 1;

	if (!ssl)
		BUG("OpenSSL gives no connection");
	if (!is_address)
		SSL_set_tlsext_host_name(ssl, t->name);
	if (t->verify && is_address)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->name);
	else if (t->verify)
		SSL_set1_host(ssl, t->name);
	return ssl;
}

static void start_connecting(struct target_connection *c)
{
	struct target *t = c->target;
	const int flags = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;

	c->bev = t->tls ? bufferevent_openssl_socket_new(t->base, -1, tls_of(c),
							 BUFFEREVENT_SSL_CONNECTING, flags)
			: bufferevent_socket_new(t->base, -1, flags);
	if (!c->bev)
		BUG("libevent gives no connection");
	if (t->tls)
		bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	event_add(c->deadline, &t->connect_timeout);
	if (bufferevent_socket_connect(c->bev, t->address->ai_addr, (int)t->address->ai_addrlen) <
	    0) {
		/* Told from the loop, as everything else. */
		const struct timeval now = {0};

		event_add(c->deadline, &now);
	}
}

struct target_connection *target_connection_new(struct target *target)
{
	struct target_connection *c = mem_zalloc(sizeof(*c));

	c->target = target;
	c->request = BUF_INIT(SIZE_MAX / 4);
	c->answer = BUF_INIT(TARGET_ANSWER_MAX);
	c->deadline = evtimer_new(target->base, on_deadline, c);
	return c;
}

static void keep_parts(struct target_connection *c, const struct target_request *request)
{
	c->part_count = request->part_count;
	c->next_part = 0;
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
	c->asked = true;
	c->done = done;
	c->user = user;
	c->head_only = request->head_only;
	c->began_ms = clock_monotonic_ms();
	c->parsed = c->answer_at = c->sent = 0;
	c->sent_us = c->first_us = 0;
	http1_response_init(&c->parser, HTTP1_HEAD_LIMIT_DEFAULT, request->head_only);
	buf_reset(&c->request);
	buf_reset(&c->answer);
	buf_append_str(&c->request, request->bytes);
	c->len = request->bytes.len;
	keep_parts(c, request);
	if (c->bev)
		write_request(c);
	else
		start_connecting(c);
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
