/* What the commands compare and compare queries share. */
#ifndef CLI_COMPARE_OPTIONS_H
#define CLI_COMPARE_OPTIONS_H

#include "base/opt.h"
#include "cli/compare_report.h"

struct compare_rule_fields {
	struct opt_list ignored;
	const char *score_tolerance, *max_mismatch, *max_p99_ratio, *report;
	int64_t max_errors, max_named;
};
extern const struct opt compare_rule_options[];

/* ERR_USAGE names what is no number, or no percentage. */
int compare_rules_of(const struct compare_rule_fields *fields, struct tuple_rules *rules,
		     struct tuple_limits *limits, struct err *err);
/* Judges, prints as text or JSON, writes the page. The exit code: 0 within the limits, 1 beyond, 5
 * within but for damage, 8 interrupted. */
int compare_conclude(const struct compare_rule_fields *fields, struct tuple_tally *tally,
		     struct compare_facts *facts, bool json, struct err *err);

#endif
