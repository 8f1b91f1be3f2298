/* Only what changed between two snapshots, looked for on a live target. */
#ifndef VERIFY_SINCE_H
#define VERIFY_SINCE_H

#include "verify/verify.h"

/* As verify_run, of the documents that `current` has and `previous` does not have as they are, and
 * of those that it no longer has, which must not be on the target (else they are DOCUMENT_EXTRA).
 * The rest of the target is not looked at. A document that a merge moved counts as changed between
 * the snapshots: it is looked at, too. The target must be able to fetch. */
int verify_run_since(const struct snapshot *previous, const struct snapshot *current,
		     struct verify_side *target, const struct verify_pair *pairs, size_t count,
		     const struct verify_options *options, struct verify_progress *progress,
		     const atomic_bool *cancel, struct verify_report *report, struct err *err);

#endif
