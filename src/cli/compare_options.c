#include "cli/compare_options.h"

#include <math.h>
#include <stdlib.h>

#define RULES(member) OPT_FIELD(struct compare_rule_fields, member), .category = "Verdict"

const struct opt compare_rule_options[] = {
	{.name = "ignore",
	 .type = OPT_LIST,
	 RULES(ignored),
	 .metavar = "PATH",
	 .help = "A place in answers whose differences do not count, and all below it: "
		 "hits.hits[*]._source.seen; * is any one name or position, ** any number of "
		 "them."},
	{.name = "score-tolerance",
	 .type = OPT_STRING,
	 RULES(score_tolerance),
	 .metavar = "PART",
	 .fallback = "0.0001",
	 .help = "Scores that differ by this part of the larger are equal, and so is their rank."},
	{.name = "max-mismatch",
	 .type = OPT_STRING,
	 RULES(max_mismatch),
	 .metavar = "PERCENT",
	 .fallback = "0%",
	 .help = "Answers that may differ: 0.1%."},
	{.name = "max-p99-ratio",
	 .type = OPT_STRING,
	 RULES(max_p99_ratio),
	 .metavar = "RATIO",
	 .help = "How many times the source's p99 that of the target may be, over all, and for "
		 "each endpoint with at least 100 answers: 1.2."},
	{.name = "max-errors",
	 .type = OPT_INT,
	 RULES(max_errors),
	 .metavar = "N",
	 .fallback = "-1",
	 .min = -1,
	 .max = INT64_MAX,
	 .help = "Requests without an answer of the target, or with a 5xx where the source had "
		 "none, that are allowed. -1: they count as differences only."},
	{.name = "max-named",
	 .type = OPT_INT,
	 RULES(max_named),
	 .metavar = "N",
	 .fallback = "10",
	 .min = 0,
	 .max = 100000,
	 .help = "Differences of each kind that are named; all are counted."},
	{.name = "report",
	 .type = OPT_STRING,
	 RULES(report),
	 .metavar = "html=FILE",
	 .help = "Also write one page of HTML that needs nothing else."},
	{0},
};

static int parse_number(const char *flag, const char *text, const char *suffix, double *out,
			struct err *err)
{
	char *end;

	*out = strtod(text, &end);
	if (end == text || !isfinite(*out) || *out < 0 ||
	    (*end != '\0' && (!suffix || strcmp(end, suffix) != 0)))
		return err_set(err, ERR_USAGE, "--%s '%s': a number from 0 on%s", flag, text,
			       suffix ? ", in percent: 0.1%" : "");
	return 0;
}

int compare_rules_of(const struct compare_rule_fields *fields, struct tuple_rules *rules,
		     struct tuple_limits *limits, struct err *err)
{
	*rules = (struct tuple_rules){.ignored = fields->ignored.items,
				      .ignored_count = fields->ignored.count};
	*limits = (struct tuple_limits){.errors = fields->max_errors};
	if (parse_number("score-tolerance", fields->score_tolerance, NULL, &rules->score_tolerance,
			 err) < 0 ||
	    parse_number("max-mismatch", fields->max_mismatch, "%", &limits->mismatch, err) < 0)
		return -(int)err->kind;
	limits->mismatch /= 100;
	if (fields->report && strncmp(fields->report, "html=", strlen("html=")) != 0)
		return err_set(err, ERR_USAGE, "--report '%s': html=FILE", fields->report);
	if (!fields->max_p99_ratio)
		return 0;
	if (parse_number("max-p99-ratio", fields->max_p99_ratio, NULL, &limits->p99_ratio, err) < 0)
		return -(int)err->kind;
	if (limits->p99_ratio <= 0)
		return err_set(err, ERR_USAGE, "--max-p99-ratio '%s': a number above 0",
			       fields->max_p99_ratio);
	return 0;
}

int compare_conclude(const struct compare_rule_fields *fields, struct tuple_tally *tally,
		     struct compare_facts *facts, bool json, struct err *err)
{
	cleanup(buf_release) struct buf why = BUF_INIT(MIB(1));
	int rc;

	tuple_tally_sort(tally);
	facts->within = tuple_tally_within(tally, facts->limits, &why);
	facts->why = buf_str(&why);
	rc = json ? compare_report_print_json(tally, facts, stdout, err)
		  : compare_report_print(tally, facts, stdout, err);
	if (rc == 0 && fields->report)
		rc = compare_html_write(tally, facts, fields->report + strlen("html="), err);
	if (rc < 0)
		return rc;
	if (facts->interrupted)
		return EXIT_CODE_INTERRUPTED;
	if (tally->tuples == 0 && facts->damaged > 0)
		return EXIT_CODE_SOURCE_UNREADABLE;
	if (!facts->within)
		return EXIT_CODE_COMPLETED_WITH_ERRORS;
	return facts->damaged > 0 ? EXIT_CODE_SOURCE_UNREADABLE : EXIT_CODE_OK;
}
