/* The gate of the cut-over: while it is closed, mutating requests that begin wait in front of it,
 * and where they go is settled when it opens. Any thread. */
#ifndef CAPTURE_GATE_H
#define CAPTURE_GATE_H

#include "capture/destination.h"

#include <pthread.h>
#include <stdatomic.h>

enum gate_opened { GATE_NEVER_CLOSED, GATE_RELEASED, GATE_TIMED_OUT, GATE_FULL };

struct gate {
	pthread_mutex_t lock;
	atomic_bool closed;
	atomic_int_fast64_t in_flight; /* mutating requests inside: not answered yet */
	atomic_uint_fast64_t bytes;    /* of requests that wait */
	atomic_uint_fast64_t waiting;  /* requests */
	int64_t limit_ms;
	uint64_t limit_bytes;
	int64_t deadline_ms; /* monotonic, while closed */
	enum gate_opened opened;
	/* Under the lock. `original`: where requests went when it was closed. */
	struct destination *original, *current;
	bool original_capturing, capturing; /* whether those are recorded */
};

void gate_init(struct gate *gate, struct destination *destination, int64_t limit_ms,
	       uint64_t limit_bytes);
void gate_release(struct gate *gate);

/* False: it was closed already. */
bool gate_close(struct gate *gate);
/* Where requests go from now on. The gate takes `destination`. `capture`: whether those are
 * recorded. False, and nothing changed: the last hold opened by itself, so that requests which it
 * was to keep back have gone where they went before. */
bool gate_switch(struct gate *gate, struct destination *destination, bool capture);
/* False: it was open already. When it opens for GATE_TIMED_OUT or GATE_FULL, requests go
 * where they went before it was closed. */
bool gate_open(struct gate *gate, enum gate_opened why);
/* Opens it when its time or its bytes are over. True: it did, *why is set. */
bool gate_check(struct gate *gate, enum gate_opened *why);
/* A new reference to where a request goes now. */
struct destination *gate_destination(struct gate *gate, bool *capture);

/* A mutating request wants in. True: it is, until gate_leave. False: it has to wait. */
bool gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

#endif
