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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_first_captured_is_due_at_once),
		cmocka_unit_test(a_slower_replay_takes_longer),
		cmocka_unit_test(reading_stops_at_the_window),
		cmocka_unit_test(impossible_times_do_not_overflow),
		cmocka_unit_test(a_time_that_was_not_captured_does_not_set_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
