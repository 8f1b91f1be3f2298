#include "base/json_slice.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_str(struct str got, const char *expected)
{
	assert_int_equal(got.len, strlen(expected));
	assert_memory_equal(got.ptr, expected, got.len);
}

static void members_come_as_they_stand(void **state)
{
	struct json_slices slices =
		json_slices_of(STR(" { \"a\" : {\"x\": [1, 2.50]} ,\"\\u0062\":\"}\" } "));
	struct str key, value;
	struct err err;

	(void)state;
	assert_int_equal(json_slices_next(&slices, &key, &value, &err), 1);
	assert_str(key, "a");
	assert_str(value, "{\"x\": [1, 2.50]}");
	assert_int_equal(json_slices_next(&slices, &key, &value, &err), 1);
	assert_str(key, "\\u0062");
	assert_str(value, "\"}\"");
	assert_int_equal(json_slices_next(&slices, &key, &value, &err), 0);
}

static void elements_come_one_by_one(void **state)
{
	struct json_slices slices = json_slices_of(STR("[1, [] ,null]"));
	struct str value;
	struct err err;

	(void)state;
	assert_int_equal(json_slices_next(&slices, NULL, &value, &err), 1);
	assert_str(value, "1");
	assert_int_equal(json_slices_next(&slices, NULL, &value, &err), 1);
	assert_str(value, "[]");
	assert_int_equal(json_slices_next(&slices, NULL, &value, &err), 1);
	assert_str(value, "null");
	assert_int_equal(json_slices_next(&slices, NULL, &value, &err), 0);
}

static void what_is_empty_or_no_container_holds_nothing(void **state)
{
	static const char *const texts[] = {"{}", "[ ]", "17", "", "\"{\""};
	struct str value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_slices slices = json_slices_of(str_from(texts[i]));

		assert_int_equal(json_slices_next(&slices, NULL, &value, NULL), 0);
	}
}

static void what_breaks_off_is_an_error(void **state)
{
	static const char *const texts[] = {"{\"a\"",     "[1", "[1 2]",
					    "{\"a\":1,}", "[",  "{\"a\" 1}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct json_slices slices = json_slices_of(str_from(texts[i]));
		struct str key, value;
		int rc;

		while ((rc = json_slices_next(&slices, &key, &value, NULL)) > 0)
			;
		assert_int_equal(rc, -ERR_FORMAT);
	}
}

static void a_member_is_found_by_its_name(void **state)
{
	(void)state;
	assert_str(json_slice_get(STR("{\"a\":1,\"hits\":{\"hits\":[]}}"), "hits"),
		   "{\"hits\":[]}");
	assert_null(json_slice_get(STR("{\"a\":1}"), "b").ptr);
	assert_null(json_slice_get(STR("[\"b\"]"), "b").ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_as_they_stand),
		cmocka_unit_test(elements_come_one_by_one),
		cmocka_unit_test(what_is_empty_or_no_container_holds_nothing),
		cmocka_unit_test(what_breaks_off_is_an_error),
		cmocka_unit_test(a_member_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
