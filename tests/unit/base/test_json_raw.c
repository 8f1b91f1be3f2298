#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void has(const char *object, const char *key, const char *expected)
{
	struct str raw = json_raw_member(str_from(object), key);

	assert_true(str_eq(raw, str_from(expected)));
	assert_int_equal(!raw.ptr, !expected);
}

static void a_member_is_found_as_it_was_written(void **state)
{
	static const char text[] =
		" { \"a\" : 1.10 , \"b\":{\"a\": [ 1,{\"x\":\"}\\\"]\"} ] } ,\"c\":\"d,}\" ,"
		"\"e\":null,\"f\":true}";

	(void)state;
	has(text, "a", "1.10");
	has(text, "b", "{\"a\": [ 1,{\"x\":\"}\\\"]\"} ] }");
	has(text, "c", "\"d,}\"");
	has(text, "e", "null");
	has(text, "f", "true");
	has(text, "x", NULL);
}

static void of_duplicates_the_last_counts(void **state)
{
	(void)state;
	has("{\"a\":1,\"b\":2,\"a\":3}", "a", "3");
}

static void what_is_no_object_has_no_members(void **state)
{
	(void)state;
	has("[\"a\",1]", "a", NULL);
	has("{}", "a", NULL);
	has("\"a\"", "a", NULL);
	assert_null(json_raw_member(STR_NONE, "a").ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_is_found_as_it_was_written),
		cmocka_unit_test(of_duplicates_the_last_counts),
		cmocka_unit_test(what_is_no_object_has_no_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
