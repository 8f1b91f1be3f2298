#include "backfill/allowed_failures.h"

static bool failure_is_allowed(const struct allowed_failures *allowed, struct str type)
{
	for (size_t i = 0; i < allowed->count; i++)
		if (type.len > 0 && str_is(type, allowed->types[i]))
			return true;
	return false;
}

void allowed_failures_apply(const struct allowed_failures *allowed, struct bulk_result *result)
{
	size_t kept = 0;

	for (size_t i = 0; i < result->failure_count; i++)
		if (!failure_is_allowed(allowed, result->failures[i].type))
			result->failures[kept++] = result->failures[i];
	result->succeeded += result->failure_count - kept;
	result->failure_count = kept;
}
