/* How many bytes of stored fields are to be read: known of ranges, estimated of shards from the
 * size of their files until they are opened. Thread-safe. */
#ifndef BACKFILL_WORK_BYTES_H
#define BACKFILL_WORK_BYTES_H

#include "backfill/coordinator.h"
#include "backfill/progress.h"

struct work_bytes;

/* Sets progress->bytes_total and bytes_read (borrowed). */
struct work_bytes *work_bytes_new(struct progress *progress);
/* Accepts NULL. */
void work_bytes_free(struct work_bytes *bytes);
/* An item of the session, as it stands at the start of a run or comes by division. */
void work_bytes_add(struct work_bytes *bytes, const struct work_status *status);
/* An item was opened (or could not be, with 0) and `stored` bytes are to be read of it. */
void work_bytes_open(struct work_bytes *bytes, const struct work_item *item,
		     const struct work_progress *progress, uint64_t stored);
/* A shard of `files` bytes turned out to be ranges of `stored` bytes in all, one of them claimed.
 */
void work_bytes_divide(struct work_bytes *bytes, const struct work_item *whole, uint64_t stored);
/* Nothing is left: what others read was read too. */
void work_bytes_end(struct work_bytes *bytes);

#endif
