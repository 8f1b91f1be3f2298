/* Writes that may come twice, and in any order with those of a backfill, by the versions that the
 * source gave: documents and deletes carry them (version_type=external_gte), ids that the source
 * made are taken over, creates become index, and updates wait for their place (updates.h).
 * design.md, "Zero downtime, exactly". */
#ifndef REPLAY_VERSIONS_H
#define REPLAY_VERSIONS_H

#include "replay/job.h"

/* 1; 0: nothing is to be sent, *why. */
int versions_plan(struct job *job, const char **why, struct err *err);
/* True: *verdict is that of this answer. */
bool versions_take_answer(struct job *job, int status, enum job_verdict *verdict);

#endif
