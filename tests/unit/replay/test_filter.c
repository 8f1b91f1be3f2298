#include "replay/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool takes(const struct filter_options *options, const char *method, const char *target)
{
	struct filter *f = NULL;
	struct err err = {0};
	bool taken;

	assert_int_equal(filter_new(options, &f, &err), 0);
	taken = filter_takes(f, str_from(method), str_from(target), STR("c"), 1);
	filter_free(f);
	return taken;
}

static void methods_are_taken_whatever_their_case(void **state)
{
	const char *const methods[] = {"get", "PUT"};
	const struct filter_options o = {.methods = methods, .method_count = 2, .percentage = 100};

	(void)state;
	assert_true(takes(&o, "GET", "/"));
	assert_true(takes(&o, "PUT", "/"));
	assert_false(takes(&o, "POST", "/"));
	assert_false(takes(&o, "GE", "/"));
}

static void reads_and_writes_are_told_apart_by_method(void **state)
{
	const struct filter_options gets = {.gets_only = true, .percentage = 100};
	const struct filter_options writes = {.writes_only = true, .percentage = 100};

	(void)state;
	assert_true(takes(&gets, "HEAD", "/"));
	assert_false(takes(&gets, "POST", "/_bulk"));
	assert_true(takes(&writes, "POST", "/_bulk"));
	assert_false(takes(&writes, "GET", "/"));
}

static void a_path_is_matched_in_part(void **state)
{
	const struct filter_options o = {.path = "/books/.*refresh", .percentage = 100};
	const struct filter_options none = {.path = "("};
	struct filter *f = NULL;
	struct err err = {0};

	(void)state;
	assert_true(takes(&o, "GET", "/books/_doc/1?refresh=true"));
	assert_false(takes(&o, "GET", "/books/_doc/1"));
	assert_true(filter_new(&none, &f, &err) < 0);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(f);
}

static void a_share_is_the_same_with_each_run(void **state)
{
	const struct filter_options o = {.percentage = 25};
	struct filter *a = NULL, *b = NULL;
	struct err err = {0};
	size_t taken = 0;

	(void)state;
	assert_int_equal(filter_new(&o, &a, &err), 0);
	assert_int_equal(filter_new(&o, &b, &err), 0);
	for (int i = 0; i < 10000; i++) {
		char id[16];
		bool first;

		snprintf(id, sizeof(id), "c%d", i / 10);
		first = filter_takes(a, STR("GET"), STR("/"), str_from(id), i % 10);
		assert_true(first == filter_takes(b, STR("GET"), STR("/"), str_from(id), i % 10));
		taken += first;
	}
	assert_in_range(taken, 2200, 2800);
	filter_free(a);
	filter_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_are_taken_whatever_their_case),
		cmocka_unit_test(reads_and_writes_are_told_apart_by_method),
		cmocka_unit_test(a_path_is_matched_in_part),
		cmocka_unit_test(a_share_is_the_same_with_each_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
