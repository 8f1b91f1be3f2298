#include "fake_job.h"

#define THREE                                                       \
	"{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{\"a\":1}\n" \
	"{\"delete\":{\"_index\":\"i\",\"_id\":\"2\"}}\n"           \
	"{\"index\":{\"_index\":\"i\",\"_id\":\"3\"}}\n{\"a\":3.10}\n"
#define FINE(id) "{\"index\":{\"_id\":\"" id "\",\"status\":201}}"
#define BUSY(id) "{\"index\":{\"_id\":\"" id "\",\"status\":429,\"error\":{\"type\":\"busy\"}}}"
#define WRONG(id) "{\"index\":{\"_id\":\"" id "\",\"status\":400,\"error\":{\"type\":\"wrong\"}}}"
#define ITEMS(errors, items) "{\"took\":1,\"errors\":" errors ",\"items\":[" items "]}"

static void a_bulk_without_failures_goes_as_it_is(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, false, "POST /_bulk", THREE, 0, NULL), 1);
	assert_string_equal(fake_job_sends(&f), "POST /_bulk\n" THREE);
	assert_int_equal(
		fake_job_answer(&f, 200, ITEMS("false", FINE("1") "," FINE("2") "," FINE("3"))),
		JOB_FINAL);
	assert_null(fake_job_stitched(&f));
	fake_job_close(&f);
}

static void only_failed_items_go_again_and_answers_are_stitched(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, false, "POST /_bulk", THREE, 0, NULL), 1);
	fake_job_sends(&f);
	assert_int_equal(
		fake_job_answer(&f, 200, ITEMS("true", FINE("1") "," BUSY("2") "," BUSY("3"))),
		JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f),
			    "POST /_bulk\n{\"delete\":{\"_index\":\"i\",\"_id\":\"2\"}}\n"
			    "{\"index\":{\"_index\":\"i\",\"_id\":\"3\"}}\n{\"a\":3.10}\n");
	assert_int_equal(fake_job_answer(&f, 200, ITEMS("true", BUSY("2") "," FINE("3"))),
			 JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f),
			    "POST /_bulk\n{\"delete\":{\"_index\":\"i\",\"_id\":\"2\"}}\n");
	assert_int_equal(fake_job_answer(&f, 200, ITEMS("false", FINE("2"))), JOB_FINAL);
	assert_string_equal(fake_job_stitched(&f), "{\"took\":0,\"errors\":false,\"items\":[" FINE(
							   "1") "," FINE("2") "," FINE("3") "]}");
	assert_int_equal(f.counts.bulk_items_resent, 3);
	fake_job_close(&f);
}

static void items_that_keep_failing_end_with_the_attempts(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, false, "POST /_bulk", THREE, 0, NULL), 1);
	fake_job_sends(&f);
	assert_int_equal(
		fake_job_answer(&f, 200, ITEMS("true", FINE("1") "," FINE("2") "," BUSY("3"))),
		JOB_AGAIN);
	for (int i = 2; i < JOB_ATTEMPTS; i++) {
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, 200, ITEMS("true", BUSY("3"))), JOB_AGAIN);
	}
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 200, ITEMS("true", BUSY("3"))), JOB_FINAL);
	assert_string_equal(fake_job_stitched(&f), "{\"took\":0,\"errors\":true,\"items\":[" FINE(
							   "1") "," FINE("2") "," BUSY("3") "]}");
	fake_job_close(&f);
}

static void items_that_another_try_cannot_mend_do_not_go_again(void **state)
{
	static const char *const final_types[] = {"wrong"};
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, false, "POST /_bulk", THREE, 0, NULL), 1);
	f.rules.final_types = final_types;
	f.rules.final_type_count = 1;
	fake_job_sends(&f);
	assert_int_equal(
		fake_job_answer(&f, 200, ITEMS("true", FINE("1") "," FINE("2") "," WRONG("3"))),
		JOB_FINAL);
	assert_null(fake_job_stitched(&f));
	fake_job_close(&f);
}

static void an_answer_with_another_number_of_items_is_the_last(void **state)
{
	static const char *const answers[] = {ITEMS("false", FINE("1")), "{}", "no JSON", ""};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct fake_job f;

		assert_int_equal(fake_job_open(&f, false, "POST /_bulk", THREE, 0, NULL), 1);
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, 200, answers[i]), JOB_FINAL);
		assert_null(fake_job_stitched(&f));
		fake_job_close(&f);
	}
}

static void a_bulk_refused_as_a_whole_goes_again_as_a_whole(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, false, "POST /_bulk", THREE, 0, NULL), 1);
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 429, "{}"), JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f), "POST /_bulk\n" THREE);
	fake_job_close(&f);
}

static void damaged_bulks_are_left_to_the_target(void **state)
{
	static const char *const bodies[] = {
		"", "{}\n", "{\"index\":{}}\n", "nothing\n", "{\"put\":{}}\n{}\n", "[1]\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct fake_job f;

		assert_int_equal(fake_job_open(&f, true, "POST /_bulk", bodies[i], 200, "{}"), 1);
		assert_null(f.job.bulk);
		assert_string_equal(fake_job_sends(&f),
				    arena_printf(&f.mem, "POST /_bulk\n%s", bodies[i]).ptr);
		fake_job_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bulk_without_failures_goes_as_it_is),
		cmocka_unit_test(only_failed_items_go_again_and_answers_are_stitched),
		cmocka_unit_test(items_that_keep_failing_end_with_the_attempts),
		cmocka_unit_test(items_that_another_try_cannot_mend_do_not_go_again),
		cmocka_unit_test(an_answer_with_another_number_of_items_is_the_last),
		cmocka_unit_test(a_bulk_refused_as_a_whole_goes_again_as_a_whole),
		cmocka_unit_test(damaged_bulks_are_left_to_the_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
