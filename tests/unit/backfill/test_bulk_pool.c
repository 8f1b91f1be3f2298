#include "backfill/bulk_pool.h"

#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_bulk_given_back_is_the_next_one_taken(void **state)
{
	struct bulk_pool *pool = bulk_pool_new(100, 300);
	struct pooled_bulk *first = bulk_pool_take(pool, 10), *second;

	(void)state;
	assert_int_equal(first->bulk.body.limit, 100);
	bulk_pool_give(pool, first);
	second = bulk_pool_take(pool, 100);
	assert_ptr_equal(first, second);
	bulk_pool_give(pool, second);
	assert_int_equal(bulk_pool_peak(pool), 100);
	bulk_pool_free(pool);
}

static void a_large_document_displaces_bulks_nobody_uses(void **state)
{
	struct bulk_pool *pool = bulk_pool_new(100, 300);
	struct pooled_bulk *bulks[3], *large;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		bulks[i] = bulk_pool_take(pool, 1);
	assert_int_equal(bulk_pool_peak(pool), 300);
	for (size_t i = 0; i < 3; i++)
		bulk_pool_give(pool, bulks[i]);
	large = bulk_pool_take(pool, 250);
	assert_int_equal(large->bulk.body.limit, 250);
	assert_int_equal(bulk_pool_peak(pool), 300);
	bulk_pool_give(pool, large);
	large = bulk_pool_take(pool, 1000);
	assert_int_equal(large->bulk.body.limit, 1000);
	bulk_pool_give(pool, large);
	bulks[0] = bulk_pool_take(pool, 1);
	assert_int_equal(bulks[0]->bulk.body.limit, 100);
	bulk_pool_give(pool, bulks[0]);
	bulk_pool_free(pool);
}

static void *wait_for_one(void *pool)
{
	return bulk_pool_take(pool, 1);
}

static void closing_ends_all_waiting(void **state)
{
	struct bulk_pool *pool = bulk_pool_new(100, 100);
	struct pooled_bulk *held = bulk_pool_take(pool, 1);
	pthread_t waiting[3];
	void *got;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&waiting[i], NULL, wait_for_one, pool), 0);
	bulk_pool_close(pool);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(waiting[i], &got);
		assert_null(got);
	}
	bulk_pool_give(pool, held);
	bulk_pool_free(pool);
}

#define ROUNDS 2000

static void *take_and_give(void *pool)
{
	for (size_t i = 0; i < ROUNDS; i++)
		bulk_pool_give(pool, bulk_pool_take(pool, 1));
	return NULL;
}

static void *take_and_give_large(void *pool)
{
	for (size_t i = 0; i < ROUNDS / 10; i++)
		bulk_pool_give(pool, bulk_pool_take(pool, 150 + i % 50));
	return NULL;
}

static void a_large_document_gets_its_turn_among_many_small_ones(void **state)
{
	struct bulk_pool *pool = bulk_pool_new(100, 200);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i == 0 ? take_and_give_large : take_and_give, pool),
				 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_true(bulk_pool_peak(pool) <= 200);
	bulk_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bulk_given_back_is_the_next_one_taken),
		cmocka_unit_test(a_large_document_displaces_bulks_nobody_uses),
		cmocka_unit_test(closing_ends_all_waiting),
		cmocka_unit_test(a_large_document_gets_its_turn_among_many_small_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
