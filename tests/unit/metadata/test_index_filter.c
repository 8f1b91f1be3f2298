#include "metadata/index_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct index_filter *filter_of(const char **items, size_t count)
{
	struct opt_list list = {.items = items, .count = count};
	struct index_filter *filter = NULL;
	struct err err = {0};

	if (index_filter_new(&list, &filter, &err) < 0)
		fail_msg("%s", err.message);
	return filter;
}

static void refuses(const char *entry, const char *message)
{
	struct opt_list list = {.items = &entry, .count = 1};
	struct index_filter *filter = NULL;
	struct err err = {0};

	assert_int_equal(index_filter_new(&list, &filter, &err), -ERR_USAGE);
	assert_null(filter);
	assert_string_equal(err.message, message);
}

static bool matches(const char *entry, const char *name)
{
	struct index_filter *filter = filter_of(&entry, 1);
	bool accepted = index_filter_accepts(filter, str_from(name));

	index_filter_free(filter);
	return accepted;
}

static void without_a_list_system_and_tool_indices_stay_out(void **state)
{
	struct index_filter *filter = filter_of(NULL, 0);

	(void)state;
	assert_true(index_filter_accepts(filter, STR("books")));
	assert_true(index_filter_accepts(filter, STR("logs")));
	assert_true(index_filter_accepts(filter, STR("watches-2")));
	assert_false(index_filter_accepts(filter, STR(".kibana_1")));
	assert_false(index_filter_accepts(filter, STR("metricbeat-7.10-2020")));
	assert_false(index_filter_accepts(filter, STR("watches")));
	index_filter_free(filter);
}

static void a_list_switches_the_built_in_exclusions_off(void **state)
{
	(void)state;
	assert_true(matches(".kibana", ".kibana"));
	assert_true(matches("regex:.*", ".kibana"));
	assert_false(matches(".kibana", "xkibana"));
	assert_false(matches("books", "books-2"));
}

static void a_regular_expression_matches_the_whole_name(void **state)
{
	(void)state;
	assert_true(matches("regex:logs-[0-9]{4}", "logs-2020"));
	assert_false(matches("regex:logs-[0-9]{4}", "logs-2020.01"));
	assert_false(matches("regex:ogs", "logs"));
	assert_true(matches("regex:a|a.*c", "abc"));
	assert_true(matches("regex:(?:logs|books)-\\d+", "books-12"));
	assert_false(matches("regex:(?:logs|books)-\\d+", "books-d"));
	assert_true(matches("regex:a\\.b", "a.b"));
	assert_false(matches("regex:a\\.b", "axb"));
	assert_true(matches("regex:[[:digit:]x]+", "1x2"));
	assert_true(matches("regex:[]a]+", "a]a"));
}

static void what_would_match_something_else_than_in_java_is_refused(void **state)
{
	(void)state;
	refuses("regex:(?i)logs", "--index-allowlist: regular expression '(?i)logs': '(?i' is not "
				  "understood");
	refuses("regex:a\\bc",
		"--index-allowlist: regular expression 'a\\bc': '\\b' is not understood; use a "
		"bracket expression such as [0-9a-z]");
	refuses("regex:[\\d]", "--index-allowlist: regular expression '[\\d]': no '\\' inside [ ]; "
			       "write the characters as they are, '-' last");
}

static void an_empty_or_broken_entry_is_refused_by_name(void **state)
{
	(void)state;
	refuses("regex:", "--index-allowlist: 'regex:' has no pattern after 'regex:'");
	refuses("", "--index-allowlist: an empty entry: give index names or regex:PATTERN");
	refuses("regex:[a", "--index-allowlist: regular expression '[a': '[' has no ']'");
	refuses("regex:a{2", "--index-allowlist: regular expression 'a{2': Unmatched \\{");
}

static void entries_tell_one_by_one_what_they_match(void **state)
{
	const char *items[] = {"books", "regex:logs-.*"};
	struct index_filter *filter = filter_of(items, 2);

	(void)state;
	assert_int_equal(index_filter_entry_count(filter), 2);
	assert_string_equal(index_filter_entry(filter, 1), "regex:logs-.*");
	assert_true(index_filter_entry_accepts(filter, 0, STR("books")));
	assert_false(index_filter_entry_accepts(filter, 1, STR("books")));
	index_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_list_system_and_tool_indices_stay_out),
		cmocka_unit_test(a_list_switches_the_built_in_exclusions_off),
		cmocka_unit_test(a_regular_expression_matches_the_whole_name),
		cmocka_unit_test(what_would_match_something_else_than_in_java_is_refused),
		cmocka_unit_test(an_empty_or_broken_entry_is_refused_by_name),
		cmocka_unit_test(entries_tell_one_by_one_what_they_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
