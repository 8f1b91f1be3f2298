#include "test_providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct transform_context documents = {.kind = TRANSFORM_DOCUMENT};

static void refuses(const char *configuration, const char *message)
{
	struct transform *transform = NULL;
	struct err err = {0};

	assert_int_equal(transform_new(str_from(configuration), &documents, &transform, &err),
			 -ERR_USAGE);
	assert_string_equal(err.message, message);
	assert_null(transform);
	assert_int_equal(test_steps_open, 0);
}

static void a_wrong_configuration_names_step_and_key(void **state)
{
	(void)state;
	refuses("", "transformer configuration: it is empty");
	refuses(" \n", "transformer configuration: it is empty");
	refuses("Twins", "transformer configuration: there is no provider 'Twins'; do you mean "
			 "'Twin'?");
	refuses("[\"Twin\", \"Other\"]",
		"transformer configuration: step 2: there is no provider 'Other'; "
		"docs/transforms.md lists those there are");
	refuses("[\"Twin\", {\"Twin\": 1, \"Drop\": 2}]",
		"transformer configuration: step 2: expected a provider's name or an object with "
		"one key, {\"Provider\": configuration}");
	refuses("[[]]", "transformer configuration: step 1: expected a provider's name or an "
			"object with one key, {\"Provider\": configuration}");
	refuses("{}", "transformer configuration: expected a provider's name or an object with one "
		      "key, {\"Provider\": configuration}");
	refuses("[\"Mark\", {\"Broken\": {\"knowm\": 1}}]",
		"transformer configuration: step 2: Broken: there is no key 'knowm'; do you mean "
		"'known'?");
	refuses("{\"Broken\": [1]}",
		"transformer configuration: Broken: its configuration must be an object");
}

static void a_text_that_is_no_json_says_where(void **state)
{
	struct transform *transform = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(transform_new(STR("[\"Twin\""), &documents, &transform, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, "transformer configuration: "));
}

#define MESSAGES 4

struct run {
	struct arena mem;
	struct transform_message messages[MESSAGES];
	struct err err;
};

/* Sends {"n":1} to {"n":4} through. */
static int run_through(struct run *run, const char *configuration)
{
	struct transform *transform;
	int rc;

	*run = (struct run){.mem = ARENA_INIT(MIB(1))};
	for (size_t i = 0; i < MESSAGES; i++) {
		struct str text = arena_printf(&run->mem, "{\"n\":%zu}", i + 1);

		run->messages[i].name = arena_printf(&run->mem, "books/%zu", i + 1);
		assert_int_equal(json_parse(text, &run->mem, &run->messages[i].value, &run->err),
				 0);
	}
	if (transform_new(str_from(configuration), &documents, &transform, &run->err) < 0)
		fail_msg("%s", run->err.message);
	rc = transform_apply(transform, run->messages, MESSAGES, &run->mem, &run->err);
	transform_free(transform);
	assert_int_equal(test_steps_open, 0);
	return rc;
}

static void becomes(struct run *run, size_t i, const char *text)
{
	struct buf out = BUF_INIT(KIB(4));

	assert_int_equal(run->messages[i].error.kind, ERR_NONE);
	if (run->messages[i].value)
		json_write(&out, run->messages[i].value);
	assert_string_equal(buf_cstr(&out), text);
	buf_release(&out);
}

static void a_list_of_steps_runs_in_order(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_through(&run, "[{\"Mark\": \"a\"}, {\"Mark\": {\"b\": 1.10}}]"), 0);
	becomes(&run, 0, "{\"n\":1,\"marks\":[\"a\",{\"b\":1.10}]}");
	assert_true(run.messages[0].changed);
	arena_release(&run.mem);
}

static void a_name_or_an_object_alone_is_one_step(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_through(&run, " Drop\n"), 0);
	becomes(&run, 0, "{\"n\":1}");
	assert_false(run.messages[0].changed);
	becomes(&run, 1, "");
	arena_release(&run.mem);
	assert_int_equal(run_through(&run, "{\"Mark\":7}"), 0);
	becomes(&run, 0, "{\"n\":1,\"marks\":[7]}");
	arena_release(&run.mem);
}

static void a_later_step_sees_each_of_several_messages_alone(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_through(&run, "[\"Twin\", {\"Mark\":1}, \"Twin\"]"), 0);
	becomes(&run, 0,
		"[{\"n\":1,\"marks\":[1]},{\"n\":1,\"marks\":[1],\"twin\":true},"
		"{\"n\":1,\"twin\":true,\"marks\":[1]},{\"n\":1,\"twin\":true,\"marks\":[1]}]");
	arena_release(&run.mem);
}

static void what_is_dropped_goes_no_further(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_through(&run, "[\"Drop\", \"Twin\", \"Drop\", {\"Mark\":1}]"), 0);
	becomes(&run, 1, "");
	becomes(&run, 2, "[{\"n\":3,\"marks\":[1]},{\"n\":3,\"twin\":true,\"marks\":[1]}]");
	assert_true(run.messages[1].changed);
	arena_release(&run.mem);
}

static void what_fails_goes_no_further_and_is_named(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_through(&run, "[\"Twin\", \"Fail\", {\"Mark\":1}]"), 0);
	assert_int_equal(run.messages[2].error.kind, ERR_FORMAT);
	assert_string_equal(run.messages[2].error.message,
			    "books/3: transformer step 2 (Fail): three");
	becomes(&run, 3, "[{\"n\":4,\"marks\":[1]},{\"n\":4,\"twin\":true,\"marks\":[1]}]");
	arena_release(&run.mem);
}

static void a_step_that_is_of_no_use_any_more_ends_it(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(run_through(&run, "[{\"Mark\":1}, {\"Broken\":{\"known\":1}}]"), -ERR_IO);
	assert_string_equal(run.err.message, "transformer step 2 (Broken): it is gone");
	arena_release(&run.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_configuration_names_step_and_key),
		cmocka_unit_test(a_text_that_is_no_json_says_where),
		cmocka_unit_test(a_list_of_steps_runs_in_order),
		cmocka_unit_test(a_name_or_an_object_alone_is_one_step),
		cmocka_unit_test(a_later_step_sees_each_of_several_messages_alone),
		cmocka_unit_test(what_is_dropped_goes_no_further),
		cmocka_unit_test(what_fails_goes_no_further_and_is_named),
		cmocka_unit_test(a_step_that_is_of_no_use_any_more_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
