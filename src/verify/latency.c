#include "verify/latency.h"

struct latency *latency_new(void)
{
	return mem_zalloc(sizeof(struct latency));
}

/* Values below LATENCY_STEPS have a bucket each, and each doubling from there as many. */
static size_t bucket_of(uint64_t us)
{
	unsigned doubling = 0;

	while (us >> doubling >= (uint64_t)2 * LATENCY_STEPS)
		doubling++;
	if (us < LATENCY_STEPS)
		return (size_t)us;
	return MIN((size_t)LATENCY_STEPS * (doubling + 1) + (size_t)(us >> doubling) -
			   LATENCY_STEPS,
		   (size_t)LATENCY_BUCKETS - 1);
}

static double middle_of(size_t bucket)
{
	size_t doubling = bucket / LATENCY_STEPS;

	if (doubling == 0)
		return (double)bucket;
	doubling--;
	return ((double)(bucket % LATENCY_STEPS + LATENCY_STEPS) + (doubling ? 0.5 : 0)) *
	       (double)((uint64_t)1 << doubling);
}

void latency_add(struct latency *latency, int64_t us)
{
	if (us < 0)
		return;
	latency->buckets[bucket_of((uint64_t)us)]++;
	latency->sum_us += (uint64_t)us;
	latency->count++;
}

double latency_percentile(const struct latency *latency, double part)
{
	uint64_t wanted, seen = 0;

	if (!latency || latency->count == 0)
		return 0;
	wanted = (uint64_t)(part * (double)latency->count + 0.999999);
	wanted = MIN(MAX(wanted, (uint64_t)1), latency->count);
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen >= wanted)
			return middle_of(i);
	}
	BUG("a histogram that holds fewer than it counted");
}
