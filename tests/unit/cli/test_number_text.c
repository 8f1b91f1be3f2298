#include "cli/number_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void bytes_are_told_in_the_unit_that_leaves_few_digits(void **state)
{
	char text[NUMBER_TEXT_MAX];

	(void)state;
	assert_string_equal(bytes_text(0, text), "0 B");
	assert_string_equal(bytes_text(1023, text), "1023 B");
	assert_string_equal(bytes_text(1024, text), "1.0 KiB");
	assert_string_equal(bytes_text(1536, text), "1.5 KiB");
	assert_string_equal(bytes_text((1 << 20) - 1, text), "1.0 MiB");
	assert_string_equal(bytes_text((uint64_t)5 << 30, text), "5.0 GiB");
	assert_string_equal(bytes_text(UINT64_MAX, text), "16.0 EiB");
}

static void durations_are_told_as_clocks_show_them(void **state)
{
	char text[NUMBER_TEXT_MAX];

	(void)state;
	assert_string_equal(duration_text(0, text), "0:00");
	assert_string_equal(duration_text(65, text), "1:05");
	assert_string_equal(duration_text(3599, text), "59:59");
	assert_string_equal(duration_text(3600, text), "1:00:00");
	assert_string_equal(duration_text(360000, text), "100:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_told_in_the_unit_that_leaves_few_digits),
		cmocka_unit_test(durations_are_told_as_clocks_show_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
