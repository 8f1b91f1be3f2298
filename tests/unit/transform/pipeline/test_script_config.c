#include "transform/script_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct run {
	struct arena mem;
	struct script_config config;
	struct err err;
};

static int read_config(struct run *run, const char *text)
{
	struct json *configuration = NULL;

	*run = (struct run){.mem = ARENA_INIT(MIB(1))};
	if (text && json_parse(str_from(text), &run->mem, &configuration, &run->err) < 0)
		fail_msg("%s", run->err.message);
	return script_config_read(configuration, NULL, &run->mem, &run->config, &run->err);
}

static void refuses(const char *text, const char *message)
{
	struct run run;

	assert_int_equal(read_config(&run, text), -ERR_USAGE);
	if (!strstr(run.err.message, message))
		fail_msg("'%s' lacks '%s'", run.err.message, message);
	arena_release(&run.mem);
}

static void exactly_one_script_is_given(void **state)
{
	(void)state;
	refuses(NULL, "one of initializationScript,");
	refuses("null", "one of initializationScript,");
	refuses("{}", "one of initializationScript,");
	refuses("{\"initializationScript\":\"a\",\"initializationResourcePath\":\"b\"}",
		"'initializationScript' and 'initializationResourcePath' are both given");
	refuses("{\"initializationScript\":1}", "'initializationScript' must be a string");
	refuses("{\"initializationScript\":\"a\\u0000b\"}", "the script holds a NUL byte");
	refuses("{\"initializationScript\":\"a\",\"bindingObject\":{}}",
		"there is no key 'bindingObject'; do you mean 'bindingsObject'?");
	refuses("[]", "its configuration must be an object");
}

static void bindings_are_of_the_shapes_known(void **state)
{
	(void)state;
	refuses("{\"initializationScript\":\"a\",\"bindingsObject\":\"{\"}",
		"'bindingsObject' is a string, and no JSON: ");
	refuses("{\"initializationScript\":\"a\",\"bindingsObjectFiles\":[]}",
		"'bindingsObjectFiles' must be an object of names and paths");
	refuses("{\"initializationScript\":\"a\",\"bindingsObjectFiles\":{\"a\":{\"p\":1}}}",
		"'bindingsObjectFiles' must give a path");
	refuses("{\"initializationScript\":\"a\",\"bindingsObjectFiles\":{\"a\":\"/no/such\"}}",
		"'bindingsObjectFiles.a': ");
	refuses("{\"initializationScript\":\"a\",\"bindingsObjectDirs\":[\"/no/such\"]}",
		"'bindingsObjectDirs': the directory /no/such: ");
}

static void binds(const char *text, const char *expected)
{
	struct buf out = BUF_INIT(KIB(4));
	struct run run;

	if (read_config(&run, text) < 0)
		fail_msg("%s", run.err.message);
	json_write(&out, run.config.bindings);
	assert_string_equal(buf_cstr(&out), expected);
	buf_release(&out);
	arena_release(&run.mem);
}

static void bindings_may_be_any_value_when_they_stand_alone(void **state)
{
	(void)state;
	binds("{\"initializationScript\":\"a\"}", "{}");
	binds("{\"initializationScript\":\"a\",\"bindingsObject\":null}", "{}");
	binds("{\"initializationScript\":\"a\",\"bindingsObject\":{\"a\":1.10}}", "{\"a\":1.10}");
	binds("{\"initializationScript\":\"a\",\"bindingsObject\":\"{\\\"a\\\":[1]}\"}",
	      "{\"a\":[1]}");
	binds("{\"initializationScript\":\"a\",\"bindingsObject\":\"\\\"text\\\"\"}", "\"text\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_one_script_is_given),
		cmocka_unit_test(bindings_are_of_the_shapes_known),
		cmocka_unit_test(bindings_may_be_any_value_when_they_stand_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
