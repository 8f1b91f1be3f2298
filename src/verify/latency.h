/* How long answers took: a histogram with percentiles, within 0.2 %, in fixed memory. */
#ifndef VERIFY_LATENCY_H
#define VERIFY_LATENCY_H

#include "base/compiler.h"

/* 512 steps of each doubling of microseconds, up to 18 minutes */
#define LATENCY_STEPS 512
#define LATENCY_DOUBLINGS 22
#define LATENCY_BUCKETS (LATENCY_STEPS * LATENCY_DOUBLINGS)

struct latency {
	uint64_t count;
	uint64_t sum_us;
	uint32_t buckets[LATENCY_BUCKETS];
};

/* Owned; free() releases it. */
struct latency *latency_new(void);
void latency_add(struct latency *latency, int64_t us);
/* Microseconds below which `part` (0 … 1) of the answers came; 0 where there is none. NULL has
 * none.
 */
double latency_percentile(const struct latency *latency, double part);

#endif
