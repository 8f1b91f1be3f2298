#include "metadata/time_value.h"

#include <ctype.h>
#include <inttypes.h>

/* More would not fit into milliseconds. */
#define FRACTION_LIMIT 1000000
#define DECIMALS_MAX 6

/* Largest first; a unit counts `ms` milliseconds, or its `parts` make one. */
static const struct {
	const char *name;
	int64_t ms, parts;
} units[] = {
	{"d", MS_PER_DAY, 1}, {"h", 3600000, 1},   {"m", 60000, 1},       {"s", 1000, 1},
	{"ms", 1, 1},         {"micros", 1, 1000}, {"nanos", 1, 1000000},
};

static size_t count_digits(struct str text)
{
	size_t digits = 0;

	while (digits < text.len && isdigit((unsigned char)text.ptr[digits]))
		digits++;
	return digits;
}

/* Milliseconds of a unit that early versions took fractions of; weeks, too. 0: none of them. */
static int64_t early_unit(struct str name)
{
	if (str_is(name, "w"))
		return 7 * MS_PER_DAY;
	for (size_t i = 0; i < COUNT_OF(units) && units[i].parts == 1; i++)
		if (str_is(name, units[i].name))
			return units[i].ms;
	return 0;
}

bool time_value_parse_early(struct str text, int64_t *ms)
{
	size_t digits = count_digits(text), decimals = 0;
	struct str rest = str_from_offset(text, digits);
	uint64_t value, fraction = 0;
	int64_t unit, scale = 1;
	bool pointed = rest.len > 0 && rest.ptr[0] == '.';

	if (!str_to_u64(str_of(text.ptr, digits), &value) || value > FRACTION_LIMIT)
		return false;
	if (pointed) {
		rest = str_from_offset(rest, 1);
		decimals = count_digits(rest);
		if (decimals > DECIMALS_MAX || !str_to_u64(str_of(rest.ptr, decimals), &fraction))
			return false;
		rest = str_from_offset(rest, decimals);
	}
	unit = early_unit(rest);
	if (unit == 0 || (!pointed && !str_is(rest, "w")))
		return false;
	for (size_t i = 0; i < decimals; i++)
		scale *= 10;
	*ms = (int64_t)value * unit + (int64_t)fraction * unit / scale;
	return true;
}

bool time_value_parse(struct str text, int64_t *ms)
{
	size_t digits = count_digits(text);
	uint64_t value;

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
