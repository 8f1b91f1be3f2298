#include "verify/verify.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_differences(const char *a, const char *b, const char *expected)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct json *x, *y;

	assert_int_equal(json_parse(str_from(a), &mem, &x, NULL), 0);
	assert_int_equal(json_parse(str_from(b), &mem, &y, NULL), 0);
	json_differences(&text, x, y, 3);
	assert_string_equal(buf_cstr(&text), expected);
}

static void paths_lead_to_what_differs(void **state)
{
	(void)state;
	assert_differences("{\"a\":1,\"b\":{\"c\":[1,2]}}", "{\"b\":{\"c\":[1,3]},\"a\":1.0}",
			   "b.c[1]");
	assert_differences("{\"a\":1}", "{\"b\":1}",
			   "a (only on the source), b (only on the target)");
	assert_differences("{\"a\":[1]}", "{\"a\":[1,1]}", "a (another number of elements)");
	assert_differences("{\"a\":\"1\"}", "{\"a\":1}", "a");
	assert_differences("{\"a\":{}}", "{\"a\":{}}", "");
	assert_differences("[1]", "{}", "(the whole)");
}

static void more_than_wanted_are_counted(void **state)
{
	(void)state;
	assert_differences("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}",
			   "{\"a\":2,\"b\":2,\"c\":2,\"d\":2,\"e\":2}", "a, b, c and 2 more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_what_differs),
		cmocka_unit_test(more_than_wanted_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
