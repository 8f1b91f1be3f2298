/* What a backfill has done so far: counters that its threads add to and anybody may read. */
#ifndef BACKFILL_PROGRESS_H
#define BACKFILL_PROGRESS_H

#include "base/compiler.h"

#include <stdatomic.h>

struct progress {
	_Atomic uint64_t
		bytes_total; /* stored fields to read; estimated until all shards are open */
	_Atomic uint64_t bytes_read;              /* of these */
	_Atomic uint64_t items_total, items_done; /* work items: shards, or ranges of them */
	_Atomic uint64_t jumps; /* changes when the counters were set to what was done before: a
				   pace is then measured anew */
	_Atomic uint64_t documents_read;      /* live documents that left a reader */
	_Atomic uint64_t documents_recovered; /* … whose source was their _recovery_source */
	_Atomic uint64_t documents_sent;      /* taken by the target */
	_Atomic uint64_t documents_failed;
	_Atomic uint64_t bytes_sent; /* bulk bodies */
	_Atomic uint64_t retries;
	_Atomic uint64_t work_assigned;    /* work items claimed by this process */
	_Atomic uint64_t work_unavailable; /* times it asked and none was free */
};

#endif
