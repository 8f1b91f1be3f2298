/* The verdict on many answers: by endpoint, by kind of difference, by class of error. One thread;
 * memory is bounded by how many endpoints, classes and examples are kept, not by tuples. */
#ifndef VERIFY_TUPLE_TALLY_H
#define VERIFY_TUPLE_TALLY_H

#include "verify/latency.h"
#include "verify/tuple_compare.h"

#define TUPLE_ENDPOINTS_MAX 500 /* what comes behind them is one more: "(others)" */
#define TUPLE_STATUS_MAX 64     /* pairs of statuses of an endpoint */
#define TUPLE_CLASSES_MAX 200
#define TUPLE_LATENCY_ENOUGH 100 /* answers of an endpoint whose p99 can be judged alone */

enum tuple_side { TUPLE_SOURCE, TUPLE_TARGET, TUPLE_SIDES };

struct tuple_statuses {
	int status[TUPLE_SIDES]; /* 0: no answer */
	uint64_t count;
};

struct tuple_endpoint_tally {
	struct str name; /* "POST /INDEX/_search" */
	uint64_t tuples, compared, different;
	struct tuple_statuses statuses[TUPLE_STATUS_MAX];
	size_t status_count;
	/* Where both are known; NULL: none. To the last byte and to the first. */
	struct latency *latency[TUPLE_SIDES], *first_byte[TUPLE_SIDES];
};

/* One difference that is named. */
struct tuple_example {
	struct str connection_id, method, uri, path, source, target;
};

struct tuple_kind_tally {
	uint64_t differences, tuples;
	struct tuple_example *examples; /* at most as many as wanted */
	size_t example_count;
};

struct tuple_class {
	enum tuple_side side;
	struct str name; /* "404 index_not_found_exception", "no response: …" */
	uint64_t count;
};

struct tuple_tally {
	const struct tuple_rules *rules; /* borrowed */
	size_t examples;                 /* of each kind */
	struct arena mem;                /* names and examples */
	struct tuple_endpoint_tally **endpoints;
	size_t endpoint_count;
	struct tuple_kind_tally kinds[TUPLE_DIFFERENCES];
	struct tuple_class classes[TUPLE_CLASSES_MAX];
	size_t class_count;
	uint64_t tuples, compared, different;
	uint64_t not_compared; /* there is no answer of the source */
	uint64_t errors;       /* of the target: no answer, or 5xx where the source gave none */
	uint64_t retried;      /* asked more than once */
	struct latency *latency[TUPLE_SIDES], *first_byte[TUPLE_SIDES];
	uint64_t same_span; /* answers of `latency` that have spans on both sides; of others
			       response_time_ms counts */
};

void tuple_tally_init(struct tuple_tally *tally, const struct tuple_rules *rules, size_t examples);
void tuple_tally_release(struct tuple_tally *tally);

/* What is counted: a request and its two answers (NULL: none). */
struct tuple_pair {
	const struct tuple_message *request, *source, *target;
	struct str connection_id;
	struct str error; /* why the target gave none; len 0: unknown */
	bool retried;
};

/* `mem` is for scratch. ERR_LIMIT. */
int tuple_tally_add(struct tuple_tally *tally, const struct tuple_pair *pair, struct arena *mem,
		    struct err *err);
/* The pair of a tuple: the source's answer and the target's last. */
struct tuple_pair tuple_pair_of(const struct tuple *tuple);

/* Limits of a verdict. */
struct tuple_limits {
	double mismatch;  /* part of what was compared that may differ */
	double p99_ratio; /* target's p99 by the source's; 0: no limit */
	int64_t errors;   /* tally.errors; -1: no limit */
};

/* Whether all of it is within the limits. What is not is told in lines appended to `why`. */
bool tuple_tally_within(const struct tuple_tally *tally, const struct tuple_limits *limits,
			struct buf *why);
/* Target's percentile by the source's; 0 where there is none. */
double tuple_latency_ratio(struct latency *const latency[TUPLE_SIDES], double part);
/* Endpoints by name, classes by count; for reports. */
void tuple_tally_sort(struct tuple_tally *tally);

#endif
