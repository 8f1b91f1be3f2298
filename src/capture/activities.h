/* What a proxy does, how often and for how long. Each event loop has tallies of its own: its thread
 * writes them, any thread reads. */
#ifndef CAPTURE_ACTIVITIES_H
#define CAPTURE_ACTIVITIES_H

#include "base/duration_tally.h"
#include "capture/counters.h"

enum capture_activity {
	CAPTURE_CONNECTION,         /* of a client: accepted, until it is closed */
	CAPTURE_GATHERING_REQUEST,  /* its first byte, until its last */
	CAPTURE_BLOCKED,            /* from there until its record is stored */
	CAPTURE_WAITING,            /* let go, until the head of the answer is there */
	CAPTURE_GATHERING_RESPONSE, /* from there to its last byte */
	CAPTURE_COMMIT,             /* a record: given to the sink, until it is stored */
	CAPTURE_ACTIVITIES,
};

struct activity_tally {
	counter count, failed, sum_us, buckets[DURATION_BUCKETS];
};

/* Only one thread adds, so it needs no locked instruction. */
static inline void counter_add_alone(counter *c, uint64_t n)
{
	atomic_store_explicit(c, counter_get(c) + n, memory_order_release);
}

static inline void activity_tally_add(struct activity_tally *tally, int64_t us, bool failed)
{
	unsigned bucket = duration_bucket(us);

	counter_add_alone(&tally->count, 1);
	if (us > 0)
		counter_add_alone(&tally->sum_us, (uint64_t)us);
	if (failed)
		counter_add_alone(&tally->failed, 1);
	if (bucket < DURATION_BUCKETS)
		counter_add_alone(&tally->buckets[bucket], 1);
}

/* Adds what it has now to `sum`. The count last: it is never less than what is a part of it. */
static inline void activity_tally_read(const struct activity_tally *tally,
				       struct duration_tally *sum)
{
	for (unsigned i = 0; i < DURATION_BUCKETS; i++)
		sum->buckets[i] += atomic_load_explicit(&tally->buckets[i], memory_order_acquire);
	sum->failed += atomic_load_explicit(&tally->failed, memory_order_acquire);
	sum->sum_us += atomic_load_explicit(&tally->sum_us, memory_order_acquire);
	sum->count += counter_get(&tally->count);
}

#endif
