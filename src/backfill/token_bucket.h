/* A rate that is held in the long run: so many units (documents, bytes) a second.
 *
 * What is taken may exceed what is there, and is paid back before more is given: something larger
 * than a second's worth passes too, and the rate still holds after it. */
#ifndef BACKFILL_TOKEN_BUCKET_H
#define BACKFILL_TOKEN_BUCKET_H

#include "base/compiler.h"

struct token_bucket {
	int64_t per_second; /* 0: no limit */
	int64_t level;      /* thousandths of a unit, so that a millisecond brings whole ones */
	int64_t filled_ms;  /* the clock when the level was right */
};

/* A new rate from now on; a debt stays. Starts as {0}. */
void token_bucket_set(struct token_bucket *bucket, int64_t per_second, int64_t now_ms);
/* Milliseconds until more may be taken; 0: now. */
int64_t token_bucket_wait(struct token_bucket *bucket, int64_t now_ms);
void token_bucket_take(struct token_bucket *bucket, size_t units);

#endif
