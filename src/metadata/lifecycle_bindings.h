/* Which index of a source has which lifecycle policy, and how far it is. */
#ifndef METADATA_LIFECYCLE_BINDINGS_H
#define METADATA_LIFECYCLE_BINDINGS_H

#include "metadata/metadata_item.h"

struct lifecycle_binding {
	const struct metadata_item *index; /* or a data stream, for the index it writes to */
	struct str policy;
	bool writes;        /* documents go on coming: its alias or data stream writes to it */
	int64_t since_ms;   /* wall clock; the policy's ages count from then; 0: not known */
	int64_t created_ms; /* wall clock; 0: not known */
};

struct lifecycle_bindings {
	struct lifecycle_binding *items; /* in the order of the set */
	size_t count;
};

void lifecycle_bindings_release(struct lifecycle_bindings *bindings);
/* Of the indices and data streams of the set that are not excluded; indices of such a stream are
 * left to it, for on the target it has others. `source` NULL: the set is of a snapshot; else it is
 * asked for its explanations, and does without where it refuses them. */
int lifecycle_bindings_read(struct metadata_set *set, struct cluster *source,
			    struct lifecycle_bindings *out, struct err *err);

#endif
