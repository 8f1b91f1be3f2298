/* What the files of a migration share. */
#ifndef WORKFLOW_ROUTES_MIGRATE_INTERNAL_H
#define WORKFLOW_ROUTES_MIGRATE_INTERNAL_H

#include "workflow/routes/migrate.h"

struct route {
	const struct migrate_plan *plan;
	struct migrate_report *report;
	atomic_bool *cancel;
	/* The indices whose documents are sent, and which of the report's they are. */
	struct backfill_index *accepted;
	size_t *positions;
	size_t accepted_count;
};

int route_check_cancelled(const struct route *route, struct err *err);
/* Adds to what is said of an index already. */
void route_note(struct route *route, struct migrate_index *index, struct str text);
/* What there is to copy, and whether it could be. */
int route_plan(struct route *route, struct err *err);
/* Compares counts, and says of each index, and of all, whether they agree. */
int route_prove(struct route *route, struct err *err);

#endif
