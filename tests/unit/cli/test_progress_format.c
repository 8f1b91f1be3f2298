#include "cli/progress_bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void shows(const struct progress_history *history, size_t width, const char *expected)
{
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(4));

	progress_format(&line, history, width);
	assert_string_equal(buf_cstr(&line), expected);
}

/* Ten MiB and a hundred documents a second, of a hundred MiB. */
static struct progress_history steady(int seconds)
{
	struct progress_history history = {0};

	for (int i = 0; i <= seconds * 5; i++)
		progress_history_add(&history, (struct progress_sample){
						       .time_ms = 1000000 + i * 200,
						       .bytes_total = (uint64_t)100 << 20,
						       .bytes_done = (uint64_t)i * (2 << 20),
						       .documents = (uint64_t)i * 20,
					       });
	return history;
}

static void a_wide_line_has_a_bar_and_a_narrow_one_the_words(void **state)
{
	struct progress_history history = steady(4);

	(void)state;
	shows(&history, 0, " 40% 40.0/100.0 MiB  400 docs  100/s  ETA 0:06  0 failed");
	shows(&history, 90,
	      "[#########..............]  40% 40.0/100.0 MiB  400 docs  100/s  ETA 0:06  0 "
	      "failed");
	shows(&history, 24, " 40% 40.0/100.0 MiB  400");
}

static void nothing_known_yet_claims_nothing(void **state)
{
	struct progress_history history = {0};

	(void)state;
	progress_history_add(&history, (struct progress_sample){.time_ms = 5});
	shows(&history, 0, "  0% 0/0 B  0 docs  0/s  ETA --:--  0 failed");
	assert_int_equal(progress_seconds_left(&history), -1);
}

static void rates_come_from_the_last_ten_seconds(void **state)
{
	struct progress_history history = steady(5);

	(void)state;
	for (int i = 1; i <= PROGRESS_SAMPLES; i++)
		progress_history_add(&history, (struct progress_sample){
						       .time_ms = 1005000 + i * 200,
						       .bytes_total = (uint64_t)100 << 20,
						       .bytes_done = (uint64_t)50 << 20,
						       .documents = 500,
					       });
	assert_true(progress_documents_per_second(&history) < 0.5);
	assert_int_equal(progress_seconds_left(&history), -1);
}

static void a_run_is_full_only_when_all_is_read(void **state)
{
	struct progress_history history = {0};
	struct progress_sample sample = {.bytes_total = 1000000, .bytes_done = 999999};

	(void)state;
	progress_history_add(&history, sample);
	sample.time_ms = 1000;
	progress_history_add(&history, sample);
	shows(&history, 0, " 99% 976.6/976.6 KiB  0 docs  0/s  ETA --:--  0 failed");
	sample = (struct progress_sample){.time_ms = 2000,
					  .bytes_total = 1000000,
					  .bytes_done = 1000000,
					  .documents = 2,
					  .failed = 3,
					  .retries = 4};
	progress_history_add(&history, sample);
	shows(&history, 0, "100% 976.6/976.6 KiB  2 docs  1/s  ETA 0:00  3 failed  4 retries");
}

static void documents_that_only_wait_are_not_done(void **state)
{
	(void)state;
	assert_int_equal(progress_bytes_done(1000, 10, 4), 400);
	assert_int_equal(progress_bytes_done(1000, 10, 10), 1000);
	assert_int_equal(progress_bytes_done(0, 0, 0), 0);
}

static void what_an_earlier_run_did_is_done_but_no_pace(void **state)
{
	struct progress_history history = {0};

	(void)state;
	progress_history_add(&history,
			     (struct progress_sample){.bytes_total = (uint64_t)1000 << 20});
	/* Of 1000 MiB 800 were there; the other 200 come at 10 a second. */
	for (int i = 1; i <= 5; i++)
		progress_history_add(&history, (struct progress_sample){
						       .time_ms = i * 1000,
						       .jumps = 1,
						       .bytes_total = (uint64_t)1000 << 20,
						       .bytes_done = (uint64_t)(800 + 10 * i) << 20,
						       .documents = 80000 + (uint64_t)i * 10,
					       });
	assert_int_equal(progress_seconds_left(&history), 15);
	shows(&history, 0, " 85% 850.0/1000.0 MiB  80050 docs  10/s  ETA 0:15  0 failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wide_line_has_a_bar_and_a_narrow_one_the_words),
		cmocka_unit_test(nothing_known_yet_claims_nothing),
		cmocka_unit_test(rates_come_from_the_last_ten_seconds),
		cmocka_unit_test(documents_that_only_wait_are_not_done),
		cmocka_unit_test(what_an_earlier_run_did_is_done_but_no_pace),
		cmocka_unit_test(a_run_is_full_only_when_all_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
