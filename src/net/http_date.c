#include "net/http_date.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t http_date_ms(const char *text)
{
	time_t seconds = text && *text ? curl_getdate(text, NULL) : -1;

	return seconds < 0 ? -1 : (int64_t)seconds * 1000;
}

/* By hand, for the names of strftime are those of the locale. */
void http_date_format(int64_t wall_ms, char text[static 30])
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm at;

	gmtime_r(&seconds, &at);
	snprintf(text, 30, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[at.tm_wday], at.tm_mday,
		 months[at.tm_mon], (at.tm_year + 1900) % 10000, at.tm_hour, at.tm_min, at.tm_sec);
}

bool http_date_is_skewed(const char *date)
{
	int64_t theirs = http_date_ms(date);

	return theirs >= 0 && llabs(theirs - clock_wall_ms()) > HTTP_DATE_SKEW_MS;
}
