#include "base/bounded_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>

#define PRODUCERS 4
#define CONSUMERS 3
#define ITEMS_EACH 2000

#define WEIGHT 10
#define ROOM 3 /* items that fit */

struct item {
	unsigned producer, number;
};

struct line {
	struct bounded_queue *queue;
	atomic_uint next_producer;
	atomic_int pushed, pops_begun; /* pushed - pops_begun is at most what is inside */
	atomic_int popped;
};

static pthread_t start(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, argument), 0);
	return thread;
}

static void items_come_out_in_the_order_they_went_in(void **state)
{
	struct bounded_queue *q = bounded_queue_new(1000);
	char items[100];

	(void)state;
	/* Several rounds, so that the ring wraps and grows in the middle of it. */
	for (int round = 1; round <= 100; round++) {
		for (int i = 0; i < round; i++)
			assert_true(bounded_queue_push(q, &items[i], 1));
		for (int i = 0; i < round; i++)
			assert_ptr_equal(bounded_queue_pop(q), &items[i]);
	}
	bounded_queue_free(q);
}

static void an_item_over_the_ceiling_passes_when_the_queue_is_empty(void **state)
{
	struct bounded_queue *q = bounded_queue_new(10);
	char item;

	(void)state;
	assert_true(bounded_queue_push(q, &item, SIZE_MAX));
	assert_ptr_equal(bounded_queue_pop(q), &item);
	bounded_queue_free(q);
}

static void closing_refuses_pushes_and_drains_pops(void **state)
{
	struct bounded_queue *q = bounded_queue_new(10);
	char a, b;

	(void)state;
	assert_true(bounded_queue_push(q, &a, 1));
	assert_true(bounded_queue_push(q, &b, 1));
	bounded_queue_close(q);
	assert_false(bounded_queue_push(q, &a, 1));
	assert_ptr_equal(bounded_queue_pop(q), &a);
	assert_ptr_equal(bounded_queue_pop(q), &b);
	assert_null(bounded_queue_pop(q));
	bounded_queue_free(q);
	bounded_queue_free(NULL);
}

static void *push_one_too_many(void *argument)
{
	return bounded_queue_push(argument, argument, 6) ? argument : NULL;
}

static void *pop_one(void *argument)
{
	return bounded_queue_pop(argument);
}

static void closing_wakes_who_waits(void **state)
{
	struct bounded_queue *full = bounded_queue_new(10), *empty = bounded_queue_new(10);
	pthread_t pusher, popper;
	void *pushed = &pusher, *popped = &popper;

	(void)state;
	assert_true(bounded_queue_push(full, full, 6));
	pusher = start(push_one_too_many, full);
	popper = start(pop_one, empty);
	bounded_queue_close(full);
	bounded_queue_close(empty);
	pthread_join(pusher, &pushed);
	pthread_join(popper, &popped);
	assert_null(pushed);
	assert_null(popped);
	bounded_queue_free(full);
	bounded_queue_free(empty);
}

static void a_push_waits_until_its_weight_fits(void **state)
{
	struct bounded_queue *q = bounded_queue_new(10);
	pthread_t pusher;
	void *pushed;
	char item;

	(void)state;
	assert_true(bounded_queue_push(q, &item, 6));
	pusher = start(push_one_too_many, q);
	assert_ptr_equal(bounded_queue_pop(q), &item);
	assert_ptr_equal(bounded_queue_pop(q), q);
	pthread_join(pusher, &pushed);
	assert_ptr_equal(pushed, q);
	bounded_queue_free(q);
}

static void *produce(void *argument)
{
	struct line *line = argument;
	unsigned producer = atomic_fetch_add(&line->next_producer, 1);

	for (unsigned i = 0; i < ITEMS_EACH; i++) {
		struct item *item = mem_alloc(sizeof(*item));
		int pushed;

		*item = (struct item){producer, i};
		if (!bounded_queue_push(line->queue, item, WEIGHT))
			BUG("an open queue refused an item");
		pushed = atomic_fetch_add(&line->pushed, 1) + 1;
		if (pushed - atomic_load(&line->pops_begun) > ROOM)
			BUG("more is inside than fits");
	}
	return NULL;
}

static void *consume(void *argument)
{
	unsigned next[PRODUCERS] = {0};
	struct line *line = argument;
	struct item *item;

	for (;;) {
		atomic_fetch_add(&line->pops_begun, 1);
		item = bounded_queue_pop(line->queue);
		if (!item)
			return NULL;
		if (item->number < next[item->producer])
			BUG("items of one producer changed their order");
		next[item->producer] = item->number + 1;
		atomic_fetch_add(&line->popped, 1);
		free(item);
	}
}

static void many_threads_lose_nothing_and_keep_to_the_ceiling(void **state)
{
	struct line line = {.queue = bounded_queue_new(ROOM * WEIGHT + WEIGHT / 2)};
	pthread_t producers[PRODUCERS], consumers[CONSUMERS];

	(void)state;
	for (size_t i = 0; i < CONSUMERS; i++)
		consumers[i] = start(consume, &line);
	for (size_t i = 0; i < PRODUCERS; i++)
		producers[i] = start(produce, &line);
	for (size_t i = 0; i < PRODUCERS; i++)
		pthread_join(producers[i], NULL);
	bounded_queue_close(line.queue);
	for (size_t i = 0; i < CONSUMERS; i++)
		pthread_join(consumers[i], NULL);
	assert_int_equal(atomic_load(&line.popped), PRODUCERS * ITEMS_EACH);
	bounded_queue_free(line.queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_the_order_they_went_in),
		cmocka_unit_test(an_item_over_the_ceiling_passes_when_the_queue_is_empty),
		cmocka_unit_test(closing_refuses_pushes_and_drains_pops),
		cmocka_unit_test(closing_wakes_who_waits),
		cmocka_unit_test(a_push_waits_until_its_weight_fits),
		cmocka_unit_test(many_threads_lose_nothing_and_keep_to_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
