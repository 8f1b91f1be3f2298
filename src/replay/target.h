/* Connections to the target on an event loop: one request at a time on each, kept alive. HTTP/1.1
 * by net/http1.h: interim answers are passed over, HEAD has no body, an end by close is one.
 * Single-threaded. */
#ifndef REPLAY_TARGET_H
#define REPLAY_TARGET_H

#include "base/duration_tally.h"
#include "net/http_client.h"

#include <event2/event.h>

#define TARGET_ANSWER_MAX MIB(128) /* bytes of one answer */

struct target;

/* Resolves the name, reads certificates. `options` are borrowed: host, ca_file, client_cert,
 * client_key, insecure and the timeouts count here (connect 10 s, request 150 s, from the handing
 * over of a request, or of its last part that was due, to the last byte of the answer). */
int target_new(struct event_base *base, const struct http_options *options, struct target **out,
	       struct err *err);
/* All of its connections are freed before it. Accepts NULL. */
void target_free(struct target *target);
const struct url *target_url(const struct target *target);
/* What to send as Host: the name without a port, as the Java replayer does. */
const char *target_host(const struct target *target);

struct target_counts {
	uint64_t opened, closed, failed; /* connections so far; those never established */
	uint64_t bytes_written, bytes_read;
	struct duration_tally lifetimes, connecting; /* of connections, to their end */
	struct duration_tally sending, waiting,
		receiving; /* of requests: until the last byte is
			      sent, the first comes, the last does */
};
const struct target_counts *target_counts(const struct target *target);

/* What became of a request. */
struct target_answer {
	struct str bytes;     /* the final answer, head and body; valid during the call */
	int status;           /* 0: there is none, see `failed` */
	enum err_kind failed; /* ERR_UNREACHABLE, ERR_TIMEOUT, ERR_FORMAT, ERR_LIMIT */
	bool never_sent;      /* the connection could not be made, or was closed by the target while
				 nobody asked: sending again repeats nothing */
	char message[256];
	int64_t elapsed_ms; /* from the request's handing over */
	int64_t first_byte_us,
		last_byte_us; /* of the answer, from when the request was sent whole */
};
typedef void (*target_done)(void *user, const struct target_answer *answer);

struct target_connection;

/* Connects when the first request comes. */
struct target_connection *target_connection_new(struct target *target);
/* The bytes of a request up to `end` that are not sent yet go out then. */
struct target_part {
	size_t end;
	int64_t due_ms; /* of the monotonic clock */
};
struct target_request {
	struct str bytes; /* copied */
	bool head_only;
	const struct target_part *parts; /* copied; rising, the last ends where `bytes` end */
	size_t part_count;               /* 0: all at once */
};
/* `done` is called once, from the event loop. Not while one is under way. An answer that comes
 * before all is sent ends the request, and the connection. */
void target_connection_send(struct target_connection *c, const struct target_request *request,
			    target_done done, void *user);
/* What is under way is forgotten, its `done` not called. Accepts NULL. */
void target_connection_free(struct target_connection *c);

#endif
