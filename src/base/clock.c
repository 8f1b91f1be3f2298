#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static struct timespec now_by(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		BUG("a clock that every Linux has is missing");
	return now;
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec now = now_by(clock);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec now = now_by(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
	return now_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}

void clock_format_utc(int64_t wall_ms, char text[static 25])
{
	int64_t ms = wall_ms % 1000;
	time_t seconds = wall_ms / 1000;
	struct tm utc = {0};

	/* Times before 1970 count down to the second before. */
	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	gmtime_r(&seconds, &utc);
	snprintf(text, 25, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
		 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)ms);
}
