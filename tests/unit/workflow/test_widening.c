#include "workflow/widening.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena mem = ARENA_INIT(MIB(16));

static struct json *json_of(const char *text)
{
	struct json *value;
	struct err err = {0};

	if (json_parse(str_from(text), &mem, &value, &err) < 0)
		fail_msg("%s", err.message);
	return value;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

#define MIGRATION(LIST, MORE, IDENTITY)                                        \
	"{\"label\":\"a\",\"metadata\":{\"indexAllowlist\":[]},\"backfill\":{" \
	"\"indexAllowlist\":[" LIST "]," MORE                                  \
	"\"maxConnections\":1},\"dependencies\":{\"s\":\"" IDENTITY "\"}}"

static bool is_wider(const char *before, const char *after)
{
	return widening_of_migration(json_of(before), json_of(after), &mem);
}

static void more_names_or_all_are_wider(void **state)
{
	const char *one = MIGRATION("\"a\"", "", "1");

	(void)state;
	assert_true(is_wider(one, MIGRATION("\"b\",\"a\"", "", "1")));
	assert_true(is_wider(one, MIGRATION("\"a\",\"b\"", "", "2")));
	assert_true(is_wider(one, MIGRATION("", "", "1")));
	assert_false(is_wider(one, one));
	assert_false(is_wider(one, MIGRATION("\"b\",\"c\"", "", "1")));
	assert_false(is_wider(MIGRATION("", "", "1"), one));
	assert_false(is_wider(one, MIGRATION("\"a\"", "", "2")));
}

static void any_other_edit_beside_it_is_none(void **state)
{
	(void)state;
	assert_false(is_wider(MIGRATION("\"a\"", "", "1"),
			      MIGRATION("\"a\",\"b\"", "\"emitDocType\":\"ON\",", "1")));
}

static struct str rest_of(const struct json *status, const char *session, const char *list)
{
	struct buf text = BUF_INIT(KIB(4));
	struct str out;

	json_write(&text, widening_rest(status, str_from(session), json_of(list), &mem));
	out = arena_str(&mem, buf_str(&text));
	buf_release(&text);
	return out;
}

static void what_other_sessions_came_to_the_end_with_is_left_out(void **state)
{
	struct json *status = json_of("{}");

	(void)state;
	assert_string_equal(rest_of(status, "one", "[\"a\"]").ptr, "[\"a\"]");
	widening_cover(status, STR("one"), json_of("[\"a\"]"), &mem);
	/* Its own work items say what it has done. */
	assert_string_equal(rest_of(status, "one", "[\"a\"]").ptr, "[\"a\"]");
	assert_string_equal(rest_of(status, "two", "[\"a\",\"b\"]").ptr, "[\"b\"]");
	widening_cover(status, STR("two"), json_of("[\"a\",\"b\"]"), &mem);
	assert_string_equal(rest_of(status, "three", "[\"c\",\"b\",\"a\"]").ptr, "[\"c\"]");
	assert_string_equal(rest_of(status, "four", "[]").ptr, "[]");
	assert_string_equal(rest_of(status, "five", "[\"a\"]").ptr, "[\"a\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_names_or_all_are_wider),
		cmocka_unit_test(any_other_edit_beside_it_is_none),
		cmocka_unit_test(what_other_sessions_came_to_the_end_with_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
