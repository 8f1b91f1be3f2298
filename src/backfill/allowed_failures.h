/* Failures that the user counts as successes (--allowed-doc-exception-types). */
#ifndef BACKFILL_ALLOWED_FAILURES_H
#define BACKFILL_ALLOWED_FAILURES_H

#include "base/str.h"
#include "cluster/bulk.h"

/* Error types as bulk answers name them, such as "version_conflict_engine_exception". Borrowed. */
struct allowed_failures {
	const char *const *types;
	size_t count;
};

/* Takes what is allowed out of result->failures and counts it as succeeded. */
void allowed_failures_apply(const struct allowed_failures *allowed, struct bulk_result *result);

#endif
