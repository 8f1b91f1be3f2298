/* A coordinator that does not answer must not keep a run that was told to end: a thread cuts its
 * requests off. */
#ifndef BACKFILL_COORDINATOR_LIMIT_H
#define BACKFILL_COORDINATOR_LIMIT_H

#include "backfill/coordinator.h"

#include <stdatomic.h>

struct coordinator_limit;

/* Cancels `coordinator` when *cancel has been set for `grace_ms`, and two seconds more, in which
 * leases are handed back. NULL, which the other one accepts, where there is nothing to be
 * cancelled. Both are borrowed. */
struct coordinator_limit *coordinator_limit_start(struct coordinator *coordinator,
						  const atomic_bool *cancel, int64_t grace_ms);
void coordinator_limit_stop(struct coordinator_limit *limit);

#endif
