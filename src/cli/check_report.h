/* What checks found, on standard output. */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include "workflow/routes/check.h"

/* A table, or one object {"checks":[…]}. */
int check_report_print(const struct check_report *report, bool json, struct err *err);

#endif
