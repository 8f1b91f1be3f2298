/* The time of a struct pressure, for tests to bring their own. */
#ifndef BACKFILL_PRESSURE_INTERNAL_H
#define BACKFILL_PRESSURE_INTERNAL_H

#include "backfill/pressure.h"

#include <pthread.h>

struct pressure_clock {
	int64_t (*now_ms)(void *user);
	/* Waits with the lock released until `changed` is signalled, `ms` at most. */
	void (*wait)(void *user, pthread_cond_t *changed, pthread_mutex_t *lock, int64_t ms);
	void *user;
};

struct pressure *pressure_new_by(const struct pressure_options *options,
				 const struct pressure_clock *clock);

#endif
