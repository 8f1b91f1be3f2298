#include "backfill/bulk_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* New memory is dear: a page at a time it is cleared, and none of it is in the processor's cache.
 * So a bulk that comes back this soon is waited for. */
#define PATIENCE_NS 500000

struct bulk_pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t limit, ceiling;
	size_t reserved, peak;
	struct pooled_bulk *unused; /* of `limit` bytes each; they stay reserved */
	uint64_t next_ticket, serving;
	bool closed;
};

struct bulk_pool *bulk_pool_new(size_t limit, size_t ceiling)
{
	struct bulk_pool *pool = mem_zalloc(sizeof(*pool));
	pthread_condattr_t monotonic;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pool->limit = limit;
	pool->ceiling = ceiling;
	return pool;
}

static void destroy(struct bulk_pool *pool, struct pooled_bulk *bulk)
{
	pool->reserved -= bulk->reserved;
	bulk_release(&bulk->bulk);
	free(bulk);
}

static struct pooled_bulk *pop_unused(struct bulk_pool *pool)
{
	struct pooled_bulk *bulk = pool->unused;

	if (bulk)
		pool->unused = bulk->next;
	return bulk;
}

void bulk_pool_free(struct bulk_pool *pool)
{
	struct pooled_bulk *bulk;

	if (!pool)
		return;
	while ((bulk = pop_unused(pool)))
		destroy(pool, bulk);
	if (pool->reserved)
		BUG("a bulk was not given back");
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static bool has_room(const struct bulk_pool *pool, size_t size)
{
	return pool->reserved == 0 ||
	       (size <= pool->ceiling && pool->reserved <= pool->ceiling - size);
}

static struct pooled_bulk *create(struct bulk_pool *pool, size_t size)
{
	struct pooled_bulk *bulk;

	if (!has_room(pool, size))
		return NULL;
	bulk = mem_zalloc(sizeof(*bulk));
	bulk_init(&bulk->bulk, size);
	buf_take_limit(&bulk->bulk.body);
	bulk->reserved = size;
	pool->reserved += size;
	pool->peak = MAX(pool->peak, pool->reserved);
	return bulk;
}

static struct pooled_bulk *try_take(struct bulk_pool *pool, size_t size)
{
	if (size <= pool->limit)
		return pool->unused ? pop_unused(pool) : create(pool, pool->limit);
	while (pool->unused && !has_room(pool, size))
		destroy(pool, pop_unused(pool));
	return create(pool, size);
}

/* With the lock held: until one is unused, at most for as long as that is cheaper than a new one.
 */
static void wait_for_unused(struct bulk_pool *pool)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_NS;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (!pool->closed && !pool->unused && pool->reserved > 0)
		if (pthread_cond_timedwait(&pool->changed, &pool->lock, &until) != 0)
			return;
}

struct pooled_bulk *bulk_pool_take(struct bulk_pool *pool, size_t size)
{
	struct pooled_bulk *bulk = NULL;
	uint64_t ticket;

	pthread_mutex_lock(&pool->lock);
	if (size <= pool->limit)
		wait_for_unused(pool);
	ticket = pool->next_ticket++;
	while (!pool->closed && (pool->serving != ticket || !(bulk = try_take(pool, size))))
		pthread_cond_wait(&pool->changed, &pool->lock);
	pool->serving++;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	return bulk;
}

void bulk_pool_give(struct bulk_pool *pool, struct pooled_bulk *bulk)
{
	if (!bulk)
		return;
	hash_list_release(&bulk->hashes);
	pthread_mutex_lock(&pool->lock);
	if (bulk->reserved == pool->limit) {
		bulk_reset(&bulk->bulk);
		bulk->next = pool->unused;
		pool->unused = bulk;
	} else {
		destroy(pool, bulk);
	}
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void bulk_pool_close(struct bulk_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->closed = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

size_t bulk_pool_peak(struct bulk_pool *pool)
{
	size_t peak;

	pthread_mutex_lock(&pool->lock);
	peak = pool->peak;
	pthread_mutex_unlock(&pool->lock);
	return peak;
}
