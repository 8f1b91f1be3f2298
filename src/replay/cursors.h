/* Scrolls and points in time of the source, and those that the target made for them: ids of
 * captured answers stand beside those of the target's answers, and requests that name them are sent
 * with the target's. Bounded in number and age. One thread.
 *
 * Source: the search, scroll and point-in-time APIs of Elasticsearch and OpenSearch. */
#ifndef REPLAY_CURSORS_H
#define REPLAY_CURSORS_H

#include "replay/job.h"

#define CURSORS_MOST 20000
#define CURSORS_MOST_BYTES MIB(64)
#define CURSORS_AGE_MS 3600000 /* since it was named last */

struct cursors;

struct cursors *cursors_new(void);
/* Accepts NULL. */
void cursors_free(struct cursors *cursors);
/* The request names an id, in its path, query or body. */
bool cursors_are_named(struct job *job);
/* Puts the target's ids into the request. False: one of them is not known. */
bool cursors_put(struct cursors *cursors, struct job *job);
/* Both answers, whole: what ids they hold. */
void cursors_learn(struct cursors *cursors, struct job *job, struct str target_answer);
size_t cursors_count(const struct cursors *cursors);

#endif
