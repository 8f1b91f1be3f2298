#include "backfill/coordinator_limit.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define POLL_MS 100 /* a flag that a signal sets wakes nobody */
#define HAND_BACK_MS 2000

struct coordinator_limit {
	struct coordinator *coordinator;
	const atomic_bool *cancel;
	int64_t grace_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool over;
};

/* With the lock held. */
static void wait_a_moment(struct coordinator_limit *limit)
{
	struct timespec until;

	/* Whose wall clock is set back would wait until it is that late again. */
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += POLL_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_clockwait(&limit->changed, &limit->lock, CLOCK_MONOTONIC, &until);
}

static void *watch(void *user)
{
	struct coordinator_limit *limit = user;
	int64_t cancelled_at = -1, now;

	pthread_mutex_lock(&limit->lock);
	while (!limit->over) {
		now = clock_monotonic_ms();
		if (cancelled_at < 0 && atomic_load(limit->cancel))
			cancelled_at = now;
		if (cancelled_at >= 0 && now - cancelled_at > limit->grace_ms + HAND_BACK_MS) {
			limit->coordinator->ops->cancel(limit->coordinator);
			break;
		}
		wait_a_moment(limit);
	}
	pthread_mutex_unlock(&limit->lock);
	return NULL;
}

static void release(struct coordinator_limit *limit)
{
	pthread_cond_destroy(&limit->changed);
	pthread_mutex_destroy(&limit->lock);
	free(limit);
}

struct coordinator_limit *coordinator_limit_start(struct coordinator *coordinator,
						  const atomic_bool *cancel, int64_t grace_ms)
{
	struct coordinator_limit *limit;

	if (!coordinator || !coordinator->ops->cancel)
		return NULL;
	limit = mem_zalloc(sizeof(*limit));
	*limit = (struct coordinator_limit){
		.coordinator = coordinator, .cancel = cancel, .grace_ms = grace_ms};
	pthread_mutex_init(&limit->lock, NULL);
	pthread_cond_init(&limit->changed, NULL);
	if (pthread_create(&limit->thread, NULL, watch, limit) == 0)
		return limit;
	/* The run will say what the system refuses. */
	release(limit);
	return NULL;
}

void coordinator_limit_stop(struct coordinator_limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_lock(&limit->lock);
	limit->over = true;
	pthread_cond_broadcast(&limit->changed);
	pthread_mutex_unlock(&limit->lock);
	pthread_join(limit->thread, NULL);
	release(limit);
}
