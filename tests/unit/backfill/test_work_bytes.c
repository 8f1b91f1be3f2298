#include "backfill/work_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct work_status shard(uint64_t files, enum work_state state)
{
	return (struct work_status){.item = {.end_doc = WORK_TO_END, .bytes = files},
				    .state = state};
}

static struct work_status range(int64_t first, int64_t end, uint64_t stored, int64_t next)
{
	return (struct work_status){.item = {.first_doc = first, .end_doc = end, .bytes = stored},
				    .progress = {.next_doc = next}};
}

static void open_item(struct work_bytes *bytes, const struct work_status *status, uint64_t stored)
{
	work_bytes_open(bytes, &status->item, &status->progress, stored);
}

static void shards_not_opened_are_as_full_as_the_others(void **state)
{
	struct progress progress = {0};
	struct work_bytes *bytes = work_bytes_new(&progress);
	struct work_status a = shard(1000, WORK_WAITING), b = shard(500, WORK_WAITING);

	(void)state;
	work_bytes_add(bytes, &a);
	work_bytes_add(bytes, &b);
	assert_int_equal(progress.bytes_total, 1500);
	open_item(bytes, &a, 400);
	assert_int_equal(progress.bytes_total, 400 + 200);
	open_item(bytes, &b, 100);
	assert_int_equal(progress.bytes_total, 500);
	work_bytes_free(bytes);
}

static void a_divided_shard_is_what_its_ranges_hold(void **state)
{
	struct progress progress = {0};
	struct work_bytes *bytes = work_bytes_new(&progress);
	struct work_status a = shard(1000, WORK_WAITING), first = range(0, 10, 300, 0);

	(void)state;
	work_bytes_add(bytes, &a);
	work_bytes_divide(bytes, &a.item, 700);
	assert_int_equal(progress.bytes_total, 700);
	/* As opened, it has some more: ranges begin within chunks. */
	open_item(bytes, &first, 310);
	assert_int_equal(progress.bytes_total, 710);
	work_bytes_free(bytes);
}

static void after_a_restart_only_what_is_left_is_left(void **state)
{
	struct progress progress = {0};
	struct work_bytes *bytes = work_bytes_new(&progress);
	struct work_status half = range(100, 200, 600, 150), done = range(200, 300, 50, 300);

	(void)state;
	done.state = WORK_COMPLETED;
	work_bytes_add(bytes, &half);
	work_bytes_add(bytes, &done);
	assert_int_equal(progress.bytes_total, 650);
	assert_int_equal(progress.bytes_read, 300 + 50);
	open_item(bytes, &half, 290);
	assert_int_equal(progress.bytes_total, 640);
	work_bytes_end(bytes);
	assert_int_equal(progress.bytes_read, progress.bytes_total);
	work_bytes_free(bytes);
}

static void an_item_that_cannot_be_opened_leaves_nothing(void **state)
{
	struct progress progress = {0};
	struct work_bytes *bytes = work_bytes_new(&progress);
	struct work_status a = shard(1000, WORK_WAITING);

	(void)state;
	work_bytes_add(bytes, &a);
	open_item(bytes, &a, 0);
	assert_int_equal(progress.bytes_total, 0);
	/* Others may have made items that were not there at the start. */
	open_item(bytes, &a, 7);
	assert_int_equal(progress.bytes_total, 7);
	work_bytes_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shards_not_opened_are_as_full_as_the_others),
		cmocka_unit_test(a_divided_shard_is_what_its_ranges_hold),
		cmocka_unit_test(after_a_restart_only_what_is_left_is_left),
		cmocka_unit_test(an_item_that_cannot_be_opened_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
