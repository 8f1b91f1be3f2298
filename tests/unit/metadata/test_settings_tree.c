#include "metadata/settings_tree.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena mem = ARENA_INIT(MIB(1));

static struct json *parsed(const char *text)
{
	struct json *value;

	assert_int_equal(json_parse(str_from(text), &mem, &value, NULL), 0);
	return value;
}

static void assert_tree(const char *settings, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	json_write(&text, settings_tree(parsed(settings), &mem));
	assert_string_equal(buf_cstr(&text), expected);
}

static void flat_and_nested_settings_become_one_tree(void **state)
{
	(void)state;
	assert_tree("{\"index.number_of_shards\":\"3\",\"index.a.b\":\"x\"}",
		    "{\"number_of_shards\":\"3\",\"a\":{\"b\":\"x\"}}");
	assert_tree("{\"index\":{\"number_of_shards\":\"3\",\"a.b\":\"x\"},\"a\":{\"c\":1}}",
		    "{\"number_of_shards\":\"3\",\"a\":{\"b\":\"x\",\"c\":1}}");
}

static void a_name_that_is_both_value_and_prefix_stays_flat(void **state)
{
	(void)state;
	assert_tree("{\"index.knn\":\"true\",\"index.knn.space_type\":\"l2\"}",
		    "{\"knn\":\"true\",\"knn.space_type\":\"l2\"}");
}

static void numbered_lists_become_arrays(void **state)
{
	(void)state;
	assert_tree("{\"index.analysis.analyzer.a.filter.0\":\"x\","
		    "\"index.analysis.analyzer.a.filter.1\":\"y\"}",
		    "{\"analysis\":{\"analyzer\":{\"a\":{\"filter\":[\"x\",\"y\"]}}}}");
	assert_tree("{\"a.1\":\"x\"}", "{\"a\":{\"1\":\"x\"}}");
}

static void values_are_found_set_and_taken_out_by_their_paths(void **state)
{
	struct json *tree = settings_tree(parsed("{\"index.a.b.c\":\"1\",\"index.d\":\"2\","
						 "\"index.d.e\":\"3\"}"),
					  &mem);

	(void)state;
	assert_true(str_is(json_string(settings_get(tree, "a.b.c")), "1"));
	assert_true(str_is(json_string(settings_get(tree, "d.e")), "3"));
	assert_null(settings_get(tree, "a.x"));
	assert_non_null(settings_remove(tree, "a.b.c"));
	assert_null(json_get(tree, "a"));
	assert_non_null(settings_remove(tree, "d.e"));
	settings_set(tree, "x.y", json_new_i64(&mem, 7), &mem);
	assert_int_equal(json_i64_or(settings_get(tree, "x.y"), 0), 7);
}

static int release(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_and_nested_settings_become_one_tree),
		cmocka_unit_test(a_name_that_is_both_value_and_prefix_stays_flat),
		cmocka_unit_test(numbered_lists_become_arrays),
		cmocka_unit_test(values_are_found_set_and_taken_out_by_their_paths),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
