/* How a run is told at its end: a table for people, or one JSON object. */
#ifndef CLI_RUN_REPORT_H
#define CLI_RUN_REPORT_H

#include "backfill/progress.h"
#include "workflow/routes/migrate.h"

#include <stdio.h>

struct run_facts {
	const char *command;
	struct str repository, snapshot, source_version;
	struct str previous;        /* snapshot that the documents are the changes since; ptr
				       NULL: they are all */
	const char *target;         /* without secrets */
	const char *target_version; /* NULL: no cluster */
	const char *failed_documents;
	const char *session; /* that can be taken up again; NULL: none */
	bool live;           /* out of a cluster, not a snapshot */
	bool planned;        /* nothing was done */
	bool creates_indices;
	int64_t elapsed_ms;
	const struct progress *progress;
	const struct err *err; /* what ended it early; NULL: nothing */
};

/* 5 when an index could not be read, else 1 when anything was refused, failed or differs, else 0.
 */
enum exit_code run_report_exit_code(const struct migrate_report *report);
/* The table and a line of totals. */
int run_report_print(const struct migrate_report *report, const struct run_facts *facts, FILE *out,
		     struct err *err);
int run_report_print_json(const struct migrate_report *report, const struct run_facts *facts,
			  FILE *out, struct err *err);

#endif
