/* What compare found, for people and for programs. */
#ifndef CLI_COMPARE_REPORT_H
#define CLI_COMPARE_REPORT_H

#include "verify/tuple_tally.h"

#include <stdio.h>

struct compare_facts {
	const char *source, *target; /* what they are called: "source", "target" */
	const struct tuple_limits *limits;
	bool within;
	struct str why; /* lines: which limits were passed */
	uint64_t files, damaged;
	struct str damages;              /* lines: the first of them */
	uint64_t unmatched[TUPLE_SIDES]; /* requests that only one of two sets of tuples has */
	bool matched;                    /* two sets of tuples were compared */
	bool interrupted;
};

int compare_report_print(const struct tuple_tally *tally, const struct compare_facts *facts,
			 FILE *out, struct err *err);
int compare_report_print_json(const struct tuple_tally *tally, const struct compare_facts *facts,
			      FILE *out, struct err *err);
/* A page that needs nothing else, into a file, whole or not at all. */
int compare_html_write(const struct tuple_tally *tally, const struct compare_facts *facts,
		       const char *path, struct err *err);

#endif
