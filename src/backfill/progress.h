/* What a backfill has done so far: counters that its threads add to and anybody may read. */
#ifndef BACKFILL_PROGRESS_H
#define BACKFILL_PROGRESS_H

#include "base/compiler.h"

#include <stdatomic.h>

struct progress {
	_Atomic uint64_t
		bytes_total; /* stored fields to read; estimated until all shards are open */
	_Atomic uint64_t bytes_read;    /* of these; what an earlier run has read is counted too */
	_Atomic uint64_t bytes_resumed; /* of bytes_read: read by an earlier run, or another
					   process; no document of theirs is counted below */
	_Atomic uint64_t work_assigned; /* work items claimed */
	_Atomic uint64_t work_unavailable; /* times that none was free */
	_Atomic uint64_t shards_total, shards_done;
	_Atomic uint64_t documents_read; /* live documents that left a reader */
	_Atomic uint64_t documents_sent; /* taken by the target */
	_Atomic uint64_t documents_failed;
	_Atomic uint64_t bytes_sent; /* bulk bodies */
	_Atomic uint64_t retries;
};

#endif
