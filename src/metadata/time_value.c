#include "metadata/time_value.h"

#include <ctype.h>
#include <inttypes.h>

/* Largest first; a unit counts `ms` milliseconds, or its `parts` make one. */
static const struct {
	const char *name;
	int64_t ms, parts;
} units[] = {
	{"d", MS_PER_DAY, 1}, {"h", 3600000, 1},   {"m", 60000, 1},       {"s", 1000, 1},
	{"ms", 1, 1},         {"micros", 1, 1000}, {"nanos", 1, 1000000},
};

bool time_value_parse(struct str text, int64_t *ms)
{
	size_t digits = 0;
	uint64_t value;

	while (digits < text.len && isdigit((unsigned char)text.ptr[digits]))
		digits++;
	if (!str_to_u64(str_of(text.ptr, digits), &value) || value > INT64_MAX / MS_PER_DAY)
		return false;
	text = str_from_offset(text, digits);
	*ms = 0;
	if (text.len == 0)
		return value == 0;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (str_is(text, units[i].name)) {
			*ms = (int64_t)value * units[i].ms / units[i].parts;
			return true;
		}
	return false;
}

struct str time_value_text(int64_t ms, struct arena *mem)
{
	size_t unit = 0;

	while (ms % units[unit].ms != 0)
		unit++;
	return arena_printf(mem, "%" PRId64 "%s", ms / units[unit].ms, units[unit].name);
}
