/* What the implementations of the coordinator share: rules that must not differ between them. */
#ifndef BACKFILL_COORDINATOR_INTERNAL_H
#define BACKFILL_COORDINATOR_INTERNAL_H

#include "backfill/coordinator.h"
#include "base/buf.h"
#include "base/limits.h"

#define COORDINATOR_WORKER_SIZE 256
#define COORDINATOR_SESSION_MAX 100
/* A process that dies is rarely the item's fault, but it may be (no memory for it): this many times
 * max_failures are allowed. */
#define COORDINATOR_DEATHS_PER_FAILURE 4
#define COORDINATOR_TOKEN_SIZE 33
#define LIMIT_WORK_STATE MIB(1)

/* The wall clock, in ms since 1970; tests set their own. */
struct coordinator_clock {
	int64_t (*now_ms)(void *user); /* NULL: that of the machine */
	void *user;
};
int64_t coordinator_now(const struct coordinator_clock *clock);

/* ERR_USAGE: the session's name, the worker's, or numbers that make no sense. */
int coordinator_check_options(const struct coordinator_options *options, struct err *err);
/* options->worker, or host-pid. */
void coordinator_worker_name(const struct coordinator_options *options,
			     char out[static COORDINATOR_WORKER_SIZE]);
/* Random hexadecimal digits: tells leases and holders apart. */
void coordinator_draw_token(char out[static COORDINATOR_TOKEN_SIZE]);
/* lease_ms * 2^exponent, not above max_lease_ms. */
int64_t coordinator_lease_ms(const struct coordinator_options *options, int64_t exponent);
/* How long an item waits after it failed for the `failures`th time. */
int64_t coordinator_pause_ms(const struct coordinator_options *options, int64_t failures);

/* Our own mistakes abort: ranges that are not those of the item, one after the other. */
void coordinator_check_division(const struct work_claim *claim, const struct work_item *ranges,
				size_t count);
/* ERR_LIMIT: progress->state. */
int coordinator_check_progress(const struct work_progress *progress, struct err *err);
/* -ERR_LEASE_LOST, naming the item. */
int coordinator_lease_lost(const struct work_claim *claim, struct err *err);
/* -ERR_USAGE: the session was made for another source or plan. `where`: its store. */
int coordinator_other_session(const char *session, const char *where, struct str made_for,
			      struct str asked_for, struct err *err);

/* Copies into claim->mem. ERR_LIMIT. */
int work_claim_fill(struct work_claim *claim, const struct work_item *item,
		    const struct work_progress *progress, struct err *err);
/* The claim's item is ranges[0] from now on. */
void work_claim_narrow(struct work_claim *claim, const struct work_item *range);
/* Durable since; the lease runs from `began_ms` (clock_monotonic_ms) on. progress->state is not
 * kept: the caller has it. */
void work_claim_checkpointed(struct work_claim *claim, const struct work_progress *progress,
			     int64_t lease_ms, int64_t began_ms, bool progressed);

#endif
