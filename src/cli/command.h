/* A command of the program: one table row, one file. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/opt.h"

#include <stdatomic.h>

/* What every command gets. */
struct cli {
	struct arena *mem; /* lives as long as the program */
	const struct opt_result *parsed;
	atomic_bool *interrupted; /* set by SIGINT and SIGTERM; a second one ends at once */
};

struct command {
	struct opt_command options;
	size_t fields_size;
	/* Returns 0 or an exit code > 0 by itself; a negative return means *err, which the caller
	 * prints. */
	int (*run)(struct cli *cli, const void *fields, struct err *err);
};

extern const struct command command_migrate;
extern const struct command command_backfill;
extern const struct command command_snapshot_list;
extern const struct command command_snapshot_show;
extern const struct command command_inspect_lucene;

#endif
