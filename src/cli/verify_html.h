/* What verify found, as one page of HTML that needs nothing else. */
#ifndef CLI_VERIFY_HTML_H
#define CLI_VERIFY_HTML_H

#include "cli/verify_report.h"

/* Into a file, whole or not at all: an older one is replaced. */
int verify_html_write(const struct verify_report *report, const struct verify_facts *facts,
		      const char *path, struct err *err);

#endif
