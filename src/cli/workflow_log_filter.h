/* Which steps `workflow log filter` means, by the labels that Migration Assistant puts on their
 * pods. */
#ifndef CLI_WORKFLOW_LOG_FILTER_H
#define CLI_WORKFLOW_LOG_FILTER_H

#include "base/opt.h"
#include "workflow/state.h"

struct workflow_log_filter {
	const char *source, *target, *snapshot, *migration, *task, *prefix;
	struct opt_list labels; /* NAME=VALUE, the prefix left out or not */
};

/* Takes the labels into the other members. ERR_USAGE: there is no such label. */
int workflow_log_filter_read(struct workflow_log_filter *filter, struct err *err);
bool workflow_log_filter_means(const struct workflow_log_filter *filter,
			       const struct workflow_step *step);

#endif
