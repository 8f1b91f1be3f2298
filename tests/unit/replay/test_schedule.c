#include "replay/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void what_is_first_captured_is_due_at_once(void **state)
{
	struct schedule s = {.speedup = 2, .window_ms = 100};

	(void)state;
	assert_int_equal(schedule_due(&s, 1700000000000, 50), 50);
	assert_int_equal(schedule_due(&s, 1700000001000, 60), 550);
	/* Another proxy's clock is behind. */
	assert_int_equal(schedule_due(&s, 1699999999000, 70), 50);
}

static void a_slower_replay_takes_longer(void **state)
{
	struct schedule s = {.speedup = 0.5};

	(void)state;
	assert_int_equal(schedule_due(&s, 1000, 0), 0);
	assert_int_equal(schedule_due(&s, 1500, 0), 1000);
}

static void reading_stops_at_the_window(void **state)
{
	struct schedule s = {.speedup = 10, .window_ms = 300};

	(void)state;
	assert_true(schedule_may_read(&s, INT64_MAX, 0));
	schedule_due(&s, 5000, 1000);
	assert_true(schedule_may_read(&s, 5300, 1000));
	assert_false(schedule_may_read(&s, 5301, 1000));
	/* Captured time passes ten times as fast. */
	assert_true(schedule_may_read(&s, 5400, 1010));
	assert_false(schedule_may_read(&s, 5401, 1010));
}

static void impossible_times_do_not_overflow(void **state)
{
	struct schedule s = {.speedup = 1e-300, .window_ms = 1};

	(void)state;
	assert_int_equal(schedule_due(&s, 1000, 7), 7);
	assert_true(schedule_due(&s, INT64_MAX / 2, 7) > 7);
	assert_true(schedule_due(&s, INT64_MIN, 7) == 7);
}

static void a_time_that_was_not_captured_does_not_set_the_start(void **state)
{
	struct schedule s = {.speedup = 1, .window_ms = 1};

	(void)state;
	assert_int_equal(schedule_due(&s, 0, 10), 10);
	assert_int_equal(schedule_due(&s, 1700000000000, 20), 20);
	assert_int_equal(schedule_due(&s, 1700000000005, 20), 25);
}

/* The capture's clock was set forward by a year, and back. */
static void a_clock_that_jumps_is_waited_for_no_longer_than_a_gap(void **state)
{
	const int64_t year = 31536000000;
	struct schedule s = {.speedup = 10, .window_ms = 300, .gap_ms = 2000};

	(void)state;
	assert_int_equal(schedule_due(&s, 5000, 100), 100);
	assert_int_equal(schedule_due(&s, 6000, 100), 200);
	assert_int_equal(schedule_due(&s, 6000 + year, 150), 400);
	assert_int_equal(schedule_due(&s, 6100 + year, 150), 410);
	assert_true(schedule_may_read(&s, 6100 + year, 400));
	assert_int_equal(schedule_due(&s, 6200, 500), 100);
	assert_int_equal(schedule_due(&s, 6200 + year, 500), 420);
}

/* What told of the jump may be no request. */
static void a_jump_that_is_only_read_stalls_nothing_either(void **state)
{
	const int64_t year = 31536000000;
	struct schedule s = {.speedup = 1, .window_ms = 300, .gap_ms = 1000};

	(void)state;
	schedule_due(&s, 5000, 0);
	assert_false(schedule_may_read(&s, 5000 + year, 699));
	assert_true(schedule_may_read(&s, 5000 + year, 700));
	assert_int_equal(schedule_due(&s, 5000 + year, 700), 1000);
}

static void without_a_limit_a_gap_is_as_it_was(void **state)
{
	struct schedule s = {.speedup = 1, .window_ms = 300};

	(void)state;
	assert_int_equal(schedule_due(&s, 5000, 0), 0);
	assert_int_equal(schedule_due(&s, 31536005000, 0), 31536000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_first_captured_is_due_at_once),
		cmocka_unit_test(a_slower_replay_takes_longer),
		cmocka_unit_test(reading_stops_at_the_window),
		cmocka_unit_test(impossible_times_do_not_overflow),
		cmocka_unit_test(a_time_that_was_not_captured_does_not_set_the_start),
		cmocka_unit_test(a_clock_that_jumps_is_waited_for_no_longer_than_a_gap),
		cmocka_unit_test(a_jump_that_is_only_read_stalls_nothing_either),
		cmocka_unit_test(without_a_limit_a_gap_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
