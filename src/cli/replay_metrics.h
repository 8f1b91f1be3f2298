/* The numbers of a replay for Prometheus: the Java replayer's names, and ours. */
#ifndef CLI_REPLAY_METRICS_H
#define CLI_REPLAY_METRICS_H

#include "base/buf.h"
#include "replay/replay.h"

/* `unread`: records that the source has and that were not read. */
void replay_metrics(struct buf *out, const struct replay_counts *counts,
		    const struct record_progress *progress, uint64_t unread);

#endif
