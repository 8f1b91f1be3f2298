/* Which differences of two answers do not count. */
#ifndef VERIFY_TUPLE_RULES_H
#define VERIFY_TUPLE_RULES_H

#include "base/arena.h"

#define TUPLE_SCORE_TOLERANCE 0.0001

struct tuple_rules {
	double score_tolerance;     /* of two scores, as a part of the larger */
	const char *const *ignored; /* paths: "hits.hits[*]._source.seen", "$.a.*", "**.uuid" */
	size_t ignored_count;
};

/* Whether the place `path` ("hits.hits[0]._source.a") or one around it is ignored. `*` stands for
 * any one name or position, also in parts of a name; `**` for any number of them. */
bool tuple_rules_ignore(const struct tuple_rules *rules, struct str path);
/* Scores that are one by the tolerance. */
bool tuple_scores_equal(const struct tuple_rules *rules, double a, double b);

#endif
