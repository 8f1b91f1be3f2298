#include "net/metrics_server.h"

#include "base/err.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TEXT_MAX MIB(16)
#define CONNECTIONS_MAX 32
#define IDLE_SECONDS 30
#define PATH "/metrics"
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_server {
	struct MHD_Daemon *daemon;
	metrics_collect collect;
	void *user;
	uint16_t port;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, struct str text,
			     const char *content_type)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	char *copy = str_dup(text);

	response = MHD_create_response_from_buffer(text.len, copy, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(copy);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
	const struct metrics_server *server = user;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, STR("only GET\n"),
			     "text/plain");
	if (strcmp(url, PATH) != 0)
		return reply(connection, MHD_HTTP_NOT_FOUND, STR("only " PATH "\n"), "text/plain");
	server->collect(server->user, &text);
	if (text.failed)
		return reply(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, STR("too many metrics\n"),
			     "text/plain");
	return reply(connection, MHD_HTTP_OK, buf_str(&text), CONTENT_TYPE);
}

static int read_address(const char *host, uint16_t port, union address *out, struct err *err)
{
	*out = (union address){0};
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		return 0;
	}
	return err_set(err, ERR_USAGE,
		       "'%s' is no address to serve metrics on; give one such as 127.0.0.1 or "
		       "0.0.0.0",
		       host);
}

/* The port that was asked for, or the one the system chose. */
static uint16_t bound_port(struct MHD_Daemon *daemon, uint16_t asked)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);

	return asked || !info ? asked : info->port;
}

int metrics_server_start(const struct metrics_server_options *options, metrics_collect collect,
			 void *user, struct metrics_server **out, struct err *err)
{
	const char *host = options->host ? options->host : "127.0.0.1";
	struct metrics_server *server;
	unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD;
	union address address;
	int rc = read_address(host, options->port, &address, err);

	if (rc < 0)
		return rc;
	if (address.any.sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	server = mem_zalloc(sizeof(*server));
	server->collect = collect;
	server->user = user;
	errno = 0;
	server->daemon = MHD_start_daemon(
		flags, options->port, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR,
		&address.any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
	if (!server->daemon) {
		int reason = errno ? errno : EADDRINUSE;

		free(server);
		return err_set_errno(err, ERR_IO, reason, "cannot serve metrics on %s port %u",
				     host, options->port);
	}
	server->port = bound_port(server->daemon, options->port);
	*out = server;
	return 0;
}

uint16_t metrics_server_port(const struct metrics_server *server)
{
	return server->port;
}

void metrics_server_stop(struct metrics_server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
