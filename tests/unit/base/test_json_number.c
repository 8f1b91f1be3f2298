#include "base/json_number.h"

#include "base/limits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static struct arena mem = ARENA_INIT(MIB(1));

static int forget(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

static void assert_text(struct str text, const char *expected)
{
	if (!str_is(text, expected))
		fail_msg("'" STR_FMT "' is not '%s'", STR_ARG(text), expected);
}

/* Expectations are what Java 19 prints. */
static void doubles_are_printed_as_java_does(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0.0"},
		{-0.0, "-0.0"},
		{1, "1.0"},
		{-2.5, "-2.5"},
		{100, "100.0"},
		{0.1, "0.1"},
		{1.0 / 3, "0.3333333333333333"},
		{2.0 / 3, "0.6666666666666666"},
		{0.001, "0.001"},
		{0.0012345, "0.0012345"},
		{0.00099, "9.9E-4"},
		{9999999, "9999999.0"},
		{9999999.5, "9999999.5"},
		{1e7, "1.0E7"},
		{123456789.125, "1.23456789125E8"},
		{1e23, "1.0E23"},
		{1e300, "1.0E300"},
		{1.7976931348623157e308, "1.7976931348623157E308"},
		{2.2250738585072014e-308, "2.2250738585072014E-308"},
		{4.9e-324, "4.9E-324"},
		{2e-323, "2.0E-323"},
		{9007199254740992, "9.007199254740992E15"},
		{INFINITY, "Infinity"},
		{-INFINITY, "-Infinity"},
		{NAN, "NaN"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_text(json_number_of_double(&mem, cases[i].value), cases[i].text);
}

static void floats_are_printed_as_java_does(void **state)
{
	(void)state;
	assert_text(json_number_of_float(&mem, 1.1f), "1.1");
	assert_text(json_number_of_float(&mem, 0.1f), "0.1");
	assert_text(json_number_of_float(&mem, 1.0f / 3), "0.33333334");
	assert_text(json_number_of_float(&mem, 16777216), "1.6777216E7");
	assert_text(json_number_of_float(&mem, 3.4028235e38f), "3.4028235E38");
	assert_text(json_number_of_float(&mem, 1.4e-45f), "1.4E-45");
	assert_text(json_number_of_float(&mem, 3e10f), "3.0E10");
	assert_text(json_number_of_float(&mem, -INFINITY), "-Infinity");
}

static void random_numbers_read_back_the_same_and_no_shorter_text_does(void **state)
{
	char shorter[40];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
		uint32_t narrow = (uint32_t)bits;
		struct str text;
		double value;
		float single;
		int digits = 0;

		memcpy(&value, &bits, sizeof(value));
		memcpy(&single, &narrow, sizeof(single));
		if (!isfinite(value) || !isfinite(single))
			continue;
		text = json_number_of_float(&mem, single);
		assert_true(strtof(text.ptr, NULL) == single);
		text = json_number_of_double(&mem, value);
		assert_true(strtod(text.ptr, NULL) == value);
		for (size_t at = 0; at < text.len && text.ptr[at] != 'E'; at++)
			digits += text.ptr[at] >= '0' && text.ptr[at] <= '9';
		if (digits > 2 && strchr(text.ptr, 'E')) {
			snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
			assert_true(strtod(shorter, NULL) != value);
		}
		arena_reset(&mem);
	}
}

static void integers_of_any_length_become_decimal(void **state)
{
	char longest[JSON_NUMBER_BYTES_MAX];
	struct str text;

	(void)state;
	assert_text(json_number_of_integer(&mem, STR("")), "0");
	assert_text(json_number_of_integer(&mem, STR("\0")), "0");
	assert_text(json_number_of_integer(&mem, STR("\x7f")), "127");
	assert_text(json_number_of_integer(&mem, STR("\x80")), "-128");
	assert_text(json_number_of_integer(&mem, STR("\0\xff")), "255");
	assert_text(json_number_of_integer(&mem, STR("\xff\xff\xff")), "-1");
	assert_text(json_number_of_integer(&mem, STR("\x3b\x9a\xca\x00")), "1000000000");
	assert_text(json_number_of_integer(&mem, STR("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
		    "-170141183460469231731687303715884105728");
	memset(longest, '\xff', sizeof(longest));
	longest[0] = 0x7f;
	text = json_number_of_integer(&mem, str_of(longest, sizeof(longest)));
	assert_int_equal(text.len, 2466); /* 2^8191 - 1 */
	assert_true(str_starts(text, STR("5453740")));
	assert_true(str_ends(text, STR("7")));
}

static void decimals_are_printed_as_java_does(void **state)
{
	(void)state;
	assert_text(json_number_of_decimal(&mem, STR("110"), 2), "1.10");
	assert_text(json_number_of_decimal(&mem, STR("-110"), 2), "-1.10");
	assert_text(json_number_of_decimal(&mem, STR("110"), 0), "110");
	assert_text(json_number_of_decimal(&mem, STR("110"), 3), "0.110");
	assert_text(json_number_of_decimal(&mem, STR("0"), 2), "0.00");
	assert_text(json_number_of_decimal(&mem, STR("-1"), 6), "-0.000001");
	assert_text(json_number_of_decimal(&mem, STR("1"), 7), "1E-7");
	assert_text(json_number_of_decimal(&mem, STR("12"), 7), "0.0000012");
	assert_text(json_number_of_decimal(&mem, STR("12"), 8), "1.2E-7");
	assert_text(json_number_of_decimal(&mem, STR("7"), -100), "7E+100");
	assert_text(json_number_of_decimal(&mem, STR("-72"), -1), "-7.2E+2");
	assert_text(json_number_of_decimal(&mem, STR("1"), INT32_MAX), "1E-2147483647");
	assert_text(json_number_of_decimal(&mem, STR("1"), INT32_MIN), "1E+2147483648");
}

static void a_full_arena_gives_no_text(void **state)
{
	cleanup(arena_release) struct arena none = ARENA_INIT(0);

	(void)state;
	assert_null(json_number_of_double(&none, 1).ptr);
	assert_null(json_number_of_integer(&none, STR("\1")).ptr);
	assert_null(json_number_of_decimal(&none, STR("1"), 1).ptr);
	assert_true(none.failed);
}

int main(void)
{
	unsigned seed =
		getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_are_printed_as_java_does),
		cmocka_unit_test(floats_are_printed_as_java_does),
		cmocka_unit_test(random_numbers_read_back_the_same_and_no_shorter_text_does),
		cmocka_unit_test(integers_of_any_length_become_decimal),
		cmocka_unit_test(decimals_are_printed_as_java_does),
		cmocka_unit_test(a_full_arena_gives_no_text),
	};

	printf("SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, forget);
}
