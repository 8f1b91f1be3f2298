/* Writes that may come twice, and in any order with those of a backfill, by the versions that the
 * source gave: documents and deletes carry them (version_type=external_gte), ids that the source
 * made are taken over, creates become index, and an update goes out only when the target's document
 * is below it, bound to the state that was seen (if_seq_no). design.md, "Zero downtime, exactly".
 */
#ifndef REPLAY_VERSIONS_H
#define REPLAY_VERSIONS_H

#include "replay/job.h"

#define VERSIONS_PROBES 5 /* how often an update asks for what comes before it */

/* 1; 0: nothing is to be sent, *why. */
int versions_plan(struct job *job, const char **why, struct err *err);
bool versions_wants_probe(const struct job *job);
int versions_write_probe(struct job *job, struct buf *out, struct err *err);
enum job_verdict versions_take_probe(struct job *job, int status, struct str answer);
/* True: *verdict is that of this answer. */
bool versions_take_answer(struct job *job, int status, enum job_verdict *verdict);

#endif
