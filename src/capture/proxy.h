/* The capture proxy: clients' connections go to the source as they come, and into a sink.
 *
 * Threads of its own, one event loop each, with a listening socket each (SO_REUSEPORT). A
 * connection lives on one loop, its socket to the source too. Requests of a connection are sent one
 * after the other, so that each answer stands behind its request in the record. */
#ifndef CAPTURE_PROXY_H
#define CAPTURE_PROXY_H

#include "capture/access_log.h"
#include "capture/activities.h"
#include "capture/counters.h"
#include "capture/destination.h"
#include "capture/gate.h"
#include "capture/rewrite.h"
#include "capture/rules.h"
#include "capture/sink.h"
#include "capture/server_tls.h"

enum capture_failure_policy {
	CAPTURE_FAILURE_BLOCK,   /* the request is answered with 503, what is no HTTP with 400 */
	CAPTURE_FAILURE_FORWARD, /* it goes on without a record; counted as a gap */
};

/* Pointers are borrowed for the life of the proxy. */
struct proxy_options {
	const char *listen_host;         /* address */
	uint16_t listen_port;            /* 0: any that is free, see proxy_port */
	const int *listen_fds;           /* instead: sockets that listen already; taken */
	size_t listen_fd_count;          /* 0: none; at most PROXY_LISTENERS_MAX */
	size_t threads;                  /* 0: as many as processors */
	struct destination *destination; /* taken */
	struct sink *sink;               /* NULL: nothing is recorded */
	const char *lives;      /* file of who wrote to the sink, see lives.h; NULL: none */
	struct server_tls *tls; /* NULL: plain */
	size_t record_limit;    /* bytes of a record */
	size_t head_limit;      /* bytes of a request's head, and of a response's */
	size_t max_connections;
	int64_t idle_timeout_ms;    /* between requests, and of a client that takes nothing */
	int64_t header_timeout_ms;  /* for a head to be complete */
	int64_t connect_timeout_ms; /* to the source */
	int64_t flush_ms;           /* age at which observations become a record */
	enum capture_failure_policy policy;
	int64_t capture_timeout_ms; /* for a request's record to be stored */
	int64_t hold_limit_ms;      /* of the gate */
	uint64_t hold_limit_bytes;
	const struct set_header *set_headers;
	size_t set_header_count;
	const struct suppress_rules *suppress;
	bool redact_auth;
	struct access_log *access_log; /* NULL: none is kept */
	/* A line for the operator, at most one a second of each kind. Any thread. */
	void (*warn)(void *user, const char *message);
	void *user;
};

#define PROXY_LISTENERS_MAX 64

struct proxy;

/* Listens and serves from now on. ERR_USAGE, ERR_IO: names the address. */
int proxy_start(const struct proxy_options *options, struct proxy **out, struct err *err);
uint16_t proxy_port(const struct proxy *proxy);
/* The sockets it listens on, the proxy's; how many. Not after proxy_drain. */
size_t proxy_listeners(const struct proxy *proxy, int *fds, size_t most);
const struct proxy_counters *proxy_counters(const struct proxy *proxy);
/* Of all its loops. */
struct duration_tally proxy_activity(const struct proxy *proxy, enum capture_activity activity);
/* Age of the oldest observation that is in no record yet. */
uint64_t proxy_buffer_age_ms(const struct proxy *proxy);
struct gate *proxy_gate(struct proxy *proxy);
/* After the gate has been opened or closed: requests in front of it look again; on closing, all
 * that is not in a record becomes one. */
void proxy_gate_moved(struct proxy *proxy);
/* Listens no more, ends connections between requests, others after their answer; after timeout_ms
 * all. Does not wait. */
void proxy_drain(struct proxy *proxy, int64_t timeout_ms);
bool proxy_drains(const struct proxy *proxy);
/* No connection is left, all records are stored. Only after proxy_drain. */
bool proxy_is_drained(const struct proxy *proxy);
/* Ends all at once, records stored. Frees. Accepts NULL. */
void proxy_stop(struct proxy *proxy);

#endif
