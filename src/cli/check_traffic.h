/* check --traffic: who the clients are, out of a log of their requests. */
#ifndef CLI_CHECK_TRAFFIC_H
#define CLI_CHECK_TRAFFIC_H

#include "base/opt.h"
#include "workflow/routes/check.h"

/* Reads the files (the forms of `shardlift assess --traffic`) and adds a row. */
int check_traffic(struct check_report *report, const struct opt_list *files, struct cluster *source,
		  struct cluster *target, struct err *err);

#endif
