/* A small HTTP server for GET /metrics, on threads of its own. */
#ifndef NET_METRICS_SERVER_H
#define NET_METRICS_SERVER_H

#include "base/buf.h"

struct metrics_server;

struct metrics_server_options {
	const char *host; /* IPv4 or IPv6 address to listen on; NULL: 127.0.0.1 */
	uint16_t port;    /* 0: any that is free, see metrics_server_port */
};

/* Appends the text of base/metrics.h. Called from the server's thread, one call at a time. */
typedef void (*metrics_collect)(void *user, struct buf *out);

/* Listens from now on. ERR_USAGE for a host that is no address; ERR_IO when it cannot listen there:
 * the message names address and port. */
int metrics_server_start(const struct metrics_server_options *options, metrics_collect collect,
			 void *user, struct metrics_server **out, struct err *err);
uint16_t metrics_server_port(const struct metrics_server *server);
/* No more calls of `collect` after it. Accepts NULL. */
void metrics_server_stop(struct metrics_server *server);

#endif
