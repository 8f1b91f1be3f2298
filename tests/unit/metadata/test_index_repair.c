#include "metadata/index_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define REFUSED(type, reason) "{\"error\":{\"type\":\"" type "\",\"reason\":\"" reason "\"}}"
#define PLEASE " please check that any required plugins are installed"

static struct json *parse(const char *text, struct arena *mem)
{
	struct json *v = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), mem, &v, &err) < 0)
		fail_msg("%s in %s", err.message, text);
	return v;
}

/* Repairs `body` by one answer; expects what comes of it and what is told. */
static void expect(const char *body, const char *answer, size_t count, const char *repaired,
		   const char *told)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf changes = BUF_INIT(CHANGES_MAX);
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct json *made = parse(body, &mem);

	assert_int_equal(index_body_repair(made, parse(answer, &mem), &mem, &changes), count);
	json_write(&text, made);
	if (!json_equal(made, parse(repaired, &mem)))
		fail_msg("made %s\ninstead of %s", buf_cstr(&text), repaired);
	assert_string_equal(buf_cstr(&changes), told);
}

static void unknown_settings_are_left_out_as_the_target_names_them(void **state)
{
	(void)state;
	expect("{\"settings\":{\"index.a\":\"1\",\"index.b\":\"2\",\"index.c\":\"3\"}}",
	       "{\"error\":{\"type\":\"illegal_argument_exception\","
	       "\"reason\":\"unknown setting [index.b]" PLEASE "\",\"suppressed\":[{"
	       "\"reason\":\"unknown setting [index.a]" PLEASE "\"}]}}",
	       2, "{\"settings\":{\"index.c\":\"3\"}}",
	       "left out index.b: the target does not know it; left out index.a: the target does "
	       "not know it");
}

static void private_settings_are_left_out(void **state)
{
	(void)state;
	expect("{\"settings\":{\"index.c\":\"3\"}}",
	       REFUSED("validation_exception",
		       "Validation Failed: 1: private index setting [index.c] can not be set "
		       "explicitly;"),
	       1, "{\"settings\":{}}", "left out index.c: the target sets it itself");
}

static void unsupported_parameters_are_left_out_at_the_root(void **state)
{
	(void)state;
	expect("{\"mappings\":{\"_ttx\":{\"x\":1},\"runtime\":{},\"properties\":{}}}",
	       REFUSED("mapper_parsing_exception", "Root mapping definition has unsupported "
						   "parameters:  [_ttx : {x=1}] [runtime "
						   ": {}]"),
	       2, "{\"mappings\":{\"properties\":{}}}",
	       "left out _ttx of the mapping: the target does not know it; left out runtime of the "
	       "mapping: the target does not know it");
}

static void unsupported_parameters_are_left_out_of_fields_below_a_type_too(void **state)
{
	static const char answer[] =
		REFUSED("mapper_parsing_exception", "Failed to parse mapping [_doc]: unknown "
						    "parameter [odd] on mapper [a] of type [text]");
	static const char told[] = "left out odd of field a: the target does not know it";

	(void)state;
	expect("{\"mappings\":{\"properties\":{\"b\":{\"properties\":{\"a\":{\"odd\":1}}},"
	       "\"odd\":{\"type\":\"long\"}}}}",
	       answer, 1,
	       "{\"mappings\":{\"properties\":{\"b\":{\"properties\":{\"a\":{}}},"
	       "\"odd\":{\"type\":\"long\"}}}}",
	       told);
	expect("{\"mappings\":{\"book\":{\"properties\":{\"a\":{\"odd\":1}}}}}", answer, 1,
	       "{\"mappings\":{\"book\":{\"properties\":{\"a\":{}}}}}", told);
}

static void a_codec_the_target_has_not_becomes_the_nearest(void **state)
{
	(void)state;
	expect("{\"settings\":{\"index.codec\":\"zstd\"}}",
	       REFUSED("illegal_argument_exception",
		       "unknown value for [index.codec] must be one of [default] but was: zstd"),
	       1, "{\"settings\":{\"index.codec\":\"best_compression\"}}",
	       "index.codec is best_compression: the target has no zstd");
}

static void what_is_not_there_cannot_be_repaired(void **state)
{
	(void)state;
	expect("{\"settings\":{}}",
	       REFUSED("illegal_argument_exception", "unknown setting [index.ghost]" PLEASE), 0,
	       "{\"settings\":{}}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_settings_are_left_out_as_the_target_names_them),
		cmocka_unit_test(private_settings_are_left_out),
		cmocka_unit_test(unsupported_parameters_are_left_out_at_the_root),
		cmocka_unit_test(unsupported_parameters_are_left_out_of_fields_below_a_type_too),
		cmocka_unit_test(a_codec_the_target_has_not_becomes_the_nearest),
		cmocka_unit_test(what_is_not_there_cannot_be_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
