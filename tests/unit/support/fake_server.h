/* An HTTP server on 127.0.0.1 that answers what a test tells it to, byte for byte. */
#ifndef SUPPORT_FAKE_SERVER_H
#define SUPPORT_FAKE_SERVER_H

#include "base/buf.h"

struct fake_request {
	size_t number;   /* from 0, over all connections */
	size_t client;   /* number of the connection, from 0 */
	struct str head; /* request line and header fields */
	struct str body; /* inflated if it came as gzip */
};

enum fake_end {
	FAKE_KEEP,   /* the connection stays open */
	FAKE_CLOSE,  /* closed after the answer */
	FAKE_RESET,  /* closed with a TCP reset after the answer */
	FAKE_SILENT, /* nothing is sent, the connection stays open */
};

struct fake_reply {
	struct buf bytes; /* the whole answer as it goes out */
	enum fake_end end;
};

typedef void (*fake_handler)(void *user, const struct fake_request *request,
			     struct fake_reply *reply);

struct fake_server;

/* `handle` is called by one thread at a time. */
struct fake_server *fake_server_start(fake_handler handle, void *user);
/* From now on larger bodies (as sent) are refused before they come: with 413 if the client asks
 * first ("Expect: 100-continue"), else with a TCP reset. */
void fake_server_refuse_above(struct fake_server *server, size_t body_bytes);
/* "http://127.0.0.1:PORT" */
const char *fake_server_url(const struct fake_server *server);
/* Waits until that many requests have come. */
void fake_server_await(struct fake_server *server, size_t requests);
size_t fake_server_requests(struct fake_server *server);
/* Stops listening: connections are refused from now on, those that are open are cut. */
void fake_server_stop(struct fake_server *server);
void fake_server_free(struct fake_server *server);

/* A whole answer. `fields` holds further header lines, each ended with \r\n. */
void fake_reply_write(struct fake_reply *reply, int status, const char *fields, struct str body);
void fake_reply_json(struct fake_reply *reply, int status, const char *json);

/* Whether the head has this line, as it is. */
bool fake_request_has(const struct fake_request *request, const char *line);

#endif
