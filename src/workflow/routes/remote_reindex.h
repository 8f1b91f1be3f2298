/* Documents brought by the target itself: one _reindex task an index, watched from here. The tasks
 * go on when nobody watches; the same session finds them again. */
#ifndef WORKFLOW_ROUTES_REMOTE_REINDEX_H
#define WORKFLOW_ROUTES_REMOTE_REINDEX_H

#include "backfill/backfill.h"
#include "cluster/reindex_api.h"

struct remote_reindex_options {
	struct cluster *source, *target;     /* borrowed */
	const struct reindex_remote *remote; /* NULL: source and target are one cluster */
	struct str address;                  /* HOST:PORT of the remote, as the target sees it */
	bool tls;                            /* spoken with it */
	struct str query;
	int64_t size, requests_per_second, slices;
	int64_t parallel;          /* tasks at once */
	int64_t allowlist_wait_ms; /* for the target to accept the source; 0: not at all */
	const char *path;          /* of the session's tasks; NULL: the session does not last */
	struct str of;             /* what the session is of */
};

/* Before anything is written: whether these versions go together and the target takes the source,
 * reaches it, and is let in. Waits for the allowlist as long as it may. ERR_BLOCKED: it is not
 * allowed; what to do was logged. `plan`: nothing is posted; only the allowlist is looked at, if
 * it can be seen. */
int remote_reindex_check(const struct remote_reindex_options *options, struct str index, bool plan,
			 const atomic_bool *cancel, struct err *err);
/* As backfill_run; failed documents are counted and logged. `made` says which indices are new: what
 * an earlier run brought into them is gone. */
int remote_reindex_run(const struct remote_reindex_options *options,
		       const struct backfill_index *indices, const bool *made, size_t count,
		       const uint64_t *index_bytes, struct progress *progress,
		       const atomic_bool *cancel, struct backfill_report *report, struct err *err);

#endif
