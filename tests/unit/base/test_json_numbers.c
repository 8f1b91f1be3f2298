#include "base/json_numbers.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct seen {
	struct str texts[8];
	uint64_t places[8];
	size_t count;
};

static void see(void *user, struct str text, uint64_t place)
{
	struct seen *seen = user;

	assert_true(seen->count < COUNT_OF(seen->texts));
	seen->texts[seen->count] = text;
	seen->places[seen->count++] = place;
}

static struct seen numbers_of(const char *text)
{
	struct seen seen = {0};
	struct err err;

	if (json_numbers(str_from(text), see, &seen, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	return seen;
}

static void every_number_is_told_as_it_is_written(void **state)
{
	struct seen seen = numbers_of("{\"a\":1.10,\"b\":[\"2\",-0,{\"c\":[1e400]}],\"d\":null}");

	(void)state;
	assert_int_equal(seen.count, 3);
	assert_true(str_is(seen.texts[0], "1.10"));
	assert_true(str_is(seen.texts[1], "-0"));
	assert_true(str_is(seen.texts[2], "1e400"));
	assert_int_equal(numbers_of(" 7 ").count, 1);
	assert_int_equal(numbers_of("[[],{},\"1\"]").count, 0);
}

static void a_place_is_a_path(void **state)
{
	struct seen one = numbers_of("{\"a\":{\"b\":1,\"c\":2},\"d\":[3,4]}");
	struct seen moved = numbers_of("{\"d\":[9,8],\"x\":null,\"a\":{\"c\":7,\"b\":6}}");

	(void)state;
	assert_int_equal(one.places[0], moved.places[3]);
	assert_int_equal(one.places[1], moved.places[2]);
	assert_int_equal(one.places[2], moved.places[0]);
	assert_int_equal(one.places[3], moved.places[1]);
	for (size_t i = 0; i < one.count; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(one.places[i], one.places[j]);
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const wrong[] = {"",      "{",         "{\"a\":1}]", "[1,]",     "01",
					    "[1 2]", "{\"a\" 1}", "\"\xff\"",   "{\"a\":}", "tru"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct seen seen = {0};
		struct err err;

		assert_int_equal(json_numbers(str_from(wrong[i]), see, &seen, &err), -ERR_FORMAT);
	}
}

static void what_is_too_deep_for_a_tree_is_too_deep_here(void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));
	struct seen seen = {0};
	struct err err;

	(void)state;
	for (size_t i = 0; i < LIMIT_JSON_DEPTH; i++)
		buf_append_byte(&text, '[');
	buf_append_byte(&text, '1');
	for (size_t i = 0; i < LIMIT_JSON_DEPTH; i++)
		buf_append_byte(&text, ']');
	assert_int_equal(json_numbers(buf_str(&text), see, &seen, &err), 0);
	buf_reset(&text);
	for (size_t i = 0; i <= LIMIT_JSON_DEPTH; i++)
		buf_append_byte(&text, '[');
	assert_int_equal(json_numbers(buf_str(&text), see, &seen, &err), -ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_is_told_as_it_is_written),
		cmocka_unit_test(a_place_is_a_path),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(what_is_too_deep_for_a_tree_is_too_deep_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
