/* That a shard read in pieces was read as it was written: the checksums of the pieces, joined. */
#ifndef BACKFILL_SHARD_PROOF_H
#define BACKFILL_SHARD_PROOF_H

#include "backfill/coordinator.h"
#include "snapshot/repository.h"

#include <stdatomic.h>

/* All `rows` of one shard, completed. Where their checksums do not cover a file, its bytes are read
 * once more. ERR_FORMAT: the shard is damaged. */
int shard_proof(const struct snapshot *snapshot, const struct snapshot_index *index, int32_t shard,
		const struct work_status *rows, size_t count, const atomic_bool *cancel,
		struct err *err);

#endif
