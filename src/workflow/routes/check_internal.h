/* What the files of the checks share. */
#ifndef WORKFLOW_ROUTES_CHECK_INTERNAL_H
#define WORKFLOW_ROUTES_CHECK_INTERNAL_H

#include "workflow/routes/check.h"

/* Asks; the answer lies in the report's arena. NULL: refused or unreachable, and a row says so,
 * skipped; or, where the endpoint is not there (400, 404, 405), without a row. */
struct json *check_ask(struct check_report *report, const char *side, const char *name,
		       struct cluster *cluster, const char *method, const char *path,
		       struct str body);
/* "1.5 GB" */
struct str check_bytes(struct check_report *report, uint64_t bytes);

/* check_permissions.c: whether the user may do what a source or target is asked for. */
void check_permissions(struct check_report *report, const char *side, struct cluster *cluster);
/* check_pair.c */
void check_zones(struct check_report *report, struct cluster *target);

#endif
