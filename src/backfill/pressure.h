/* How hard the target is pressed: bulks in flight, documents and bytes a second, pauses. Senders
 * enter before a bulk and leave after it. Thread-safe.
 *
 * Additive increase, multiplicative decrease: one more bulk at once while latency holds, half on a
 * refusal (429, 503, rejected items), once a round trip: of what was under way when it was halved
 * last, another refusal says nothing new, but of what was sent since it does. It begins with two
 * and doubles until the first bulk is refused or late. A rate holds in the long run: a bulk larger
 * than a second's worth goes, and the next ones wait for it. */
#ifndef BACKFILL_PRESSURE_H
#define BACKFILL_PRESSURE_H

#include "base/err.h"

#include <stdatomic.h>

struct pressure;

struct pressure_options {
	int64_t max_in_flight;        /* bulks at once, at most; the senders */
	int64_t documents_per_second; /* 0: no limit */
	int64_t bytes_per_second;     /* 0: no limit */
	bool adaptive;                /* false: max_in_flight all the time */
};

struct pressure_outcome {
	int64_t elapsed_ms; /* of the whole send, its retries included */
	uint64_t refusals;  /* answers and items that said "not now" */
	size_t bytes;
};

struct pressure *pressure_new(const struct pressure_options *options);
void pressure_free(struct pressure *pressure);
/* Waits for its turn. false: *stop was set meanwhile (polled). */
bool pressure_enter(struct pressure *pressure, size_t documents, size_t bytes,
		    const atomic_bool *stop);
void pressure_leave(struct pressure *pressure, const struct pressure_outcome *outcome);
/* From a refusal that is seen while the bulk is still being sent, by a try that took so long:
 * halves at once. */
void pressure_refused(struct pressure *pressure, int64_t elapsed_ms);
/* New limits while it runs; 0: none. Pause holds back all that enter. */
void pressure_set_rates(struct pressure *pressure, int64_t documents_per_second,
			int64_t bytes_per_second);
void pressure_pause(struct pressure *pressure, bool paused);

struct pressure_state {
	int64_t allowed, in_flight; /* bulks */
	int64_t documents_per_second, bytes_per_second;
	bool paused;
	uint64_t refusals; /* of the bulks that left */
};
struct pressure_state pressure_look(struct pressure *pressure);

#endif
