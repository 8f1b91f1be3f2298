/* Waiting between tries: doubling delays with jitter, up to a total time. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include "base/err.h"

struct backoff_policy {
	int64_t initial_delay_ms, max_delay_ms; /* doubling, with jitter */
	int64_t max_total_ms;                   /* gives up after */
};

/* Sleeps that another thread can end for good. */
struct alarm_clock {
	int wake_fd;     /* readable once woken */
	uint64_t random; /* state of the jitter */
};

void alarm_clock_init(struct alarm_clock *alarm);
void alarm_clock_release(struct alarm_clock *alarm);
/* Ends a sleep under way and all later ones. From any thread, and from signal handlers. */
void alarm_clock_wake(struct alarm_clock *alarm);

/* The tries of one undertaking. */
struct backoff {
	struct backoff_policy policy;
	int64_t began_ms, delay_ms;
	unsigned tries;    /* made so far */
	unsigned refusals; /* of these, answers whose status said "not now" */
};

void backoff_start(struct backoff *backoff, const struct backoff_policy *policy);
/* There was progress: the total time counts from now on. */
void backoff_prolong(struct backoff *backoff);
/* Waits for the next try, at least as long as the server asked for (-1: not said), but not past
 * the total time. 1: try again; 0: the time is up; negative: ERR_CANCELLED. */
int backoff_wait(struct backoff *backoff, struct alarm_clock *alarm, int64_t retry_after_ms,
		 struct err *err);

#endif
