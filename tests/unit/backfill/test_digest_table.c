#include "backfill/digest_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct id128 numbered(unsigned i)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", i);
	return id128_of(str_from(text));
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
	cleanup(digest_table_release) struct digest_table table = {0};
	bool added;

	(void)state;
	assert_null(digest_table_find(&table, numbered(1)));
	for (unsigned i = 0; i < 5000; i++) {
		digest_table_add(&table, numbered(i), &added)->line = i;
		assert_true(added);
	}
	for (unsigned i = 0; i < 5000; i++) {
		assert_int_equal(digest_table_find(&table, numbered(i))->line, i);
		assert_int_equal(digest_table_add(&table, numbered(i), &added)->line, i);
		assert_false(added);
	}
	assert_null(digest_table_find(&table, numbered(5000)));
	digest_table_clear(&table);
	assert_null(digest_table_find(&table, numbered(1)));
}

static void a_pair_is_told_apart_by_where_it_is_cut(void **state)
{
	struct id128 a = id128_of_pair(STR("ab"), STR("c")), b = id128_of_pair(STR("a"), STR("bc"));

	(void)state;
	assert_false(id128_eq(a, b));
	assert_true(id128_eq(a, id128_of_pair(STR("ab"), STR("c"))));
}

static void what_is_printed_reads_back(void **state)
{
	struct id128 id = numbered(7), back;
	char text[ID128_TEXT];

	(void)state;
	id128_print(id, text);
	assert_true(id128_parse(str_from(text), &back));
	assert_true(id128_eq(id, back));
	assert_false(id128_parse(STR("0"), &back));
	text[3] = 'x';
	assert_false(id128_parse(str_from(text), &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_and_nothing_else),
		cmocka_unit_test(a_pair_is_told_apart_by_where_it_is_cut),
		cmocka_unit_test(what_is_printed_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
