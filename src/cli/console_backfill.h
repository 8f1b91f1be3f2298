/* What the commands of `console backfill` share. */
#ifndef CLI_CONSOLE_BACKFILL_H
#define CLI_CONSOLE_BACKFILL_H

#include "cli/console_platform.h"
#include "cli/status_report.h"

struct console_backfill_fields {
	struct console_fields console;
	bool deep, yes, include_failed;
};

struct console_backfill {
	struct console console;
	const struct config_value *section;
	const char *session;
	bool in_target; /* work items are kept there, not on this machine */
	bool in_pods;   /* the workflow's engine has made them */
	struct console_workers workers;
};
/* Opens services and finds the section backfill. */
int console_backfill_open(struct console_backfill *backfill, struct cli *cli,
			  const struct console_backfill_fields *fields, struct err *err);
/* For cleanup(). */
void console_backfill_close(struct console_backfill *backfill);

/* Connects to the target of this backfill. */
int console_backfill_connect(const struct console_backfill *backfill, struct cluster **out,
			     struct err *err);
/* Writes the items to <state>/archive/backfill-SESSION-TIME.json, whose path is *path; NULL: there
 * is no work on record. */
int console_backfill_archive(const struct console_backfill *backfill, const char **path,
			     struct err *err);

#endif
