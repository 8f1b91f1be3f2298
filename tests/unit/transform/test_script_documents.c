/* Documents of all shapes through scripts in a real process: what a script leaves alone comes out
 * as it went in, digit for digit. */
#include "transform/document_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define DOCUMENTS 400
#define LEVELS 4

static uint64_t random_state;

static unsigned below(unsigned n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % n;
}

static void put_number(struct buf *out)
{
	static const char *const special[] = {
		"0",
		"-0",
		"1.0",
		"1.10",
		"9007199254740993",
		"18446744073709551616",
		"1e400",
		"-1E+400",
		"1e-400",
		"1E5",
		"0.0000001",
		"123456789012345.678",
		"1e21",
		"0.1",
		"-2.50",
		"1e2",
		"0.10000000000000000555",
	};

	if (below(2))
		buf_append_str(out, str_from(special[below(COUNT_OF(special))]));
	else
		buf_printf(out, "%s%u.%02u", below(2) ? "-" : "", below(100000), below(100));
}

static void put_string(struct buf *out)
{
	static const char *const pieces[] = {"a",
					     "Z9",
					     " ",
					     "\\n",
					     "\\u0000",
					     "\xC3\xA9",
					     "\xE2\x82\xAC",
					     "\\ud83d\\ude00",
					     "\xF0\x9F\x98\x80",
					     "\\ud800",
					     "\\\"",
					     "\\\\",
					     "}]"};

	buf_append_byte(out, '"');
	for (unsigned i = below(30); i > 0; i--)
		buf_append_str(out, str_from(pieces[below(COUNT_OF(pieces))]));
	buf_append_byte(out, '"');
}

static void put_value(struct buf *out, unsigned level);

static void put_children(struct buf *out, unsigned level, bool object)
{
	buf_append_byte(out, object ? '{' : '[');
	for (unsigned i = 0, count = below(6); i < count; i++) {
		buf_append_str(out, i ? STR(" ,\n") : STR(""));
		/* Names are all different; some are what JavaScript takes for positions. */
		if (object)
			buf_printf(out, below(2) ? "\"k%u\" : " : "\"%u\":", i);
		put_value(out, level + 1);
	}
	buf_append_byte(out, object ? '}' : ']');
}

static void put_value(struct buf *out, unsigned level)
{
	static const char *const words[] = {"null", "true", "false"};
	unsigned kind = below(level < LEVELS ? 6 : 4);

	if (kind < 2)
		put_number(out);
	else if (kind == 2)
		put_string(out);
	else if (kind == 3)
		buf_append_str(out, str_from(words[below(3)]));
	else
		put_children(out, level, kind == 5);
}

struct stage {
	struct arena mem;
	struct bulk_document inputs[DOCUMENTS];
	struct document_batch made;
};

static void make_documents(struct stage *stage)
{
	random_state = (uint64_t)time(NULL);
	if (getenv("SEED"))
		random_state = strtoull(getenv("SEED"), NULL, 10);
	print_message("SEED=%llu\n", (unsigned long long)random_state);
	for (size_t i = 0; i < DOCUMENTS; i++) {
		cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

		put_children(&text, 0, true);
		stage->inputs[i] = (struct bulk_document){
			.index = STR("books"),
			.id = arena_printf(&stage->mem, "%zu", i),
			.source = arena_str(&stage->mem, buf_str(&text)),
			.version = -1,
		};
	}
}

static void run_script(struct stage *stage, const char *script)
{
	const struct transform_context context = {.kind = TRANSFORM_DOCUMENT,
						  .script_timeout_ms = 120000,
						  .script_memory = (int64_t)4 << 30};
	struct transform *transform;
	struct err err;
	struct str configuration = arena_printf(
		&stage->mem, "{\"JsonJSTransformerProvider\":{\"initializationScript\":\"%s\"}}",
		script);

	if (transform_new(configuration, &context, &transform, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(transform_takes_source_texts(transform));
	if (document_batch_transform(transform, stage->inputs, DOCUMENTS, &stage->mem, &stage->made,
				     &err) < 0)
		fail_msg("%s", err.message);
	transform_free(transform);
}

static void assert_all_came(const struct stage *stage)
{
	if (stage->made.failure_count > 0)
		fail_msg("%s", stage->made.failures[0].error->message);
	assert_int_equal(stage->made.count, DOCUMENTS);
}

static struct json *parse(struct stage *stage, struct str text)
{
	struct json *value = NULL;
	struct err err;

	if (json_parse(text, &stage->mem, &value, &err) < 0)
		fail_msg("%s: " STR_FMT, err.message, STR_ARG(text));
	return value;
}

static void assert_same(struct stage *stage, size_t i, const struct json *expected)
{
	struct str source = stage->made.outputs[i].document.source;

	if (!json_equal(parse(stage, source), expected))
		fail_msg("document %zu: " STR_FMT "\nbecame " STR_FMT, i,
			 STR_ARG(stage->inputs[i].source), STR_ARG(source));
}

static int set_up(void **state)
{
	struct stage *stage = mem_zalloc(sizeof(*stage));

	stage->mem = ARENA_INIT(MIB(512));
	make_documents(stage);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	arena_release(&stage->mem);
	free(stage);
	return 0;
}

static void the_identity_is_the_identity(void **state)
{
	struct stage *stage = *state;

	run_script(stage, "(() => (documents) => documents)");
	assert_all_came(stage);
	for (size_t i = 0; i < DOCUMENTS; i++)
		assert_same(stage, i, parse(stage, stage->inputs[i].source));
}

static void what_a_script_does_not_touch_is_as_it_was(void **state)
{
	struct stage *stage = *state;

	run_script(stage, "(() => ([one]) => { one.document.set('touched', 1.5); "
			  "one.operation._index = 'new'; return [one]; })");
	assert_all_came(stage);
	for (size_t i = 0; i < DOCUMENTS; i++) {
		struct json *expected = parse(stage, stage->inputs[i].source);

		json_set(expected, STR("touched"), json_new_number(&stage->mem, STR("1.5")));
		assert_same(stage, i, expected);
		assert_true(str_is(stage->made.outputs[i].document.index, "new"));
	}
}

static void sources_that_are_no_objects_fail_alone(void **state)
{
	static const char *const wrong[] = {"{\"a\":1},\"operation\":{}", "[1]", "{\"a\":01}",
					    "{\"a\":\"\xff\"}", "{\"a\":[1}"};
	struct stage *stage = *state;

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		stage->inputs[10 * i].source = str_from(wrong[i]);
	run_script(stage, "(() => (documents) => documents)");
	assert_int_equal(stage->made.failure_count, COUNT_OF(wrong));
	assert_int_equal(stage->made.count, DOCUMENTS - COUNT_OF(wrong));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_int_equal(stage->made.failures[i].input, 10 * i);
		assert_non_null(strstr(stage->made.failures[i].error->message, "its source"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_identity_is_the_identity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_script_does_not_touch_is_as_it_was, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sources_that_are_no_objects_fail_alone, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
