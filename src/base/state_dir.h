/* Where Shardlift keeps what must survive: --state-dir, else $SHARDLIFT_HOME, else
 * /var/lib/shardlift for root, else $XDG_STATE_HOME/shardlift (~/.local/state/shardlift). */
#ifndef BASE_STATE_DIR_H
#define BASE_STATE_DIR_H

#include "base/arena.h"
#include "base/err.h"

/* The path (not made yet), in the arena. `flag` is the value of --state-dir or NULL. */
int state_dir_path(const char *flag, struct arena *mem, const char **out, struct err *err);
/* Makes `path` and its parents, 0700 where new; those are durable when it returns. ERR_IO names the
 * directory that failed. */
int directory_make(const char *path, struct err *err);

#endif
