/* The state of reassembly. Within src/traffic. */
#ifndef TRAFFIC_REASSEMBLY_INTERNAL_H
#define TRAFFIC_REASSEMBLY_INTERNAL_H

#include "base/siphash.h"
#include "traffic/reassembly.h"

/* A record that was added, until nobody needs it any more. */
struct record_ref {
	struct record_position position;
	int64_t added_us; /* monotonic clock */
	size_t refs;
	bool held; /* never finished: behind a cut */
};

struct transaction {
	struct captured_transaction captured; /* first */
	struct reassembly *owner;
	struct record_ref **refs; /* owned array */
	size_t ref_count;
	size_t bytes; /* counted in the owner */
	size_t early; /* bytes of the response before the request was complete: 100 Continue */
	char ids[];
};

enum connection_state {
	AWAITING_READ,
	SKIPPING, /* within a request whose beginning is not there, or too long */
	READING,
	WRITING,
	CLOSED, /* until its last record, or silence */
};

/* A record that came before the one it follows. */
struct waiting {
	struct waiting *next; /* by number */
	struct record_ref *ref;
	int32_t number;
	size_t len;
	char bytes[];
};

enum timer { TIMER_SETTLE, TIMER_SILENT, TIMER_REORDER, TIMERS };

struct connection {
	struct connection *next_in_bucket;
	struct connection *earlier, *later; /* in the list of its timer */
	enum timer timer;
	int64_t since_ms; /* when it was put there */
	uint64_t number;
	uint64_t hash;
	struct str node_id, connection_id; /* in `ids` */
	enum connection_state state;
	bool begun;                  /* a record was taken in */
	uint32_t partition;          /* of its last record */
	int32_t next_number;         /* of the record that comes next */
	int64_t index;               /* of the next request */
	struct transaction *current; /* READING: ours; WRITING: given out */
	struct waiting *waiting;
	size_t bytes; /* of current and waiting */
	char ids[];
};

struct timer_list {
	struct connection *first, *last;
};

struct reassembly {
	struct reassembly_options options; /* no zeroes */
	struct reassembly_handler handler;
	struct reassembly_state counts;
	struct siphash_key key;
	struct connection **buckets; /* owned */
	size_t bucket_count;         /* a power of two */
	struct timer_list timers[TIMERS];
	size_t releasable; /* transactions given out that have all they will have */
	uint64_t connections_so_far;
	int64_t now_ms;
	bool freed; /* by its user; it goes with its last transaction */
};

/* --- records and transactions --- */
struct record_ref *record_ref_new(struct record_position position);
/* Lets one go; the last one tells that the record is finished, and frees it. */
void record_ref_drop(struct reassembly *r, struct record_ref *ref);
struct transaction *transaction_new(struct reassembly *r, const struct connection *connection);
/* `bytes` belong to it, and `ref` is needed by it. */
void transaction_append(struct transaction *t, struct captured_message *message,
			struct record_ref *ref, struct record_time time, struct str bytes);
void transaction_needs(struct transaction *t, struct record_ref *ref);
void transaction_free(struct transaction *t);

/* --- connections --- */
struct connection *connection_find(struct reassembly *r, struct str node_id,
				   struct str connection_id, bool make);
void connection_set_timer(struct reassembly *r, struct connection *c);
/* One record in its order. */
void connection_take(struct reassembly *r, struct connection *c, struct record_view *view,
		     struct record_ref *ref);
/* Records between were lost, or will not be waited for. */
void connection_gap(struct reassembly *r, struct connection *c, int32_t number);
/* What is missing before the first waiting record will not come. */
void reassembly_give_up_waiting(struct reassembly *r, struct connection *c);
/* The process of this node has ended: no more comes of its connections in this partition. */
void reassembly_end_node(struct reassembly *r, struct str node_id, uint32_t partition);
/* What is open ends so. */
void connection_end_current(struct reassembly *r, struct connection *c, enum captured_end end,
			    const char *reason);
/* Ends what is open, tells that it is closed, and frees it. */
void connection_remove(struct reassembly *r, struct connection *c, enum captured_end end,
		       const char *reason);

#endif
