/* Whether the target can take the documents, asked before the first is sent. */
#ifndef BACKFILL_TARGET_CHECK_H
#define BACKFILL_TARGET_CHECK_H

#include "backfill/backfill.h"

struct target_check_options {
	bool allow_missing; /* the target makes indices that are not there, by its templates */
	int64_t wait_ms;    /* for a red index */
	/* What is worth a line: differences, and what is waited for. From the calling thread. */
	void (*tell)(void *user, const char *line);
	void *user;
};

/* Each of `indices` on the target:
 * - not there: ERR_BLOCKED, unless allowed; closed, or blocked for writes by a setting:
 * ERR_BLOCKED;
 * - red: told, and waited for; ERR_TIMEOUT after wait_ms, ERR_CANCELLED when *cancel is set;
 * - a field whose type differs from that in the snapshot: told. Not for those in `created` (NULL:
 *   none), which this run made of the snapshot.
 * A user who may not look passes. OpenSearch Serverless is asked for missing indices and mappings
 * only. */
int target_check(struct cluster *cluster, const struct snapshot *snapshot,
		 const struct backfill_index *indices, const bool *created, size_t count,
		 const struct target_check_options *options, const atomic_bool *cancel,
		 struct err *err);

#endif
