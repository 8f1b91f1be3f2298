/* Two answers to one request compared: what differs between them, each difference with the place
 * it is at. Not compared: took, _shards, _seq_no, _primary_term, _scroll_id, pit ids, _type,
 * max_score, num_reduce_phases, profile, explanations, the wording of errors; scores within a
 * tolerance; the order of hits of equal rank, and of buckets of equal count; how numbers are
 * spelled. */
#ifndef VERIFY_TUPLE_COMPARE_H
#define VERIFY_TUPLE_COMPARE_H

#include "traffic/tuple_read.h"
#include "verify/tuple_rules.h"

enum tuple_difference {
	TUPLE_NO_RESPONSE,       /* of the target */
	TUPLE_STATUS,            /* of the answer; its body is not compared then */
	TUPLE_ERROR_TYPE,        /* both refuse, for other reasons */
	TUPLE_BODY,              /* texts, or JSON on one side only */
	TUPLE_TOTAL,             /* of hits */
	TUPLE_HIT_MISSING,       /* on the target */
	TUPLE_HIT_EXTRA,         /* on the target */
	TUPLE_HIT_ORDER,         /* of hits that are not of equal rank */
	TUPLE_SCORE,             /* beyond the tolerance */
	TUPLE_DOCUMENT_FIELD,    /* changed, missing or extra in a document */
	TUPLE_BUCKET_MISSING,    /* on the target */
	TUPLE_BUCKET_EXTRA,      /* on the target */
	TUPLE_BUCKET_ORDER,      /* of buckets of other counts */
	TUPLE_AGGREGATION_VALUE, /* changed, missing or extra in an aggregation */
	TUPLE_BULK_ITEM_COUNT,
	TUPLE_BULK_ITEM_STATUS,
	TUPLE_BULK_ITEM_ERROR, /* its type */
	TUPLE_FIELD_MISSING,   /* of the answer, on the target */
	TUPLE_FIELD_EXTRA,
	TUPLE_FIELD_CHANGED,
	TUPLE_DIFFERENCES,
};

/* "missing hit" */
const char *tuple_difference_name(enum tuple_difference kind);

/* `path` leads there from the answer's root, by the source's positions where there are such; "" is
 * the answer as a whole. The values, as JSON, are "" where there is none. All borrowed. */
typedef void (*tuple_difference_fn)(void *user, enum tuple_difference kind, struct str path,
				    struct str source, struct str target);

/* Both have a status. Returns how many differences there are. `mem` is for scratch. ERR_LIMIT when
 * it is full. */
int tuple_compare(const struct tuple_rules *rules, const struct tuple_message *request,
		  const struct tuple_message *source, const struct tuple_message *target,
		  struct arena *mem, tuple_difference_fn fn, void *user, struct err *err);

#endif
