/* What verify found, for people and for machines. */
#ifndef CLI_VERIFY_REPORT_H
#define CLI_VERIFY_REPORT_H

#include "verify/findings.h"
#include "verify/transformed_side.h"
#include "verify/verify.h"

#include <stdio.h>

struct verify_facts {
	const char *source, *target; /* without secrets */
	double sample;
	int64_t settle_ms; /* how long what differed was read again */
	int64_t elapsed_ms;
	const struct err *err; /* why it ended early; NULL: it did not */
	const char *query;     /* what documents of live clusters had to fulfil; or NULL */
	const char *since;     /* only what changed since that snapshot; or NULL */
	bool without_ids;
	const struct verify_transformed_counts *transformed; /* NULL: no transformers */
	bool documents;                                      /* they were compared */
	bool equal;                                          /* all that was compared */
	/* NULL: not compared. */
	const struct verify_findings *metadata, *queries;
	const char *metadata_skipped, *queries_skipped; /* why not; NULL: nobody asked */
};

const char *verify_verdict_name(enum verify_verdict verdict);
const char *verify_kind_name(enum difference_kind kind);
/* What limits the verdict, a sentence a line, appended: a sample, a query, documents that no
 * transformer could do. */
void verify_report_notes(const struct verify_facts *facts, struct buf *out);
/* Mappings, settings and queries that differ, as tables under headings. */
int verify_findings_print(const struct verify_facts *facts, struct arena *mem, FILE *out,
			  struct err *err);
void verify_findings_json(const struct verify_facts *facts, struct arena *mem, struct json *root);
void verify_findings_html(const struct verify_facts *facts, struct buf *out,
			  void (*append_escaped)(struct buf *out, struct str text));
int verify_report_print(const struct verify_report *report, const struct verify_facts *facts,
			FILE *out, struct err *err);
int verify_report_print_json(const struct verify_report *report, const struct verify_facts *facts,
			     FILE *out, struct err *err);

#endif
