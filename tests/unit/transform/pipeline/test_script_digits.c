#include "transform/script_digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct run {
	struct arena mem;
	struct script_digits digits;
	struct err err;
};

static struct json *parse(struct run *run, const char *text)
{
	struct json *value = NULL;

	if (json_parse(str_from(text), &run->mem, &value, &run->err) < 0)
		fail_msg("%s", run->err.message);
	return value;
}

static int restore(struct run *run, const char *sent, struct json **returned)
{
	script_digits_note(&run->digits, parse(run, sent));
	return script_digits_restore(&run->digits, *returned, &run->err);
}

static void release(struct run *run)
{
	script_digits_release(&run->digits);
	arena_release(&run->mem);
}

/* What was sent, what JavaScript made of it, and what that is. */
static void gives(const char *sent, const char *returned, const char *expected)
{
	struct run run = {.mem = ARENA_INIT(MIB(1))};
	struct buf out = BUF_INIT(KIB(4));
	struct json *value = parse(&run, returned);

	if (restore(&run, sent, &value) < 0)
		fail_msg("%s", run.err.message);
	json_write(&out, value);
	assert_string_equal(buf_cstr(&out), expected);
	buf_release(&out);
	release(&run);
}

static void is_ambiguous(const char *sent, const char *returned)
{
	struct run run = {.mem = ARENA_INIT(MIB(1))};
	struct json *value = parse(&run, returned);

	assert_int_equal(restore(&run, sent, &value), -ERR_FORMAT);
	assert_non_null(strstr(run.err.message, "takes for the same"));
	release(&run);
}

static void numbers_at_their_place_keep_their_text(void **state)
{
	(void)state;
	gives("{\"a\":1.0,\"b\":[9007199254740993,-0.0,1E5,0.10]}",
	      "{\"b\":[9007199254740992,0,100000,0.1],\"a\":1}",
	      "{\"b\":[9007199254740993,-0.0,1E5,0.10],\"a\":1.0}");
	gives("{\"a\":0.1000000000000000055511151231257827}", "{\"a\":0.1}",
	      "{\"a\":0.1000000000000000055511151231257827}");
	gives("{\"a\":1e400,\"b\":-1e400,\"c\":1e-400}",
	      "{\"a\":1.7976931348623157e+308,\"b\":-1.7976931348623157e+308,\"c\":0}",
	      "{\"a\":1e400,\"b\":-1e400,\"c\":1e-400}");
}

static void another_number_of_the_same_double_keeps_its_own_text(void **state)
{
	(void)state;
	gives("{\"a\":0.10000000000000000555,\"b\":0.1,\"c\":1e-400,\"d\":0,\"e\":-0}",
	      "{\"a\":0.1,\"b\":0.1,\"c\":0,\"d\":0,\"e\":0}",
	      "{\"a\":0.10000000000000000555,\"b\":0.1,\"c\":1e-400,\"d\":0,\"e\":-0}");
}

static void numbers_that_were_changed_stay_changed(void **state)
{
	(void)state;
	gives("{\"a\":1.0,\"b\":9007199254740993}", "{\"a\":2,\"b\":9007199254740994}",
	      "{\"a\":2,\"b\":9007199254740994}");
}

static void a_number_that_moved_takes_its_text_along(void **state)
{
	(void)state;
	gives("{\"a\":1.0}", "{\"b\":1}", "{\"b\":1.0}");
	gives("{\"a\":{\"x\":1.0,\"y\":2.50}}", "{\"b\":{\"y\":2.5,\"x\":1}}",
	      "{\"b\":{\"y\":2.50,\"x\":1.0}}");
	gives("{\"a\":[1.0,2.0,3.0]}", "{\"a\":[2,3]}", "{\"a\":[2.0,3.0]}");
	gives("{\"id\":9007199254740993}", "{\"id\":9007199254740992,\"copy\":9007199254740992}",
	      "{\"id\":9007199254740993,\"copy\":9007199254740993}");
}

static void a_number_that_a_script_sets_beside_it_is_its_own(void **state)
{
	(void)state;
	gives("{\"a\":1.0}", "{\"a\":1,\"b\":1}", "{\"a\":1.0,\"b\":1}");
	gives("{\"a\":1.0,\"b\":1.00}", "{\"c\":1}", "{\"c\":1}");
}

static void the_same_name_goes_before_the_same_value(void **state)
{
	(void)state;
	gives("{\"a\":{\"x\":1.0,\"y\":1.00}}", "{\"y\":1,\"x\":1}", "{\"y\":1.00,\"x\":1.0}");
}

static void numbers_that_cannot_be_told_apart_fail(void **state)
{
	(void)state;
	is_ambiguous("{\"a\":9007199254740993,\"b\":9007199254740992}", "{\"c\":9007199254740992}");
	is_ambiguous("{\"a\":[9007199254740993,9007199254740992]}", "{\"a\":[9007199254740992]}");
	gives("{\"a\":9007199254740993,\"b\":9007199254740992}", "{\"a\":9007199254740992}",
	      "{\"a\":9007199254740993}");
	gives("{\"a\":[9007199254740993,9007199254740992]}",
	      "{\"a\":[9007199254740992,9007199254740992],\"x\":1}",
	      "{\"a\":[9007199254740993,9007199254740992],\"x\":1}");
}

static void what_is_beyond_doubles_is_written_as_the_largest(void **state)
{
	struct run run = {.mem = ARENA_INIT(MIB(1))};
	struct json *message = parse(&run, "{\"a\":1e400,\"b\":[-1e999],\"c\":1.10}");
	struct buf out = BUF_INIT(KIB(4));

	(void)state;
	script_digits_note(&run.digits, message);
	script_digits_write(&run.digits, message, &out);
	assert_string_equal(buf_cstr(&out), "{\"a\":1.7976931348623157e308,"
					    "\"b\":[-1.7976931348623157e308],\"c\":1.10}");
	buf_reset(&out);
	json_write(&out, message);
	assert_string_equal(buf_cstr(&out), "{\"a\":1e400,\"b\":[-1e999],\"c\":1.10}");
	buf_release(&out);
	release(&run);
}

static void numbers_that_javascript_keeps_are_not_noted(void **state)
{
	struct run run = {.mem = ARENA_INIT(MIB(1))};

	(void)state;
	script_digits_note(&run.digits, parse(&run, "[0,1,-7,123456789012345,0.1,-12.5,0.000001]"));
	assert_int_equal(run.digits.count, 0);
	script_digits_note(&run.digits, parse(&run, "[-0,1.0,0.0000001,1e1,1234567890123456,0.0]"));
	assert_int_equal(run.digits.count, 6);
	release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_at_their_place_keep_their_text),
		cmocka_unit_test(another_number_of_the_same_double_keeps_its_own_text),
		cmocka_unit_test(numbers_that_were_changed_stay_changed),
		cmocka_unit_test(a_number_that_moved_takes_its_text_along),
		cmocka_unit_test(a_number_that_a_script_sets_beside_it_is_its_own),
		cmocka_unit_test(the_same_name_goes_before_the_same_value),
		cmocka_unit_test(numbers_that_cannot_be_told_apart_fail),
		cmocka_unit_test(what_is_beyond_doubles_is_written_as_the_largest),
		cmocka_unit_test(numbers_that_javascript_keeps_are_not_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
