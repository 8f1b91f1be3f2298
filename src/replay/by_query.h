/* Requests by query see what was refreshed. At the source what was written before them was, by the
 * time that had passed; a replay that catches up leaves no time, so it refreshes first. */
#ifndef REPLAY_BY_QUERY_H
#define REPLAY_BY_QUERY_H

#include "replay/job.h"

/* Into job->refresh the target of the request that refreshes what it reads. */
int by_query_plan(struct job *job, struct err *err);
int by_query_write_refresh(struct job *job, struct buf *out, struct err *err);

#endif
