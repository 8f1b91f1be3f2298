/* Attaches ISM policies of a target to the indices that had a policy on the source.
 *
 * After the backfill only: a policy that deletes early would delete documents that are on their
 * way. The same again changes nothing that is there. */
#ifndef METADATA_LIFECYCLE_ATTACH_H
#define METADATA_LIFECYCLE_ATTACH_H

#include "metadata/lifecycle_bindings.h"

#include <stdatomic.h>

enum attach_outcome {
	ATTACH_READY, /* plan: would be done */
	ATTACH_DONE,
	ATTACH_THERE, /* was so already */
	ATTACH_OTHER, /* something else is there, and is left */
	ATTACH_FAILED,
};

struct attach_step {
	bool is_policy; /* a policy was made or given its patterns; else an index got one */
	struct str name, policy;
	enum attach_outcome outcome;
	struct str reason; /* may be empty */
};

/* Strings live in set->mem. */
struct attach_report {
	struct attach_step *steps;
	size_t count, capacity;
};

void attach_report_release(struct attach_report *report);
size_t attach_report_failures(const struct attach_report *report);
/* `plan`: nothing but GETs. Negative only when the target cannot be used at all. */
int lifecycle_attach(struct metadata_set *set, const struct lifecycle_bindings *bindings,
		     struct cluster *target, bool plan, const atomic_bool *cancel,
		     struct attach_report *report, struct err *err);

#endif
