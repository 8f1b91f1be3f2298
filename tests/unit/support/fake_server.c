#include "fake_server.h"

#include <arpa/inet.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_CLIENTS 4096
#define LARGEST_REQUEST MIB(64)

struct fake_client {
	struct fake_server *server;
	pthread_t thread;
	size_t number;
	int fd;
};

struct fake_server {
	fake_handler handle;
	void *user;
	pthread_t acceptor;
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	struct fake_client clients[MOST_CLIENTS];
	size_t client_count, requests;
	_Atomic size_t largest_body;
	int listener;
	bool stopped;
	char url[64];
};

/* Where the body begins, and its length in *body; 0 while the head is not whole. */
static size_t read_head(const struct buf *in, struct fake_request *request, size_t *body)
{
	const char *end = in->len ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
	struct str line, rest;

	*request = (struct fake_request){0};
	*body = 0;
	/* Whoever begins a TLS handshake waits for an answer to that. */
	if (in->len && in->ptr[0] == 0x16)
		return in->len;
	if (!end)
		return 0;
	request->head = str_of(in->ptr, (size_t)(end - in->ptr) + 2);
	rest = request->head;
	while (str_split(rest, '\n', &line, &rest))
		if (line.len > 15 && strncasecmp(line.ptr, "Content-Length:", 15) == 0)
			*body = strtoul(line.ptr + 15, NULL, 10);
	return request->head.len + 2;
}

static void inflate_body(struct fake_request *request, struct buf *room)
{
	struct libdeflate_decompressor *d;
	size_t got;

	if (!fake_request_has(request, "Content-Encoding: gzip"))
		return;
	buf_reset(room);
	buf_reserve(room, MIB(16));
	d = libdeflate_alloc_decompressor();
	if (libdeflate_gzip_decompress(d, request->body.ptr, request->body.len, room->ptr, MIB(16),
				       &got) != LIBDEFLATE_SUCCESS)
		BUG("the request is not gzip");
	libdeflate_free_decompressor(d);
	request->body = str_of(room->ptr, got);
}

static void send_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes = str_from_offset(bytes, (size_t)sent);
	}
}

static void close_with_reset(int fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

/* Answers one request. False: the connection is to be closed. */
static bool answer(struct fake_client *client, struct fake_request *request, struct buf *room)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(MIB(64));
	struct fake_reply reply = {.bytes = bytes};
	struct fake_server *server = client->server;
	bool to_head;

	inflate_body(request, room);
	to_head = str_starts(request->head, STR("HEAD "));
	pthread_mutex_lock(&server->lock);
	request->number = server->requests++;
	request->client = client->number;
	server->handle(server->user, request, &reply);
	pthread_cond_broadcast(&server->arrived);
	pthread_mutex_unlock(&server->lock);
	bytes = reply.bytes;
	if (to_head)
		bytes.len = (size_t)((char *)memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4) + 4 -
				     bytes.ptr);
	if (reply.end != FAKE_SILENT)
		send_all(client->fd, buf_str(&bytes));
	if (reply.end == FAKE_RESET)
		close_with_reset(client->fd);
	return reply.end == FAKE_KEEP || reply.end == FAKE_SILENT;
}

/* Before the body has come: lets it come, or not. False: the connection is to be closed. */
static bool greet(struct fake_client *client, const struct fake_request *request, size_t body)
{
	bool asks = fake_request_has(request, "Expect: 100-continue");
	bool refused = body > client->server->largest_body;

	if (refused && asks)
		send_all(client->fd, STR("HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n"));
	else if (refused)
		close_with_reset(client->fd);
	else if (asks)
		send_all(client->fd, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	return !refused;
}

/* Answers what of whole requests is in `in`. False: the connection is to be closed. */
static bool answer_all(struct fake_client *client, struct buf *in, struct buf *room, bool *greeted)
{
	struct fake_request request;
	size_t head, body;
	bool open = true;

	while (open && (head = read_head(in, &request, &body)) > 0) {
		if (!*greeted && !(*greeted = greet(client, &request, body)))
			return false;
		if (in->len < head + body)
			return true;
		request.body = str_of(in->ptr + head, body);
		open = answer(client, &request, room);
		memmove(in->ptr, in->ptr + head + body, in->len - head - body);
		in->len -= head + body;
		*greeted = false;
	}
	return open;
}

static void *serve(void *user)
{
	cleanup(buf_release) struct buf in = BUF_INIT(LARGEST_REQUEST);
	cleanup(buf_release) struct buf room = BUF_INIT(LARGEST_REQUEST);
	struct fake_client *client = user;
	bool open = true, greeted = false;
	ssize_t got;

	while (open && (got = recv(client->fd, buf_reserve(&in, KIB(64)), KIB(64), 0)) > 0) {
		in.len += (size_t)got;
		open = answer_all(client, &in, &room, &greeted);
	}
	pthread_mutex_lock(&client->server->lock);
	close(client->fd);
	client->fd = -1;
	pthread_mutex_unlock(&client->server->lock);
	return NULL;
}

static void *accept_all(void *user)
{
	struct fake_server *server = user;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		struct fake_client *client;

		pthread_mutex_lock(&server->lock);
		if (server->client_count == MOST_CLIENTS)
			BUG("more connections than a test should need");
		client = &server->clients[server->client_count];
		*client = (struct fake_client){
			.server = server, .fd = fd, .number = server->client_count++};
		if (server->stopped)
			shutdown(fd, SHUT_RDWR);
		if (pthread_create(&client->thread, NULL, serve, client) != 0)
			BUG("no thread");
		pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

struct fake_server *fake_server_start(fake_handler handle, void *user)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fake_server *server = mem_zalloc(sizeof(*server));
	socklen_t size = sizeof(address);

	server->handle = handle;
	server->user = user;
	server->largest_body = SIZE_MAX;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->arrived, NULL);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server->listener, (const struct sockaddr *)&address, size) < 0 ||
	    listen(server->listener, 1024) < 0 ||
	    getsockname(server->listener, (struct sockaddr *)&address, &size) < 0)
		BUG("no port to listen on");
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", ntohs(address.sin_port));
	if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0)
		BUG("no thread");
	return server;
}

void fake_server_refuse_above(struct fake_server *server, size_t body_bytes)
{
	server->largest_body = body_bytes;
}

const char *fake_server_url(const struct fake_server *server)
{
	return server->url;
}

void fake_server_await(struct fake_server *server, size_t requests)
{
	pthread_mutex_lock(&server->lock);
	while (server->requests < requests)
		pthread_cond_wait(&server->arrived, &server->lock);
	pthread_mutex_unlock(&server->lock);
}

size_t fake_server_requests(struct fake_server *server)
{
	size_t requests;

	pthread_mutex_lock(&server->lock);
	requests = server->requests;
	pthread_mutex_unlock(&server->lock);
	return requests;
}

void fake_server_stop(struct fake_server *server)
{
	if (server->stopped)
		return;
	pthread_mutex_lock(&server->lock);
	server->stopped = true;
	shutdown(server->listener, SHUT_RDWR);
	for (size_t i = 0; i < server->client_count; i++)
		if (server->clients[i].fd >= 0)
			shutdown(server->clients[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
	pthread_join(server->acceptor, NULL);
	close(server->listener);
	for (size_t i = 0; i < server->client_count; i++)
		pthread_join(server->clients[i].thread, NULL);
}

void fake_server_free(struct fake_server *server)
{
	fake_server_stop(server);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->arrived);
	free(server);
}

void fake_reply_write(struct fake_reply *reply, int status, const char *fields, struct str body)
{
	buf_printf(&reply->bytes, "HTTP/1.1 %d Fake\r\nContent-Length: %zu\r\n%s\r\n", status,
		   body.len, fields);
	buf_append_str(&reply->bytes, body);
}

void fake_reply_json(struct fake_reply *reply, int status, const char *json)
{
	fake_reply_write(reply, status, "Content-Type: application/json\r\n", str_from(json));
}

bool fake_request_has(const struct fake_request *request, const char *line)
{
	size_t len = strlen(line);
	struct str rest = request->head, one;

	while (str_split(rest, '\n', &one, &rest))
		if (one.len == len + 1 && memcmp(one.ptr, line, len) == 0)
			return true;
	return false;
}
