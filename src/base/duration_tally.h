/* How often something was done and how long it took, in fixed memory: what a histogram of metrics
 * needs. */
#ifndef BASE_DURATION_TALLY_H
#define BASE_DURATION_TALLY_H

#include "base/compiler.h"

/* Bucket i has what took at most 125 << i microseconds, and more than the one before: up to 131 s.
 * What took longer is in `count` alone. */
#define DURATION_BUCKETS 21
#define DURATION_FIRST_US 125

struct duration_tally {
	uint64_t count;  /* what ended, failed or not */
	uint64_t failed; /* of those */
	uint64_t sum_us;
	uint64_t buckets[DURATION_BUCKETS];
};

/* DURATION_BUCKETS and more: in none. */
static inline unsigned duration_bucket(int64_t us)
{
	uint64_t steps = us > 0 ? (uint64_t)(us - 1) / DURATION_FIRST_US : 0;

	return steps ? 64U - (unsigned)__builtin_clzll(steps) : 0;
}

static inline void duration_tally_add(struct duration_tally *tally, int64_t us)
{
	unsigned bucket = duration_bucket(us);

	tally->count++;
	tally->sum_us += us > 0 ? (uint64_t)us : 0;
	if (bucket < DURATION_BUCKETS)
		tally->buckets[bucket]++;
}

static inline void duration_tally_add_failed(struct duration_tally *tally, int64_t us)
{
	duration_tally_add(tally, us);
	tally->failed++;
}

#endif
