#include "backfill/file_name.h"
#include "backfill/source_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_json_object_passes_with_white_space_around_it(void **state)
{
	(void)state;
	assert_null(source_check(STR("{}")));
	assert_null(source_check(STR("{\"a\":1}")));
	assert_null(source_check(STR("\r\n\t {\n\"a\": 1\n} \n\n")));
}

static void what_is_no_object_is_refused(void **state)
{
	(void)state;
	assert_string_equal(source_check(STR("")), "source is not a JSON object");
	assert_string_equal(source_check(STR("  ")), "source is not a JSON object");
	assert_string_equal(source_check(STR("{")), "source is not a JSON object");
	assert_string_equal(source_check(STR("}")), "source is not a JSON object");
	assert_string_equal(source_check(STR("[1]")), "source is not a JSON object");
	assert_string_equal(source_check(STR("{\"a\":1")), "source is not a JSON object");
}

static void assert_file_name(struct str name, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(1));

	file_name_append(&out, name);
	assert_string_equal(buf_cstr(&out), expected);
}

static void a_file_name_is_one_component_and_keeps_names_apart(void **state)
{
	(void)state;
	assert_file_name(STR("logs-2020.01"), "logs-2020.01");
	assert_file_name(STR("b\xc3\xbc"
			     "cher"),
			 "b\xc3\xbc"
			 "cher");
	assert_file_name(STR(".kibana"), "%2Ekibana");
	assert_file_name(STR(".."), "%2E.");
	assert_file_name(STR("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
	assert_file_name(STR("/abs"), "%2Fabs");
	assert_file_name(STR("a%2Fb"), "a%252Fb");
	assert_file_name(STR("a\0b\n"), "a%00b%0A");
	assert_file_name(STR(""), "%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_json_object_passes_with_white_space_around_it),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(a_file_name_is_one_component_and_keeps_names_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
