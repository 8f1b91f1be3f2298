#include "cli/failure_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void becomes(const char *reason, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(4));

	failure_pattern(&out, str_from(reason));
	assert_string_equal(buf_cstr(&out), expected);
}

static void values_and_numbers_give_way_and_names_stay(void **state)
{
	(void)state;
	becomes("failed to parse field [age] of type [integer] in document with id '1007'. "
		"Preview of field's value: 'a \"thousand\"'",
		"failed to parse field [age] of type [integer] in document with id '*'. Preview of "
		"field's value: '*'");
	becomes("limit of [1000] in int4 at 12:7", "limit of [*] in int4 at *:*");
	becomes("an 'open end", "an 'open end");
	becomes("", "");
}

static void a_pattern_is_cut_between_characters(void **state)
{
	cleanup(buf_release) struct buf reason = BUF_INIT(KIB(4)), out = BUF_INIT(KIB(4));

	(void)state;
	buf_append_byte(&reason, 'x');
	while (reason.len < 2000)
		buf_append_str(&reason, STR("\xc3\xa9"));
	failure_pattern(&out, buf_str(&reason));
	assert_true(out.len <= FAILURE_PATTERN_MAX);
	assert_int_equal(out.len % 2, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_numbers_give_way_and_names_stay),
		cmocka_unit_test(a_pattern_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
