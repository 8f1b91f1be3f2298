#include "backfill/source_check.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char *source_check(struct str source)
{
	size_t first = 0, end = source.len;

	while (first < end && is_space(source.ptr[first]))
		first++;
	while (end > first && is_space(source.ptr[end - 1]))
		end--;
	if (end - first >= 2 && source.ptr[first] == '{' && source.ptr[end - 1] == '}')
		return NULL;
	return "source is not a JSON object";
}
