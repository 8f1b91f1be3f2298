/* The same searches asked of two clusters, round by round; answers and times go into a tally. */
#ifndef VERIFY_QUERY_ROUNDS_H
#define VERIFY_QUERY_ROUNDS_H

#include "verify/queries.h"
#include "verify/tuple_tally.h"

struct query_rounds {
	int64_t rounds; /* how often the whole list is asked */
	int64_t rate;   /* queries a second; 0: as fast as both answer */
};

/* Each query goes to both, one after the other, who is first taking turns; as it stands in the
 * list. A side that does not answer is counted as such; ERR_AUTH ends it, and ERR_CANCELLED when
 * *cancel is true: what was counted until then stays. */
int query_rounds_run(const struct verify_query_list *list, struct cluster *const clusters[2],
		     const struct query_rounds *how, const atomic_bool *cancel,
		     struct tuple_tally *tally, struct err *err);

#endif
