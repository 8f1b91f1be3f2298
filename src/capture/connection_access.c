#include "capture/connection_internal.h"

#include "base/clock.h"
#include "base/json.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define LINE_BYTES 4096

static void name_peer(int fd, char *text, size_t len)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "";

	if (getpeername(fd, (struct sockaddr *)&address, &size) < 0)
		return;
	if (address.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(text, len, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else if (address.ss_family == AF_INET) {
		const struct sockaddr_in *in = (struct sockaddr_in *)&address;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(text, len, "%s:%u", host, ntohs(in->sin_port));
	}
}

void connection_access_open(struct connection *c)
{
	if (!c->loop->proxy->options.access_log)
		return;
	c->access = mem_zalloc(sizeof(*c->access));
	name_peer(c->client.fd, c->access->client, sizeof(c->access->client));
}

void connection_access_arrived(struct connection *c)
{
	if (c->access && c->access->first_us == 0)
		c->access->first_us = clock_monotonic_us();
}

/* Credentials may stand in a query, and before the host of an absolute target. */
static struct str path_of(struct str target)
{
	const char *query = memchr(target.ptr, '?', target.len);
	struct str path = str_of(target.ptr, query ? (size_t)(query - target.ptr) : target.len);
	const char *host, *slash;

	if (path.len == 0 || path.ptr[0] == '/')
		return path;
	host = memmem(path.ptr, path.len, "://", 3);
	if (!host)
		return STR("*");
	host += 3;
	slash = memchr(host, '/', (size_t)(path.ptr + path.len - host));
	return slash ? str_of(slash, (size_t)(path.ptr + path.len - slash)) : STR("/");
}

void connection_access_request(struct connection *c, struct str head)
{
	struct access *a = c->access;

	if (!a)
		return;
	connection_access_arrived(c);
	a->begun = true;
	snprintf(a->method, sizeof(a->method), "%s", c->request.method);
	snprintf(a->path, sizeof(a->path), STR_FMT, STR_ARG(path_of(http1_target(head))));
}

void connection_access_held(struct connection *c)
{
	if (c->access)
		c->access->held_us = clock_monotonic_us();
}

void connection_access_released(struct connection *c)
{
	struct access *a = c->access;

	if (!a)
		return;
	a->released_us = clock_monotonic_us();
	if (a->held_us > 0)
		a->waited_us = (uint64_t)(a->released_us - a->held_us);
}

static void put_line(struct connection *c, int status, struct buf *line)
{
	const struct access *a = c->access;
	int64_t now = clock_monotonic_us();
	char time[25];

	clock_format_utc(clock_wall_ms() - (now - a->first_us) / 1000, time);
	buf_printf(line, "{\"time\":\"%s\",\"client\":\"%s\",\"method\":\"%s\",\"path\":", time,
		   a->client, a->method);
	json_write_string(line, str_from(a->path));
	buf_printf(line,
		   ",\"status\":%d,\"requestBytes\":%" PRIu64 ",\"bytes\":%" PRIu64
		   ",\"heldMs\":%.3f,\"sourceMs\":%.3f,\"totalMs\":%.3f,\"recorded\":%s}\n",
		   status, a->request_bytes, a->response_bytes, (double)a->waited_us / 1000,
		   a->released_us > 0 ? (double)(now - a->released_us) / 1000 : 0.0,
		   (double)(now - a->first_us) / 1000, c->recording ? "true" : "false");
}

void connection_access_end(struct connection *c, int status)
{
	struct proxy *proxy = c->loop->proxy;
	struct buf line = BUF_INIT(LINE_BYTES);
	struct access *a = c->access;

	if (!a || !a->begun)
		return;
	put_line(c, status, &line);
	access_log_put(proxy->options.access_log, line.failed ? STR_NONE : buf_str(&line));
	buf_release(&line);
	*a = (struct access){0};
	name_peer(c->client.fd, a->client, sizeof(a->client));
}
