#include "transform/document_batch.h"

#include "test_providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct transform_context documents = {.kind = TRANSFORM_DOCUMENT};

struct run {
	struct arena mem;
	struct document_batch out;
	struct err err;
};

static void run_through(struct run *run, const char *configuration,
			const struct bulk_document *inputs, size_t count)
{
	struct transform *transform;

	*run = (struct run){.mem = ARENA_INIT(MIB(1))};
	if (transform_new(str_from(configuration), &documents, &transform, &run->err) < 0 ||
	    document_batch_transform(transform, inputs, count, &run->mem, &run->out, &run->err) < 0)
		fail_msg("%s", run->err.message);
	transform_free(transform);
}

static void assert_str(struct str text, const char *expected)
{
	if (!str_is(text, expected))
		fail_msg("'" STR_FMT "' is not '%s'", STR_ARG(text), expected);
}

static struct bulk_document document(const char *id, const char *source)
{
	return (struct bulk_document){
		.index = STR("books"),
		.id = str_from(id),
		.source = str_from(source),
		.version = -1,
	};
}

static void what_no_step_changes_is_the_same_document(void **state)
{
	const struct bulk_document input = document("1", "{ \"a\" : 1.10, \"a\" : 2 }");
	struct run run;

	(void)state;
	run_through(&run, "Drop", &input, 1);
	assert_int_equal(run.out.count, 1);
	assert_ptr_equal(run.out.outputs[0].document.source.ptr, input.source.ptr);
	assert_ptr_equal(run.out.outputs[0].document.id.ptr, input.id.ptr);
	arena_release(&run.mem);
}

static void a_document_becomes_the_message_of_the_java_tool(void **state)
{
	struct bulk_document input = document("1", "{\"a\":1.10}");
	struct run run;

	(void)state;
	input.routing = STR("r");
	input.type = STR("t");
	input.operation = BULK_CREATE;
	input.version = 7;
	input.external = true;
	/* The message itself shows in an error of its own shape: see the end-to-end tests. */
	run_through(&run, "{\"Mark\":1}", &input, 1);
	assert_int_equal(run.out.failure_count, 0);
	assert_int_equal(run.out.count, 1);
	assert_str(run.out.outputs[0].document.id, "1");
	assert_str(run.out.outputs[0].document.index, "books");
	assert_str(run.out.outputs[0].document.routing, "r");
	assert_str(run.out.outputs[0].document.type, "t");
	assert_str(run.out.outputs[0].document.source, "{\"a\":1.10}");
	assert_int_equal(run.out.outputs[0].document.operation, BULK_CREATE);
	assert_int_equal(run.out.outputs[0].document.version, 7);
	assert_true(run.out.outputs[0].document.external);
	arena_release(&run.mem);
}

static void what_is_dropped_split_and_kept_is_told_apart(void **state)
{
	const struct bulk_document inputs[] = {document("1", "{}"), document("2", "{}")};
	struct run run;

	(void)state;
	run_through(&run, "Twin", inputs, 2);
	assert_int_equal(run.out.count, 4);
	assert_int_equal(run.out.outputs[1].input, 0);
	assert_int_equal(run.out.outputs[2].input, 1);
	assert_int_equal(run.out.dropped, 0);
	arena_release(&run.mem);
}

static void a_source_that_is_no_json_fails_alone(void **state)
{
	const struct bulk_document inputs[] = {document("1", "{"), document("2", "[]"),
					       document("3", "{\"a\":1}")};
	struct run run;

	(void)state;
	run_through(&run, "Twin", inputs, 3);
	assert_int_equal(run.out.count, 2);
	assert_int_equal(run.out.failure_count, 2);
	assert_int_equal(run.out.failures[0].input, 0);
	assert_non_null(strstr(run.out.failures[0].error->message, "books/1: its source: "));
	assert_string_equal(run.out.failures[1].error->message,
			    "books/2: its source is no JSON object");
	arena_release(&run.mem);
}

static void no_source_is_parsed_for_steps_that_ignore_it(void **state)
{
	const struct bulk_document input = document("1", "{ this is no JSON");
	struct run run;

	(void)state;
	run_through(&run, "[\"Opaque\", \"Opaque\"]", &input, 1);
	assert_int_equal(run.out.failure_count, 0);
	assert_int_equal(run.out.count, 1);
	assert_str(run.out.outputs[0].document.index, "moved");
	assert_ptr_equal(run.out.outputs[0].document.source.ptr, input.source.ptr);
	arena_release(&run.mem);
	run_through(&run, "[\"Opaque\", \"Drop\"]", &input, 1);
	assert_int_equal(run.out.failure_count, 1);
	arena_release(&run.mem);
}

static void a_delete_has_no_document(void **state)
{
	struct bulk_document input = {.index = STR("books"), .id = STR("1"), .version = -1};
	struct run run;

	(void)state;
	input.operation = BULK_DELETE;
	run_through(&run, "{\"Mark\":1}", &input, 1);
	assert_int_equal(run.out.count, 1);
	assert_int_equal(run.out.outputs[0].document.operation, BULK_DELETE);
	assert_null(run.out.outputs[0].document.source.ptr);
	arena_release(&run.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_step_changes_is_the_same_document),
		cmocka_unit_test(a_document_becomes_the_message_of_the_java_tool),
		cmocka_unit_test(what_is_dropped_split_and_kept_is_told_apart),
		cmocka_unit_test(a_source_that_is_no_json_fails_alone),
		cmocka_unit_test(no_source_is_parsed_for_steps_that_ignore_it),
		cmocka_unit_test(a_delete_has_no_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
