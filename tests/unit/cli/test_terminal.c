#include "cli/terminal.h"

#include "cli/table.h"

#include "base/limits.h"

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* What is written to a terminal of 40 columns. */
struct screen {
	int ours;
	FILE *out;
};

static int opened(void **state)
{
	static struct screen screen;
	struct winsize size = {.ws_row = 24, .ws_col = 40};
	int theirs;

	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	if (openpty(&screen.ours, &theirs, NULL, NULL, &size) < 0)
		return -1;
	screen.out = fdopen(theirs, "w");
	*state = &screen;
	return screen.out ? 0 : -1;
}

static int closed(void **state)
{
	struct screen *screen = *state;

	fclose(screen->out);
	close(screen->ours);
	return 0;
}

static void shows(struct screen *screen, const char *expected)
{
	char text[4096];
	size_t wanted = strlen(expected), got = 0;

	fflush(screen->out);
	while (got < wanted) {
		ssize_t more = read(screen->ours, text + got, sizeof(text) - 1 - got);

		assert_true(more > 0);
		got += (size_t)more;
	}
	text[got] = '\0';
	assert_string_equal(text, expected);
}

static void print_states(struct screen *screen)
{
	terminal_print_state(screen->out, STR("Succeeded"));
	terminal_print_state(screen->out, STR("FAILED"));
	terminal_print_state(screen->out, STR("strange"));
}

static void states_are_coloured(void **state)
{
	print_states(*state);
	shows(*state, "\x1b[32mSucceeded\x1b[0m\x1b[31mFAILED\x1b[0mstrange");
}

static void colours_are_left_out_by_no_color_unless_it_is_empty(void **state)
{
	setenv("NO_COLOR", "1", 1);
	print_states(*state);
	shows(*state, "SucceededFAILEDstrange");
	setenv("NO_COLOR", "", 1);
	terminal_print_state(((struct screen *)*state)->out, STR("ok"));
	shows(*state, "\x1b[32mok\x1b[0m");
}

static void a_dumb_terminal_takes_no_colours(void **state)
{
	setenv("TERM", "dumb", 1);
	print_states(*state);
	shows(*state, "SucceededFAILEDstrange");
	unsetenv("TERM");
	assert_false(terminal_is_able(((struct screen *)*state)->out));
}

static void a_file_takes_no_colours_and_has_no_width(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	setenv("COLUMNS", "50", 1);
	terminal_print_state(out, STR("failed"));
	assert_int_equal(terminal_columns(out), 0);
	fclose(out);
	assert_string_equal(text, "failed");
	free(text);
}

static void the_variable_counts_before_what_the_terminal_says(void **state)
{
	FILE *out = ((struct screen *)*state)->out;

	assert_int_equal(terminal_columns(out), 40);
	setenv("COLUMNS", "72", 1);
	assert_int_equal(terminal_columns(out), 72);
	setenv("COLUMNS", "wide", 1);
	assert_int_equal(terminal_columns(out), 40);
	setenv("COLUMNS", "0", 1);
	assert_int_equal(terminal_columns(out), 40);
}

static void a_table_stays_aligned_with_its_colours_and_is_cut_to_the_width(void **state)
{
	static const struct table_column columns[] = {
		{"", TABLE_LEFT}, {"check", TABLE_LEFT}, {"found", TABLE_LEFT}};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct screen *screen = *state;
	struct table table;
	struct err err;

	table_init(&table, &mem, columns, COUNT_OF(columns));
	table_cell_state(&table, STR("ok"));
	table_cell(&table, STR("version"));
	table_cell(&table, STR("Elasticsearch 7.10.2 on one node of three"));
	table_cell_state(&table, STR("failed"));
	table_cell(&table, STR("clock"));
	table_cell(&table, STR("-"));
	assert_int_equal(table_print(&table, screen->out, &err), 0);
	shows(screen, "        CHECK    FOUND\r\n"
		      "\x1b[32mok\x1b[0m      version  Elasticsearch 7.10.2 o…\r\n"
		      "\x1b[31mfailed\x1b[0m  clock    -\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(states_are_coloured, opened, closed),
		cmocka_unit_test_setup_teardown(colours_are_left_out_by_no_color_unless_it_is_empty,
						opened, closed),
		cmocka_unit_test_setup_teardown(a_dumb_terminal_takes_no_colours, opened, closed),
		cmocka_unit_test_setup_teardown(a_file_takes_no_colours_and_has_no_width, opened,
						closed),
		cmocka_unit_test_setup_teardown(the_variable_counts_before_what_the_terminal_says,
						opened, closed),
		cmocka_unit_test_setup_teardown(
			a_table_stays_aligned_with_its_colours_and_is_cut_to_the_width, opened,
			closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
