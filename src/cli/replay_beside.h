/* What a replay with --source-versions needs beside a backfill: whether the backfill is at work,
 * and index.gc_deletes of the target raised, so that deletes stay known to be newer than what the
 * backfill brings later. A thread of its own looks each few seconds: an index that is made
 * meanwhile is found before its first tombstone is old enough to go (a minute, unless it was set
 * lower). */
#ifndef CLI_REPLAY_BESIDE_H
#define CLI_REPLAY_BESIDE_H

#include "cli/replay_options.h"

#include <stdatomic.h>

struct replay_beside;

/* *out NULL: nothing to look after. The fields and strings are borrowed until the close. */
int replay_beside_open(const struct replay_fields *fields, const char *state,
		       struct replay_beside **out, struct err *err);
/* NULL: no --backfill-session is given. Lives until the close. */
const atomic_bool *replay_beside_backfill(const struct replay_beside *beside);
/* Accepts NULL. The settings go back where nothing is left to replay and no backfill is at work;
 * else they stay for the next run of this name, or `restore-settings`. */
void replay_beside_close(struct replay_beside *beside, bool all_done);

#endif
