/* What verify found, for people and for machines. */
#ifndef CLI_VERIFY_REPORT_H
#define CLI_VERIFY_REPORT_H

#include "verify/verify.h"

#include <stdio.h>

struct verify_facts {
	const char *source, *target; /* without secrets */
	double sample;
	int64_t elapsed_ms;
	const struct err *err; /* why it ended early; NULL: it did not */
};

int verify_report_print(const struct verify_report *report, const struct verify_facts *facts,
			FILE *out, struct err *err);
int verify_report_print_json(const struct verify_report *report, const struct verify_facts *facts,
			     FILE *out, struct err *err);

#endif
