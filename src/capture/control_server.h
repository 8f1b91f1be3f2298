/* The control socket of a proxy: one line in, one JSON line out, then closed.
 *
 *     status | hold | switch URL [capture] | release | drain | listeners
 *
 * listeners: the sockets that the proxy listens on come along (SCM_RIGHTS), so that whoever starts
 * another one in its place can give them to that (LISTEN_FDS) and no connection is refused.
 */
#ifndef CAPTURE_CONTROL_SERVER_H
#define CAPTURE_CONTROL_SERVER_H

#include "base/buf.h"
#include "capture/proxy.h"

struct control_server;

struct control_options {
	const char *path; /* of the socket, which is made 0600; borrowed */
	struct proxy *proxy;
	struct sink *sink;                  /* NULL: nothing is recorded */
	struct destination_tls destination; /* for the URL of a switch */
	int64_t drain_timeout_ms;
	void (*warn)(void *user, const char *message); /* the gate opened by itself */
	void *user;
};

/* ERR_CONFLICT: another proxy answers there. ERR_IO. */
int control_server_open(const struct control_options *options, struct control_server **out,
			struct err *err);
/* Readable while a client waits. */
int control_server_fd(const struct control_server *server);
/* Serves one client, at most a second; does not wait for one. */
void control_server_serve(struct control_server *server);
/* Opens the gate when its time or room is over. Call it every 100 ms or so. */
void control_server_tick(struct control_server *server);
/* `drain` was asked for. */
bool control_server_drains(const struct control_server *server);
/* Removes the socket. Accepts NULL. */
void control_server_close(struct control_server *server);

/* What a client does: sends `line`, appends the answer. ERR_NOT_FOUND: no proxy answers there. */
int control_ask(const char *path, struct str line, struct buf *answer, struct err *err);
/* The sockets of the proxy that runs, the caller's from now on: room for PROXY_LISTENERS_MAX.
 * ERR_CONFLICT: it ends already, or is of a version that does not give them. */
int control_take_listeners(const char *path, int *fds, size_t *count, struct err *err);

#endif
