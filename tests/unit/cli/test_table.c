#include "cli/table.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct table_column columns[] = {
	{"index", TABLE_LEFT}, {"documents", TABLE_RIGHT}, {"note", TABLE_LEFT}};

static void prints(const struct table *table, const char *expected)
{
	struct err err = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(table_print(table, out, &err), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void numbers_stand_right_and_text_left_and_no_line_ends_in_spaces(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct table table;

	(void)state;
	table_init(&table, &mem, columns, COUNT_OF(columns));
	table_cell(&table, STR("books"));
	table_cell_printf(&table, "%d", 12);
	table_cell(&table, STR(""));
	table_cell(&table, STR("a"));
	table_cell_printf(&table, "%d", 1234567890);
	table_cell(&table, STR("here"));
	prints(&table, "INDEX   DOCUMENTS  NOTE\n"
		       "books          12\n"
		       "a      1234567890  here\n");
}

static void a_table_without_rows_has_its_titles(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct table table;

	(void)state;
	table_init(&table, &mem, columns, COUNT_OF(columns));
	prints(&table, "INDEX  DOCUMENTS  NOTE\n");
}

static void columns_align_on_what_a_terminal_shows_of_utf8(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct table table;

	(void)state;
	assert_int_equal(text_width(STR("bücher")), 6);
	assert_int_equal(text_width(STR("日本")), 4);
	assert_int_equal(text_width(STR("e\xcc\x81")), 1);
	table_init(&table, &mem, columns, COUNT_OF(columns));
	table_cell(&table, STR("日本"));
	table_cell(&table, STR("1"));
	table_cell(&table, STR("x"));
	table_cell(&table, STR("bücher"));
	table_cell(&table, STR("2"));
	table_cell(&table, STR("y"));
	prints(&table, "INDEX   DOCUMENTS  NOTE\n"
		       "日本            1  x\n"
		       "bücher          2  y\n");
}

static void names_from_strangers_cannot_steer_the_terminal(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct str shown = text_printable(STR("a\x1b[2J\n\xc2\x9b\x7f\xff\xb1\xc1\xe2\x82z"), &mem);

	(void)state;
	assert_string_equal(shown.ptr, "a?[2J????????z");
}

static void a_full_arena_is_an_error_and_no_half_table(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(256);
	struct table table;
	struct err err = {0};

	(void)state;
	table_init(&table, &mem, columns, COUNT_OF(columns));
	for (int i = 0; i < 100; i++)
		table_cell(&table, STR("text"));
	assert_int_equal(table_print(&table, stdout, &err), -ERR_LIMIT);
}

static void the_widest_column_is_cut_where_rows_do_not_fit(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct table table;

	(void)state;
	table_init(&table, &mem, columns, COUNT_OF(columns));
	table_cell(&table, STR("a-name-that-is-much-too-long"));
	table_cell(&table, STR("12"));
	table_cell(&table, STR("here"));
	table_fit(&table, 38);
	prints(&table, "INDEX                  DOCUMENTS  NOTE\n"
		       "a-name-that-is-much-…         12  here\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_stand_right_and_text_left_and_no_line_ends_in_spaces),
		cmocka_unit_test(a_table_without_rows_has_its_titles),
		cmocka_unit_test(columns_align_on_what_a_terminal_shows_of_utf8),
		cmocka_unit_test(names_from_strangers_cannot_steer_the_terminal),
		cmocka_unit_test(the_widest_column_is_cut_where_rows_do_not_fit),
		cmocka_unit_test(a_full_arena_is_an_error_and_no_half_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
