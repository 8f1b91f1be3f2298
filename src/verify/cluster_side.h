/* A live cluster as one side: what its files share. */
#ifndef VERIFY_CLUSTER_SIDE_H
#define VERIFY_CLUSTER_SIDE_H

#include "backfill/token_bucket.h"
#include "verify/verify_side.h"

#include <pthread.h>

struct cluster_side {
	struct verify_side base;
	struct cluster *cluster; /* asked by one thread at a time */
	struct verify_cluster_options options;
	pthread_mutex_t lock; /* of the rate */
	struct token_bucket rate;
};

static inline struct cluster_side *cluster_side_of(struct verify_side *side)
{
	return (struct cluster_side *)side;
}

/* A request to /<index><rest>, which may be repeated. */
int cluster_side_ask(struct cluster_side *side, const char *method, struct str index,
		     const char *rest, struct str body, struct arena *mem, int *status,
		     struct json **answer, struct err *err);
/* The error of an answer. */
int cluster_side_failed(const struct verify_side *side, struct str index, int status,
			const struct json *answer, struct arena *mem, struct err *err);
/* The state of an index (verify_side.h): `settings` is the answer to GET /<index>/_settings. Where
 * a cluster does not tell what was written, the number is one of no other run. */
uint64_t cluster_side_identity(const struct json *settings);
uint64_t cluster_side_writes(struct cluster_side *side, struct str index);
/* verify_side_ops.fetch */
int cluster_side_fetch(struct verify_side *base, const struct verify_index *index,
		       const struct str *ids, size_t count,
		       void (*visit)(void *user, const struct document *document), void *user,
		       struct err *err);

#endif
