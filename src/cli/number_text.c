#include "cli/number_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *bytes_text(uint64_t bytes, char text[static NUMBER_TEXT_MAX])
{
	static const char units[][4] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " B", bytes);
		return text;
	}
	/* What would be printed as 1024.0 is 1.0 of the next. */
	while (value >= 1023.95 && unit + 1 < COUNT_OF(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, NUMBER_TEXT_MAX, "%.1f %s", value, units[unit]);
	return text;
}

const char *duration_text(uint64_t seconds, char text[static NUMBER_TEXT_MAX])
{
	uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;

	if (hours > 0)
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours,
			 minutes, seconds % 60);
	else
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 ":%02" PRIu64, minutes, seconds % 60);
	return text;
}
