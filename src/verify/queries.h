/* Searches of both sides compared by what they find. */
#ifndef VERIFY_QUERIES_H
#define VERIFY_QUERIES_H

#include "verify/findings.h"
#include "verify/verify.h"

struct verify_query {
	struct str source_index, target_index;
	struct str body; /* of a search; or, of a sampled one, the query alone */
	struct str id;   /* of the document that a sampled one must find; ptr NULL: not sampled */
};

struct verify_query_list {
	struct arena mem;
	struct verify_query *items;
	size_t count, capacity;
};

void verify_queries_init(struct verify_query_list *list);
void verify_queries_release(struct verify_query_list *list);
void verify_queries_add(struct verify_query_list *list, const struct verify_query *query);

/* Lines of {"index": on the source, "body": {…}}. ERR_USAGE names the line. `target_name` tells
 * what an index is called on the target. */
int verify_queries_read(struct verify_query_list *list, struct str text,
			struct str (*target_name)(const void *user, struct str index),
			const void *user, struct err *err);
/* term, range and match queries on values of documents of the source, by the target's mapping:
 * about `wanted` an index. */
int verify_queries_sample(struct verify_query_list *list, struct verify_side *source,
			  struct cluster *target, const struct verify_pair *pair, size_t wanted,
			  const atomic_bool *cancel, struct err *err);

/* Asks both and compares totals and the set of ids, as far as a window of 10,000 hits holds them
 * (above that totals alone); order, sizes and aggregations do not count. `source` NULL: it is a
 * snapshot, and a sampled query must find its document on the target.
 * An answer that only one side gives is a difference; where neither does, it is not compared. */
int verify_queries_compare(const struct verify_query_list *list, struct cluster *source,
			   struct cluster *target, const atomic_bool *cancel,
			   struct verify_findings *out, struct err *err);

#endif
