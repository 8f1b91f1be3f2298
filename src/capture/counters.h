/* What a proxy counts, for metrics and status. Any thread. */
#ifndef CAPTURE_COUNTERS_H
#define CAPTURE_COUNTERS_H

#include "base/compiler.h"

#include <stdatomic.h>

typedef atomic_uint_fast64_t counter;

struct proxy_counters {
	counter connections, connections_refused;         /* accepted; beyond --max-connections */
	counter removed;                                  /* closed, and all records settled */
	counter active_connections, upstream_connections; /* gauges */
	counter bytes_read, bytes_written;                /* from and to clients */
	counter requests, requests_blocking, requests_suppressed;
	counter requests_held;   /* gauge: wait until their record is durable */
	counter requests_parked; /* gauge: wait at a closed gate */
	counter records, record_bytes, records_lost;
	counter gaps;    /* mutating requests that went on without a record */
	counter refused; /* requests answered by the proxy itself */
	counter upstream_failures, unparsable;
	counter held_us, held_count; /* time that requests waited for their record */
};

static inline void counter_add(counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static inline void counter_sub(counter *c, uint64_t n)
{
	atomic_fetch_sub_explicit(c, n, memory_order_relaxed);
}

static inline uint64_t counter_get(const counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
