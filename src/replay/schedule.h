/* When a captured moment is due: real start + (captured - first captured) / speed-up, where no
 * silence between what was captured counts for more than gap_ms: a clock of a capture that was set
 * forward by a year must not stall the replay for a year. */
#ifndef REPLAY_SCHEDULE_H
#define REPLAY_SCHEDULE_H

#include "base/compiler.h"

struct schedule {
	double speedup;    /* above 0 */
	int64_t window_ms; /* of captured time that may be read ahead of what is due */
	int64_t gap_ms;    /* captured time that nothing was captured in, at most; 0: any */
	bool started;
	int64_t first_ms;   /* captured */
	int64_t start_ms;   /* of the monotonic clock */
	int64_t latest_ms;  /* captured, of all seen */
	int64_t skipped_ms; /* of captured time, by gap_ms */
};

/* The first call fixes the start. Times before the first captured one are due at once,
 * as is what has no time (0). */
int64_t schedule_due(struct schedule *s, int64_t captured_ms, int64_t now_ms);
/* Whether what comes behind something captured then may be read already. */
bool schedule_may_read(struct schedule *s, int64_t captured_ms, int64_t now_ms);

#endif
