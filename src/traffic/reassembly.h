/* Records -> requests and responses, in the order of each connection (node id and connection id).
 *
 * A request is given as soon as its end of message is read; its response when the next request
 * begins, the connection closes or fails, or nothing was heard of it for a while (settle_ms of wall
 * clock, since nothing newer may ever come). Records of one connection may come out of order, as in
 * old topics keyed connectionId.index: they wait for the ones before them. Single-threaded.
 *
 *      records -> [order by number] -> AWAITING_READ <-----------------------------+
 *                                      | read                                      |
 *                                      v            dropped                        |
 *       mid-request start -> SKIPPING  READING -----------------------------------> +
 *             | end of message |       | end of message: request()                 |
 *             +----------------+-----> WRITING --- next read, close, settled ------>+
 *                                               response() */
#ifndef TRAFFIC_REASSEMBLY_H
#define TRAFFIC_REASSEMBLY_H

#include "traffic/record_source.h"

struct reassembly;

enum captured_end {
	CAPTURED_OPEN,      /* the response is still to come */
	CAPTURED_COMPLETE,  /* the next request began, or the connection was closed */
	CAPTURED_SETTLED,   /* nothing more was heard for settle_ms */
	CAPTURED_EXCEPTION, /* the connection failed */
	CAPTURED_DROPPED,   /* the source never got the request: the capture took it back */
	CAPTURED_EXPIRED,   /* a limit of memory made it end, or records are missing behind it */
	CAPTURED_CUT,       /* the input ended, or the partition is read elsewhere: do not commit */
};
const char *captured_end_name(enum captured_end end);

/* Bytes of one direction, as they came: pieces with the time of each. */
struct captured_piece {
	struct record_time time;
	size_t end; /* bytes of the message up to here */
};
struct captured_message {
	char *bytes; /* owned by the transaction; NULL when empty */
	size_t len;
	struct captured_piece *pieces;
	size_t piece_count;
};

/* One request and its response. Owned by whoever got it with request(), from then on; the
 * reassembly fills `response` and `end` until it gave response(). */
struct captured_transaction {
	struct str node_id, connection_id; /* live as long as the transaction */
	uint64_t connection; /* a number for this connection, unique in this reassembly */
	uint32_t partition;  /* of the record that its request ends in */
	int64_t index; /* of the request in its connection, from 0: tuples append it to the id */
	struct captured_message request, response;
	int32_t first_line_bytes, headers_bytes; /* RECORD_UNKNOWN */
	enum captured_end end;
	void *user; /* the caller's */
};

struct reassembly_options {
	int64_t settle_ms;  /* silence that ends a response which has begun; 5000 */
	int64_t silent_ms;  /* silence that ends anything else: a response of no byte, a request
			       without end, a connection; 150000 */
	int64_t reorder_ms; /* how long a missing record is waited for where records may be out of
			       order (keys that are connectionId.index); 30000 */
	size_t connection_bytes; /* requests, responses, waiting records of one; 128 MiB */
	size_t total_bytes;      /* of all connections, given out transactions included; 512 MiB */
	size_t connections;      /* open at a time; 100000 */
};

/* Called from within reassembly_add, _tick and _end; they may release transactions, and not call
 * any other function of this header. NULL members are not called. */
struct reassembly_handler {
	/* A complete request; to be released by captured_transaction_release, after response(). */
	void (*request)(void *user, struct captured_transaction *transaction);
	/* Its response is all there will be, see `end`. Once for each request, in order. */
	void (*response)(void *user, struct captured_transaction *transaction);
	/* The connection is over (after its last response()): no more requests of it. */
	void (*closed)(void *user, uint64_t connection, struct str connection_id);
	/* No transaction needs this record any more: commit it. Every record added, once; not those
	 * behind a CAPTURED_CUT. added_us: when it was added, of the monotonic clock. */
	void (*finished)(void *user, struct record_position position, int64_t added_us);
	/* The record cannot be read, or what it continues is not there. It is finished as well. */
	void (*set_aside)(void *user, struct record_position position, const char *reason);
	/* A request that the capture excluded or that has no beginning or end, `reason` says; or a
	 * gap: requests that went to the source and are in no record (RECORD_GAP_PREFIX). */
	void (*dropped)(void *user, struct str connection_id, int64_t index, const char *reason);
	void *user;
};

struct reassembly *reassembly_new(const struct reassembly_options *options,
				  const struct reassembly_handler *handler);
/* Cuts what is still open (reassembly_end), so that every transaction has had its response();
 * those not released yet stay valid until they are. Accepts NULL. */
void reassembly_free(struct reassembly *r);
/* Takes one record in. item->bytes are copied. ERR_LIMIT with retry: total_bytes are in use by
 * transactions given out; release some, then add the same again. Nothing else fails: a poison
 * record is set aside. now_ms: a wall or monotonic clock, always the same. */
int reassembly_add(struct reassembly *r, const struct record_item *item, int64_t now_ms,
		   struct err *err);
/* Time passed: settles what is idle, gives up on what is missing. The time of the next such thing,
 * or -1. Costs what it does, so call it often. */
int64_t reassembly_tick(struct reassembly *r, int64_t now_ms);
/* The input is over. `complete`: there will never be more (a file): what is open is settled and
 * committed; else (shutdown, partition lost) it is CAPTURED_CUT. */
void reassembly_end(struct reassembly *r, bool complete);
/* The caller is done with it (tuple written): what its records waited for. */
void captured_transaction_release(struct captured_transaction *transaction);

/* A partition is read elsewhere from now on: its connections are over, and what is open of them is
 * CAPTURED_CUT. */
void reassembly_cut_partition(struct reassembly *r, uint32_t partition);
/* The caller does nothing for it: its records are never finished, so that another reader gets it.
 * To be released all the same. */
void captured_transaction_disown(struct captured_transaction *transaction);

struct reassembly_state {
	size_t bytes;                                     /* in use */
	size_t connections;                               /* open */
	size_t outstanding;                               /* transactions not released */
	uint64_t requests, responses, set_aside, dropped; /* so far */
	int64_t captured_ms; /* the last observation of the last record; 0: none yet */
};
void reassembly_state(const struct reassembly *r, struct reassembly_state *out);

#endif
