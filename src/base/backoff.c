#include "base/backoff.h"

#include "base/clock.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void alarm_clock_init(struct alarm_clock *alarm)
{
	alarm->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (alarm->wake_fd < 0)
		BUG("no file descriptor left");
	alarm->random = (uint64_t)clock_monotonic_ms() ^ (uint64_t)(uintptr_t)alarm;
}

void alarm_clock_release(struct alarm_clock *alarm)
{
	close(alarm->wake_fd);
}

void alarm_clock_wake(struct alarm_clock *alarm)
{
	uint64_t one = 1;
	/* The counter is full only after so many calls that it is awake anyway. */
	ssize_t ignored = write(alarm->wake_fd, &one, sizeof(one));

	(void)ignored;
}

/* False when woken. */
static bool sleep_until(const struct alarm_clock *alarm, int64_t deadline_ms)
{
	struct pollfd wake = {.fd = alarm->wake_fd, .events = POLLIN};
	int64_t left;

	do {
		left = MAX(deadline_ms - clock_monotonic_ms(), (int64_t)0);
		if (poll(&wake, 1, (int)MIN(left, (int64_t)INT32_MAX)) > 0)
			return false;
	} while (left > 0);
	return true;
}

/* Between half and all of it, so that many senders do not come back at once. */
static int64_t jittered(struct alarm_clock *alarm, int64_t delay_ms)
{
	/* splitmix64 */
	uint64_t z = alarm->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return delay_ms - (int64_t)(z % (uint64_t)(delay_ms / 2 + 1));
}

void backoff_start(struct backoff *backoff, const struct backoff_policy *policy)
{
	*backoff = (struct backoff){
		.policy = *policy,
		.began_ms = clock_monotonic_ms(),
		.delay_ms = MAX(policy->initial_delay_ms, (int64_t)1),
	};
}

void backoff_prolong(struct backoff *backoff)
{
	backoff->began_ms = clock_monotonic_ms();
}

int backoff_wait(struct backoff *backoff, struct alarm_clock *alarm, int64_t retry_after_ms,
		 struct err *err)
{
	int64_t now = clock_monotonic_ms(), end = backoff->began_ms + backoff->policy.max_total_ms;
	int64_t delay = MAX(jittered(alarm, backoff->delay_ms), retry_after_ms);

	if (now >= end)
		return 0;
	if (!sleep_until(alarm, MIN(now + delay, end)))
		return err_set(err, ERR_CANCELLED, "cancelled while waiting to try again");
	backoff->delay_ms =
		MIN(backoff->delay_ms * 2, MAX(backoff->policy.max_delay_ms, backoff->delay_ms));
	return 1;
}
