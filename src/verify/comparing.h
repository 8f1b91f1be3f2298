/* One pair of indices under comparison: what its passes share. */
#ifndef VERIFY_COMPARING_H
#define VERIFY_COMPARING_H

#include "verify/checkpoint.h"
#include "verify/difference_table.h"
#include "verify/passes.h"

struct comparing {
	struct pass pass;
	const struct verify_options *options;
	struct verify_report *report;
	struct index_comparison *result;
	struct verify_checkpoint kept; /* digests, and of which parts */
	int64_t saved_ms;
	uint8_t *looked; /* one byte a bucket: differs, and is looked at */
	struct difference_table *table;
	atomic_bool overflow; /* the table was full */
	struct document_difference *differences;
	size_t capacity;
};

/* First pass: digests, of the parts that were not read by an earlier run. */
int comparing_take_digests(struct comparing *c, struct err *err);
/* Reads what differs again, until it is equal or options->settle_ms have passed: what was written
 * to meanwhile and still differs is in motion. */
int comparing_settle(struct comparing *c, struct err *err);
/* Second pass: the ids of differing buckets; third: sources of changed documents. */
int comparing_name_differences(struct comparing *c, struct err *err);

#endif
