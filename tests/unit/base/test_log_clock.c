#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* Standard error goes to a file while a test runs. */
struct capture {
	FILE *file;
	int before;
	struct buf text;
};

static int setup(void **state)
{
	struct capture *c = mem_zalloc(sizeof(*c));

	c->text = BUF_INIT(MIB(1));
	c->file = tmpfile();
	assert_non_null(c->file);
	c->before = dup(STDERR_FILENO);
	dup2(fileno(c->file), STDERR_FILENO);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct capture *c = *state;

	log_configure(LOG_INFO, LOG_TEXT);
	log_set_hooks(NULL, NULL, NULL);
	dup2(c->before, STDERR_FILENO);
	close(c->before);
	fclose(c->file);
	buf_release(&c->text);
	free(c);
	return 0;
}

static const char *captured(struct capture *c)
{
	ssize_t got;

	buf_reset(&c->text);
	got = pread(fileno(c->file), buf_reserve(&c->text, 60000), 60000, 0);
	assert_true(got >= 0);
	c->text.len = (size_t)got;
	return buf_cstr(&c->text);
}

static void a_line_holds_time_level_module_and_message(void **state)
{
	const char *line;

	log_warn("backfill", "%d refused index=%s", 3, "logs");
	line = captured(*state);
	assert_int_equal(strspn(line, "0123456789-T:.Z"), 24);
	assert_string_equal(line + 24, " warn backfill 3 refused index=logs\n");
}

static void levels_above_the_one_configured_are_dropped(void **state)
{
	log_debug("base", "not shown");
	assert_string_equal(captured(*state), "");
	assert_false(log_enabled(LOG_DEBUG));
	log_configure(LOG_ERROR, LOG_TEXT);
	log_warn("base", "not shown");
	assert_string_equal(captured(*state), "");
	log_configure(LOG_DEBUG, LOG_TEXT);
	log_debug("base", "shown");
	assert_non_null(strstr(captured(*state), " debug base shown\n"));
}

static void what_is_quoted_cannot_break_the_line_or_steer_the_terminal(void **state)
{
	log_error("base", "a\nb\x1b[2J\xff h\xc3\xa9");
	assert_string_equal(captured(*state) + 24, " error base a b [2J? h\xc3\xa9\n");
}

static void a_message_too_long_is_cut(void **state)
{
	cleanup(buf_release) struct buf message = BUF_INIT(MIB(1));

	while (message.len < 10000)
		buf_append_str(&message, STR("\xc3\xa9"));
	log_error("base", "x%s", buf_cstr(&message));
	captured(*state);
	assert_true(((struct capture *)*state)->text.len < 4200);
}

static void a_json_line_is_json(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *line;
	struct err err = {0};

	log_configure(LOG_INFO, LOG_JSON);
	log_info("net", "said \"%s\"", "no\t\xf0\x9f");
	assert_int_equal(json_parse(str_from(captured(*state)), &mem, &line, &err), 0);
	assert_true(str_is(json_string(json_get(line, "level")), "info"));
	assert_true(str_is(json_string(json_get(line, "module")), "net"));
	assert_true(str_is(json_string(json_get(line, "message")), "said \"no ??\""));
	assert_int_equal(json_string(json_get(line, "time")).len, 24);
}

static void hook_before(void *user)
{
	assert_string_equal(captured(user), "");
}

static void hook_after(void *user)
{
	assert_non_null(strstr(captured(user), "line\n"));
	assert_int_equal(write(STDERR_FILENO, "bar", 3), 3);
}

static void hooks_stand_around_each_line(void **state)
{
	log_set_hooks(hook_before, hook_after, *state);
	log_info("base", "line");
	assert_non_null(strstr(captured(*state), " info base line\nbar"));
}

static void times_are_printed_in_utc(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "1970-01-01T00:00:00.000Z"},
		     {1795256640123, "2026-11-21T10:24:00.123Z"},
		     {951782400000, "2000-02-29T00:00:00.000Z"},
		     {-1, "1969-12-31T23:59:59.999Z"}};
	char text[25];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		clock_format_utc(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void the_monotonic_clock_never_goes_back(void **state)
{
	int64_t last = clock_monotonic_ms();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_monotonic_ms();

		assert_true(now >= last);
		last = now;
	}
	/* The wall clock counts from 1970, in milliseconds: it is past 2020 and before 2200. */
	assert_in_range(clock_wall_ms(), 1577836800000, 7258118400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_line_holds_time_level_module_and_message),
		T(levels_above_the_one_configured_are_dropped),
		T(what_is_quoted_cannot_break_the_line_or_steer_the_terminal),
		T(a_message_too_long_is_cut),
		T(a_json_line_is_json),
		T(hooks_stand_around_each_line),
		cmocka_unit_test(times_are_printed_in_utc),
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
