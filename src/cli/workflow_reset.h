/* Forgetting what was done for resources. */
#ifndef CLI_WORKFLOW_RESET_H
#define CLI_WORKFLOW_RESET_H

#include "cli/workflow_common.h"

#include <stdio.h>

struct workflow_reset_wish {
	const char *const *patterns; /* TYPE.NAME, names, globs */
	size_t pattern_count;
	bool all, cascade, include_proxies, delete_storage, keep_outputs;
	bool only_tell; /* names what would go, and changes nothing */
};

/* What it does is told on `out`. ERR_LIMIT: something depends on it (without cascade); ERR_BLOCKED:
 * a step is at work on it. */
int workflow_reset(struct workflow_session *session, const struct workflow_reset_wish *wish,
		   FILE *out, struct err *err);

#endif
