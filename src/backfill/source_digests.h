/* Digests of the documents of a snapshot, taken while they were sent, as files that a later
 * comparison reads instead of the snapshot: FOLDER/<index>.json,
 * {"snapshot":"uuid","index":"books","documents":N,"digest":{…}} (documents/digest.h). */
#ifndef BACKFILL_SOURCE_DIGESTS_H
#define BACKFILL_SOURCE_DIGESTS_H

#include "backfill/pipeline_internal.h"

/* Buckets of a work item's digest, and so of an index's. */
#define SOURCE_DIGEST_BUCKETS 256

/* Writes one file for each index of whose documents every one is in the digests of `rows` (all of
 * the session), and removes the others' files. Logs which have none. */
int source_digests_write(const struct pipeline *p, const struct work_status *rows, size_t count,
			 const struct backfill_report *report, struct err *err);

#endif
