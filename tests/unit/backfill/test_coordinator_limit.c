#include "backfill/coordinator_limit.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define YEAR_S (365 * 86400)

/* The wall clock was set back since it was looked at: whoever waits until a time of it waits long.
 */
int clock_gettime(clockid_t clock, struct timespec *time)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, time);

	if (failed == 0 && clock == CLOCK_REALTIME)
		time->tv_sec += YEAR_S;
	return failed;
}

/* A coordinator of which nothing is known but whether it was cancelled. */
struct fake {
	struct coordinator base;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool cancelled;
};

static void cancel_fake(struct coordinator *c)
{
	struct fake *fake = (struct fake *)c;

	pthread_mutex_lock(&fake->lock);
	fake->cancelled = true;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
}

static const struct coordinator_ops ops = {.cancel = cancel_fake}, without = {0};

static struct fake fake = {
	.base = {&ops}, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void it_is_cancelled_when_told_to_end_though_the_clock_is_set_back(void **state)
{
	atomic_bool cancel = false;
	struct coordinator_limit *limit = coordinator_limit_start(&fake.base, &cancel, 0);

	(void)state;
	assert_non_null(limit);
	atomic_store(&cancel, true);
	pthread_mutex_lock(&fake.lock);
	while (!fake.cancelled)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
	coordinator_limit_stop(limit);
}

static void a_run_that_ends_before_leaves_it_alone(void **state)
{
	atomic_bool cancel = true;

	(void)state;
	fake.cancelled = false;
	coordinator_limit_stop(coordinator_limit_start(&fake.base, &cancel, INT32_MAX));
	assert_false(fake.cancelled);
}

static void one_that_cannot_be_cancelled_is_not_watched(void **state)
{
	struct coordinator none = {&without};
	atomic_bool cancel = true;

	(void)state;
	assert_null(coordinator_limit_start(&none, &cancel, 0));
	assert_null(coordinator_limit_start(NULL, &cancel, 0));
	coordinator_limit_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_cancelled_when_told_to_end_though_the_clock_is_set_back),
		cmocka_unit_test(a_run_that_ends_before_leaves_it_alone),
		cmocka_unit_test(one_that_cannot_be_cancelled_is_not_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
