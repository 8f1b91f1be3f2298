/* sink LATENCY_MS
 *
 * A target that costs nothing: on 127.0.0.1 it says that it is an OpenSearch 2.19, takes every
 * bulk, waits, and answers that all is well. What came is counted and thrown away. Prints its port,
 * then runs until it is killed. GET /_sink tells {"documents","bytes","bulks"}. */
#include "base/buf.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOT                                                                                    \
	"{\"name\":\"sink\",\"cluster_name\":\"sink\",\"cluster_uuid\":\"sink\",\"version\":{"  \
	"\"distribution\":\"opensearch\",\"number\":\"2.19.0\",\"lucene_version\":\"9.12.1\"}," \
	"\"tagline\":\"The OpenSearch Project: https://opensearch.org/\"}"
#define CHUNK KIB(256)

static struct {
	long latency_ms;
	_Atomic uint64_t documents, bytes, bulks;
} sink;

struct connection {
	int fd;
	struct buf in;  /* what of a request is read and not used */
	struct buf out; /* the answer */
};

/* Reads more behind what is there. False: the client is gone. */
static bool read_more(struct connection *c)
{
	char *room = buf_reserve(&c->in, CHUNK);
	ssize_t n = room ? recv(c->fd, room, CHUNK, 0) : -1;

	if (n > 0)
		c->in.len += (size_t)n;
	return n > 0;
}

static void send_all(struct connection *c, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes = str_from_offset(bytes, (size_t)n);
	}
}

static void answer(struct connection *c, struct str body)
{
	cleanup(buf_release) struct buf head = BUF_INIT(KIB(4));

	buf_printf(
		&head,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		body.len);
	send_all(c, buf_str(&head));
	send_all(c, body);
}

static size_t count_lines(struct str body)
{
	const char *at = body.ptr, *end = body.ptr + body.len;
	size_t lines = 0;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		lines++;
	}
	return lines;
}

/* Takes `length` bytes of body; returns how many lines they were. */
static size_t discard(struct connection *c, size_t length)
{
	size_t lines = 0;

	while (length > 0) {
		size_t n = MIN(length, c->in.len);

		lines += count_lines(str_of(c->in.ptr, n));
		length -= n;
		memmove(c->in.ptr, c->in.ptr + n, c->in.len - n);
		c->in.len -= n;
		if (length > 0 && !read_more(c))
			return 0;
	}
	return lines;
}

static void answer_bulk(struct connection *c, size_t documents, size_t bytes)
{
	struct timespec delay = {sink.latency_ms / 1000, sink.latency_ms % 1000 * 1000000};

	sink.documents += documents;
	sink.bytes += bytes;
	sink.bulks++;
	buf_reset(&c->out);
	buf_append_str(&c->out, STR("{\"took\":1,\"errors\":false,\"items\":["));
	for (size_t i = 0; i < documents; i++)
		buf_append_str(&c->out, i ? STR(",{\"index\":{\"status\":201}}")
					  : STR("{\"index\":{\"status\":201}}"));
	buf_append_str(&c->out, STR("]}"));
	nanosleep(&delay, NULL);
	answer(c, buf_str(&c->out));
}

static void answer_other(struct connection *c, struct str target)
{
	buf_reset(&c->out);
	if (str_is(target, "/"))
		buf_append_str(&c->out, STR(ROOT));
	else if (str_is(target, "/_sink"))
		buf_printf(&c->out, "{\"documents\":%llu,\"bytes\":%llu,\"bulks\":%llu}",
			   (unsigned long long)sink.documents, (unsigned long long)sink.bytes,
			   (unsigned long long)sink.bulks);
	else if (memmem(target.ptr, target.len, "/_count", 7))
		buf_printf(&c->out, "{\"count\":%llu}", (unsigned long long)sink.documents);
	else
		buf_append_str(&c->out, STR("{\"acknowledged\":true}"));
	answer(c, buf_str(&c->out));
}

static size_t content_length(struct str head)
{
	struct str line;

	while (str_split(head, '\n', &line, &head))
		if (line.len > 15 && strncasecmp(line.ptr, "Content-Length:", 15) == 0)
			return strtoul(line.ptr + 15, NULL, 10);
	return 0;
}

/* One request whose head ends at `head_length`. */
static void serve_request(struct connection *c, size_t head_length)
{
	struct str head = str_of(c->in.ptr, head_length), method, target, rest;
	size_t length = content_length(head), lines;
	bool bulk;

	str_split(head, ' ', &method, &rest);
	str_split(rest, ' ', &target, &rest);
	bulk = memmem(target.ptr, target.len, "/_bulk", 6) != NULL;
	if (memmem(head.ptr, head.len, "100-continue", 12))
		send_all(c, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	if (!bulk)
		answer_other(c, target);
	memmove(c->in.ptr, c->in.ptr + head_length, c->in.len - head_length);
	c->in.len -= head_length;
	lines = discard(c, length);
	if (bulk)
		answer_bulk(c, lines / 2, length);
}

static void *serve(void *user)
{
	struct connection c = {
		.fd = (int)(intptr_t)user, .in = BUF_INIT(MIB(1)), .out = BUF_INIT(MIB(64))};

	do {
		const char *end;

		while (c.in.len && (end = memmem(c.in.ptr, c.in.len, "\r\n\r\n", 4)))
			serve_request(&c, (size_t)(end - c.in.ptr) + 4);
	} while (read_more(&c));
	close(c.fd);
	buf_release(&c.in);
	buf_release(&c.out);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;
	socklen_t size = sizeof(address);
	pthread_t thread;

	if (argc != 2) {
		fprintf(stderr, "usage: sink LATENCY_MS\n");
		return 2;
	}
	sink.latency_ms = strtol(argv[1], NULL, 10);
	if (bind(listener, (const struct sockaddr *)&address, size) < 0 ||
	    listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) < 0) {
		perror("sink");
		return 6;
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
			BUG("no thread");
		pthread_detach(thread);
	}
	return 0;
}
