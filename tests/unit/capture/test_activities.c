#include "capture/activities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void tallies_of_loops_are_one_as_if_there_were_one_loop(void **state)
{
	static const int64_t took_us[] = {
		-1, 0, 1, 125, 126, 1000, 60000000, INT64_C(125) << 20, (INT64_C(125) << 20) + 1};
	struct activity_tally loops[2] = {0};
	struct duration_tally sum = {0}, expected = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(took_us); i++) {
		activity_tally_add(&loops[i % 2], took_us[i], i % 3 == 0);
		if (i % 3 == 0)
			duration_tally_add_failed(&expected, took_us[i]);
		else
			duration_tally_add(&expected, took_us[i]);
	}
	for (size_t i = 0; i < COUNT_OF(loops); i++)
		activity_tally_read(&loops[i], &sum);
	assert_int_equal(sum.count, COUNT_OF(took_us));
	assert_memory_equal(&sum, &expected, sizeof(sum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tallies_of_loops_are_one_as_if_there_were_one_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
