/* One client's connection; the files connection*.c and loop.c. All on its loop's thread. */
#ifndef CAPTURE_CONNECTION_INTERNAL_H
#define CAPTURE_CONNECTION_INTERNAL_H

#include "capture/access_log.h"
#include "capture/activities.h"
#include "capture/flow.h"
#include "capture/gap_marker.h"
#include "capture/lives.h"
#include "capture/proxy.h"
#include "capture/recorder.h"
#include "capture/resolver.h"
#include "net/stream.h"

#include "net/http1.h"

#include <pthread.h>

#define FLOW_BYTES 65536 /* read ahead in each direction */
#define LINGER_MS 2000   /* for a client to take the last answer and close */

struct connection;

struct loop {
	struct proxy *proxy;
	pthread_t thread;
	struct event_base *base;
	struct event *accept_event, *wake_event, *tick_event, *completion_event;
	int listen_fd, wake_fd;
	struct completion_queue *queue;
	struct connection *connections;     /* all, those that only wait for their records, too */
	int64_t now_ms;                     /* monotonic, at the last event */
	atomic_uint_fast64_t buffer_age_ms; /* oldest of its connections at the last tick */
	int64_t oldest_ms;                  /* as far as the tick has come */
	struct gap_marker gaps;
	bool draining;
	bool accept_paused; /* no file descriptor is free; until the next tick */
	atomic_bool drained;
	struct activity_tally tallies[CAPTURE_ACTIVITIES];
};

struct proxy {
	struct proxy_options options;
	struct proxy_counters counters;
	struct gate gate;
	struct loop *loops;
	size_t loop_count;
	uint16_t port;
	char node_id[LIVES_ID + 1];
	struct lives lives; /* the first loop's */
	uint64_t machine;   /* random, of this process */
	atomic_uint_fast64_t sequence;
	atomic_bool draining, stopping;
	atomic_int_fast64_t drain_deadline_ms;
	atomic_int_fast64_t warned_ms; /* the last line about a failure */
	struct resolver *resolver;
};

enum phase {
	PHASE_HEAD,   /* of a request: not complete */
	PHASE_PARKED, /* at the closed gate */
	PHASE_BODY,   /* goes upstream as it comes */
	PHASE_HELD,   /* complete; its record is not stored yet */
	PHASE_SENT,   /* complete and let go; answered when response_done */
	PHASE_TUNNEL, /* no HTTP that we understand: bytes both ways */
	PHASE_LINGER, /* nothing more is served; for the client to take what is left */
	PHASE_CLOSED, /* only its records are under way */
};

/* What the access log says of an exchange; times are clock_monotonic_us. */
struct access {
	char client[64], method[HTTP1_METHOD_MAX + 1], path[512];
	bool begun;
	int64_t first_us, held_us, released_us; /* 0: it never came to that */
	uint64_t waited_us, request_bytes, response_bytes;
};

struct connection {
	struct connection *next, **link;
	struct loop *loop;
	struct stream client, upstream;
	struct destination *destination; /* of upstream; counted */
	struct addresses *addresses;     /* of it; counted, while connecting */
	const struct addrinfo *address;  /* that is being connected to */
	struct flow in, out;             /* of the client; of upstream */
	struct buf head;                 /* a changed head, before what `in` has */
	size_t head_sent;
	bool head_released;
	enum phase phase;
	struct http1 request, response;
	bool response_begun, response_done; /* of the exchange */
	bool recording;                     /* this exchange is in the record */
	bool mutating, inside;              /* inside: of the gate */
	bool served;                        /* something was read from the client */
	bool close_after, write_failed, active_upstream, shut;
	bool sent_some; /* of the exchange's request, to the source; or it may have been */
	bool anew;      /* the exchange has left a connection of the source for another */
	struct recorder recorder;
	uint64_t held_for; /* records that must be stored */
	uint64_t lost_before;
	struct record_time read_time;
	int64_t began_ms;   /* of what is timed: head, connect, hold, linger */
	int64_t moved_ms;   /* bytes moved last */
	int64_t connect_ms; /* when connecting began */
	uint64_t parked_bytes;
	int64_t opened_us;           /* clock_monotonic_us */
	enum capture_activity stage; /* of the exchange; CAPTURE_CONNECTION: none is under way */
	int64_t stage_us;            /* record_time_us of its beginning, or of the last one's end */
	bool was_parked;             /* this request */
	struct access *access;       /* NULL: no access log is kept */
};

/* Takes fd. */
void connection_accept(struct loop *loop, int fd, bool refuse);
/* Goes on as far as it can; the connection may be freed then. */
void connection_run(struct connection *c);
/* Deadlines and flushes. As connection_run. */
void connection_tick(struct connection *c, struct record_time now);
/* At once. As connection_run. */
void connection_close(struct connection *c);
/* Frees it when it is closed and its records are stored. */
bool connection_reap(struct connection *c);

/* --- Between the files of the connection --- */

/* True: something moved. */
bool connection_read_client(struct connection *c);
bool connection_run_request(struct connection *c);
bool connection_write_upstream(struct connection *c);
bool connection_read_upstream(struct connection *c);
bool connection_write_client(struct connection *c);
/* Makes sure of a socket to where the exchange goes. False: it was answered or closed. */
bool connection_connect(struct connection *c, struct destination *destination);
/* True: it is there and ready. */
bool connection_upstream_ready(struct connection *c);
void connection_drop_upstream(struct connection *c);
/* True: nothing of the exchange's request went out yet, so what became of the connection to the
 * source is not about it. It is closed; another one is opened when there is something to send. Once
 * in an exchange. */
bool connection_begin_anew(struct connection *c);
/* Answers with an error of ours, and nothing more after it; closes when the answer of the source
 * has begun. */
void connection_answer(struct connection *c, int status, const char *reason);
void connection_end_exchange(struct connection *c);
/* Serves nothing more; the client may take what is left. */
void connection_linger(struct connection *c);
/* What cannot be parsed goes on as it is. */
void connection_tunnel(struct connection *c, const char *what, const char *reason);
/* --- For the access log; nothing where none is kept --- */

void connection_access_open(struct connection *c);
/* The first bytes of a request. */
void connection_access_arrived(struct connection *c);
void connection_access_request(struct connection *c, struct str head);
void connection_access_held(struct connection *c);
/* All of it may go to the source. */
void connection_access_released(struct connection *c);
/* The line, if a request has begun. `status`: 0: the exchange broke off. */
void connection_access_end(struct connection *c, int status);

/* --- For the metrics: which part of an exchange is under way, since when --- */

/* Something of a request is here. */
void connection_stage_begin(struct connection *c);
/* All of it is; it is held, or goes on. */
void connection_stage_whole(struct connection *c, bool held);
/* It was held, and goes on; `failed`: without its record. Returns how long it was held, in
 * microseconds. */
uint64_t connection_stage_released(struct connection *c, bool failed);
/* Something of the answer came. */
void connection_stage_answer(struct connection *c, struct record_time now);
/* What is under way goes on no longer. */
void connection_stage_break(struct connection *c);

/* Something went on without a record that can be replayed. */
void connection_unrecorded(struct connection *c, const char *reason);
/* What its recorder is, for an id that is new. `id` lives as long as the options are used. */
struct recorder_options connection_recorder_options(struct loop *loop, char id[static 61]);
void connection_warn(struct connection *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
