/* When a captured moment is due: real start + (captured - first captured) / speed-up. */
#ifndef REPLAY_SCHEDULE_H
#define REPLAY_SCHEDULE_H

#include "base/compiler.h"

struct schedule {
	double speedup;    /* above 0 */
	int64_t window_ms; /* of captured time that may be read ahead of what is due */
	bool started;
	int64_t first_ms; /* captured */
	int64_t start_ms; /* of the monotonic clock */
};

/* The first call fixes the start. Times before the first captured one are due at once,
 * as is what has no time (0). */
int64_t schedule_due(struct schedule *s, int64_t captured_ms, int64_t now_ms);
/* Whether something captured then may be read already. */
bool schedule_may_read(const struct schedule *s, int64_t captured_ms, int64_t now_ms);

#endif
