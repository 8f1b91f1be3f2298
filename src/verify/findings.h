/* What is said to differ besides documents: a place, what should be there, what is. One thread. */
#ifndef VERIFY_FINDINGS_H
#define VERIFY_FINDINGS_H

#include "base/arena.h"
#include "base/limits.h"

struct verify_finding {
	struct str index; /* on the target */
	struct str where; /* "mappings.properties.price.type", or a query */
	struct str expected, found;
	bool not_compared; /* `found` says why */
};

struct verify_findings {
	struct arena mem;
	struct verify_finding *items; /* at most `most` are kept */
	size_t count, capacity, most;
	uint64_t compared;  /* indices, or queries */
	uint64_t different; /* of these */
	uint64_t unclear;   /* of these: not compared */
};

void verify_findings_init(struct verify_findings *findings, size_t most);
void verify_findings_release(struct verify_findings *findings);
/* Copies the strings. Counts nothing. */
void verify_findings_add(struct verify_findings *findings, const struct verify_finding *finding);

#endif
