/* A pilot: the plan of a configuration carried out on a few indices, under names of its own, so
 * that nothing of it stands in the way of the whole. */
#ifndef WORKFLOW_PILOT_H
#define WORKFLOW_PILOT_H

#include "workflow/config_value.h"

/* The configuration of the pilot, as JSON: snapshots and labels end in "-pilot", `pattern` (as
 * clusters have it) and `entry` (as allowlists have it) are all that is taken, and there is no live
 * traffic. `root` is one that config_check found no errors in. ERR_USAGE: there is nothing to try,
 * or `pattern` is none that a cluster takes a snapshot by. */
int pilot_configuration(const struct config_value *root, const char *pattern, const char *entry,
			struct arena *mem, struct str *out, struct err *err);

#endif
