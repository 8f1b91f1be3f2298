#include "base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {{"0", 0},
		     {"10485760", 10485760},
		     {"10MiB", 10 << 20},
		     {"96M", 96 << 20},
		     {"3k", 3072},
		     {"3KB", 3072},
		     {"2g", 2LL << 30},
		     {"1TiB", 1LL << 40},
		     {"7b", 7},
		     {"", -1},
		     {"M", -1},
		     {"1 M", -1},
		     {"-1", -1},
		     {"1.5M", -1},
		     {"1MiBs", -1},
		     {"1X", -1},
		     {"9223372036854775807", INT64_MAX},
		     {"9223372036854775808", -1},
		     {"8388608T", -1},
		     {"1i", -1}};
	int64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (opt_parse_bytes(cases[i].text, &bytes, NULL) < 0)
			assert_int_equal(cases[i].bytes, -1);
		else if (bytes != cases[i].bytes)
			fail_msg("%s", cases[i].text);
}

static void durations_are_read_with_units_and_as_iso_8601(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {{"500ms", 500},
		     {"10s", 10000},
		     {"5m", 300000},
		     {"1h", 3600000},
		     {"2d", 172800000},
		     {"0", 0},
		     {"PT10M", 600000},
		     {"P1DT2H", 93600000},
		     {"pt1h2m3.25s", 3723250},
		     {"PT0.0019S", 1},
		     {"P2D", 172800000},
		     {"PT36H", 129600000},
		     {"", -1},
		     {"10", -1},
		     {"s", -1},
		     {"-1s", -1},
		     {"1h30m", -1},
		     {"P", -1},
		     {"PT", -1},
		     {"P1DT", -1},
		     {"P1H", -1},
		     {"PT1D", -1},
		     {"PT1S1M", -1},
		     {"PT1.5M", -1},
		     {"1e3s", -1},
		     {"PT1", -1},
		     {"106751991168d", -1},
		     {"P106751991168D", -1},
		     {"PT.5S", -1},
		     {"P1DT1H1H", -1}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (opt_parse_duration(cases[i].text, &ms, NULL) < 0 ? cases[i].ms != -1
								     : ms != cases[i].ms)
			fail_msg("%s", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(durations_are_read_with_units_and_as_iso_8601),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
