/* How an assessment is told: to people, to programs, and as a page. */
#ifndef CLI_ASSESS_REPORT_H
#define CLI_ASSESS_REPORT_H

#include "metadata/assess.h"

#include <stdio.h>

struct assess_facts {
	const char *source;      /* repository or URL, without secrets */
	struct str target;       /* "OpenSearch 2.19.0" */
	bool looked_at_requests; /* --traffic or --queries was given */
};

void assess_report_print(const struct assessment *a, const struct assess_facts *facts, FILE *out);
int assess_report_print_json(const struct assessment *a, const struct assess_facts *facts,
			     FILE *out, struct err *err);
/* One page that needs nothing but itself. Failure is sticky in `out`. */
void assess_report_html(const struct assessment *a, const struct assess_facts *facts,
			struct buf *out);

#endif
