#include "backfill/mapping_compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect(const char *source, const char *target, size_t count, const char *text)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(4));
	struct json *ours, *theirs;

	assert_int_equal(json_parse(str_from(source), &mem, &ours, NULL), 0);
	assert_int_equal(json_parse(str_from(target), &mem, &theirs, NULL), 0);
	assert_int_equal(mapping_compare(ours, theirs, 2, &out), count);
	assert_string_equal(buf_cstr(&out), text);
}

static void equal_mappings_have_no_differences(void **state)
{
	(void)state;
	expect("{\"_doc\":{\"properties\":{\"a\":{\"type\":\"long\"},\"b\":{\"properties\":{"
	       "\"c\":{\"type\":\"date\"}}}}}}",
	       "{\"properties\":{\"a\":{\"type\":\"long\"},\"b\":{\"type\":\"object\","
	       "\"properties\":"
	       "{\"c\":{\"type\":\"date\"}}},\"more\":{\"type\":\"text\"}}}",
	       0, "");
	expect("{}", "{}", 0, "");
	expect("{\"_doc\":{}}", "{\"properties\":{}}", 0, "");
	expect("[]", "null", 0, "");
}

static void fields_of_other_types_are_named_with_their_paths(void **state)
{
	(void)state;
	expect("{\"_doc\":{\"properties\":{\"a\":{\"type\":\"long\"},\"b\":{\"properties\":{\"c\":{"
	       "\"type\":\"date\"},\"d\":{\"type\":\"ip\"}}}}}}",
	       "{\"properties\":{\"a\":{\"type\":\"text\"},\"b\":{\"properties\":{\"c\":{\"type\":"
	       "\"long\"},\"d\":{\"type\":\"ip\"}}}}}",
	       2, "a (long, there text), b.c (date, there long)");
	expect("{\"_doc\":{\"properties\":{\"a\":{\"type\":\"nested\",\"properties\":{}}}}}",
	       "{\"properties\":{\"a\":{\"properties\":{}}}}", 1, "a (nested, there object)");
}

static void all_types_of_an_old_index_count_and_no_more_are_named_than_asked_for(void **state)
{
	(void)state;
	expect("{\"x\":{\"properties\":{\"a\":{\"type\":\"long\"},\"b\":{\"type\":\"long\"}}},"
	       "\"y\":{\"properties\":{\"c\":{\"type\":\"long\"}}}}",
	       "{\"properties\":{\"a\":{\"type\":\"ip\"},\"b\":{\"type\":\"ip\"},\"c\":{\"type\":"
	       "\"ip\"}}}",
	       3, "a (long, there ip), b (long, there ip)");
}

static void successors_of_a_type_are_as_good(void **state)
{
	(void)state;
	expect("{\"x\":{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"},"
	       "\"c\":{\"type\":\"flattened\"}}}}",
	       "{\"properties\":{\"a\":{\"type\":\"text\"},\"b\":{\"type\":\"keyword\"},\"c\":{"
	       "\"type\":\"flat_object\"}}}",
	       0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_mappings_have_no_differences),
		cmocka_unit_test(fields_of_other_types_are_named_with_their_paths),
		cmocka_unit_test(
			all_types_of_an_old_index_count_and_no_more_are_named_than_asked_for),
		cmocka_unit_test(successors_of_a_type_are_as_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
