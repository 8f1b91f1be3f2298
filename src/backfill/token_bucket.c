#include "backfill/token_bucket.h"

#define SECOND 1000             /* ms, and thousandths */
#define RATE_MAX (1LL << 40)    /* with the two below, nothing overflows */
#define ELAPSED_MAX (1LL << 22) /* ms filled at once; more than an hour */
#define TAKE_MAX (1LL << 50)

static void fill(struct token_bucket *bucket, int64_t now_ms)
{
	int64_t elapsed = MIN(MAX(now_ms - bucket->filled_ms, 0), ELAPSED_MAX);

	/* At most a second's worth is saved up. */
	bucket->level =
		MIN(bucket->level + bucket->per_second * elapsed, bucket->per_second * SECOND);
	bucket->filled_ms = now_ms;
}

void token_bucket_set(struct token_bucket *bucket, int64_t per_second, int64_t now_ms)
{
	fill(bucket, now_ms);
	bucket->per_second = MIN(MAX(per_second, 0), RATE_MAX);
	if (!bucket->per_second)
		bucket->level = 0;
	bucket->level = MIN(bucket->level, bucket->per_second * SECOND);
}

int64_t token_bucket_wait(struct token_bucket *bucket, int64_t now_ms)
{
	if (!bucket->per_second)
		return 0;
	fill(bucket, now_ms);
	if (bucket->level >= 0)
		return 0;
	return (-bucket->level + bucket->per_second - 1) / bucket->per_second;
}

void token_bucket_take(struct token_bucket *bucket, size_t units)
{
	if (bucket->per_second)
		bucket->level -= (int64_t)MIN(units, (size_t)(TAKE_MAX / SECOND)) * SECOND;
}
