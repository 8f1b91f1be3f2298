/* Which of many positions, finished in any order, is the one that may be committed: all below it
 * are finished. Not thread-safe. */
#ifndef TRAFFIC_COMMIT_TRACKER_H
#define TRAFFIC_COMMIT_TRACKER_H

#include "base/compiler.h"

struct commit_tracker {
	uint64_t *words;      /* owned; a ring of bits: the position is outstanding */
	size_t capacity;      /* bits, a power of two */
	uint64_t first;       /* the lowest position that is not finished */
	uint64_t end;         /* the position after the highest that was begun */
	uint64_t outstanding; /* begun, not finished */
};

#define COMMIT_TRACKER_INIT(from) ((struct commit_tracker){.first = (from), .end = (from)})

void commit_tracker_release(struct commit_tracker *t);
/* `position` is handed out; not below one that was handed out before. Positions left out count as
 * finished. */
void commit_tracker_begin(struct commit_tracker *t, uint64_t position);
/* False: it was not outstanding. */
bool commit_tracker_finish(struct commit_tracker *t, uint64_t position);
/* All below this are finished. */
static inline uint64_t commit_tracker_committable(const struct commit_tracker *t)
{
	return t->first;
}

#endif
