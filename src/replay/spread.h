/* When the parts of a request go out: a client that sent one over several seconds is played
 * likewise, so that the target's connections are as busy as the source's were. */
#ifndef REPLAY_SPREAD_H
#define REPLAY_SPREAD_H

#include "replay/target.h"
#include "traffic/reassembly.h"

enum {
	SPREAD_PARTS_MOST = 64,
	SPREAD_LEAST_MS = 10,    /* what came within less goes at once */
	SPREAD_MOST_MS = 120000, /* what took longer is squeezed into this */
};

/* The parts of `len` bytes that stand for `captured`, its first part due at due_ms (of the
 * monotonic clock). A body that was not changed is cut where it was cut, another in the same
 * proportions. At most SPREAD_PARTS_MOST; 0: all of it goes at once, also where the whole time is
 * over already. */
size_t spread_parts(const struct captured_message *captured, size_t len, bool body_is_kept,
		    double speedup, int64_t due_ms, int64_t now_ms, struct target_part *out);

#endif
