#include "metadata/transform_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROUTER(routes)                                                                        \
	"{\"TypeMappingSanitizationTransformerProvider\":{\"sourceProperties\":{\"version\":" \
	"{\"major\":5,\"minor\":6}},\"staticMappings\":" routes "}}"
#define JMESPATH(script) "{\"JsonJMESPathTransformerProvider\":{\"script\":\"" script "\"}}"

static struct metadata_set set;

static struct metadata_item *add(enum metadata_kind kind, const char *name, const char *body,
				 bool typed)
{
	struct metadata_item *item;
	struct json *source;
	struct err err;

	if (json_parse(str_from(body), &set.mem, &source, &err) < 0)
		fail_msg("%s", err.message);
	item = metadata_set_add(&set, kind, str_from(name), source);
	item->typed = typed;
	return item;
}

/* After the rules, in which every item has a result. */
static void add_results(void)
{
	for (size_t i = 0; i < set.count; i++)
		set.items[i]->result = json_copy(&set.mem, set.items[i]->source);
}

static void run(const char *configuration, enum transform_items_part part)
{
	const struct transform_context context = {.kind = TRANSFORM_METADATA};
	struct transform *transform;
	struct err err;

	if (transform_new(str_from(configuration), &context, &transform, &err) < 0 ||
	    transform_items(&set, transform, part, &err) < 0)
		fail_msg("%s", err.message);
	transform_free(transform);
}

/* The item of that name on the target. */
static struct metadata_item *going_to(const char *name)
{
	for (size_t i = 0; i < set.count; i++)
		if (str_is(set.items[i]->target_name, name))
			return set.items[i];
	fail_msg("nothing goes to '%s'", name);
	return NULL;
}

static void assert_json(const struct json *v, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	assert_non_null(v);
	json_write(&text, v);
	assert_string_equal(buf_cstr(&text), expected);
}

static bool notes_say(const struct metadata_item *item, const char *path, const char *text)
{
	for (size_t i = 0; i < item->note_count; i++)
		if (str_is(item->notes[i].path, path) && str_is(item->notes[i].text, text))
			return true;
	return false;
}

static int set_up(void **state)
{
	(void)state;
	metadata_set_init(&set);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	metadata_set_release(&set);
	return 0;
}

static void the_router_gets_types_before_the_rules(void **state)
{
	struct metadata_item *authors;

	(void)state;
	add(METADATA_INDEX, "books",
	    "{\"mappings\":{\"book\":{\"properties\":{\"t\":{\"type\":\"text\"}}},"
	    "\"author\":{\"properties\":{\"n\":{\"type\":\"text\"}}}}}",
	    true);
	run(ROUTER("{\"books\":{\"book\":\"novels\",\"author\":\"authors\"}}"),
	    TRANSFORM_ITEMS_BEFORE_RULES);
	assert_int_equal(set.count, 2);
	authors = going_to("authors");
	assert_false(authors->typed);
	assert_true(str_is(authors->name, "books"));
	assert_json(authors->result, "{\"mappings\":{\"properties\":{\"n\":{\"type\":\"text\"}}}}");
	assert_json(going_to("novels")->result,
		    "{\"mappings\":{\"properties\":{\"t\":{\"type\":\"text\"}}}}");
	/* It has had its turn. */
	run(ROUTER("{\"novels\":{}}"), TRANSFORM_ITEMS_AFTER_RULES);
	assert_int_equal(going_to("novels")->outcome, OUTCOME_NONE);
}

static void other_steps_come_after_the_rules_and_their_changes_are_told(void **state)
{
	struct metadata_item *item = add(METADATA_INDEX, "a", "{\"settings\":{\"x\":1}}", false);

	(void)state;
	run(JMESPATH("merge(@, {name: 'b'})"), TRANSFORM_ITEMS_BEFORE_RULES);
	assert_null(item->result);
	add_results();
	run(JMESPATH("{type: type, name: 'b', body: {settings: {x: `2`, y: name}}}"),
	    TRANSFORM_ITEMS_AFTER_RULES);
	assert_true(str_is(item->target_name, "b"));
	assert_json(item->result, "{\"settings\":{\"x\":2,\"y\":\"a\"}}");
	assert_json(item->source, "{\"settings\":{\"x\":1}}");
	assert_true(notes_say(item, "", "called 'b' on the target"));
	assert_true(notes_say(item, "settings.x", "changed to 2"));
	assert_true(notes_say(item, "settings.y", "added: \"a\""));
}

static void what_cannot_be_done_is_blocked_and_named(void **state)
{
	static const struct {
		const char *step, *reason;
	} cases[] = {
		{JMESPATH("abs(name)"), "index a: transformer step 1"},
		{JMESPATH("{type: 'template', name: name, body: body}"), "changed its 'type'"},
		{JMESPATH("{type: type, body: body}"), "without a 'name'"},
		{JMESPATH("{type: type, name: name, body: `1`}"), "without a 'body'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct metadata_item *item = add(METADATA_INDEX, "a", "{}", false);
		char reason[2048];

		add_results();
		run(cases[i].step, TRANSFORM_ITEMS_AFTER_RULES);
		snprintf(reason, sizeof(reason), STR_FMT, STR_ARG(item->reason));
		assert_int_equal(item->outcome, OUTCOME_BLOCKED);
		if (!strstr(reason, cases[i].reason))
			fail_msg("'%s' does not say '%s'", reason, cases[i].reason);
		tear_down(state);
		set_up(state);
	}
}

static void what_is_dropped_is_left_out_and_nothing_else_is_touched(void **state)
{
	struct metadata_item *index = add(METADATA_INDEX, "a", "{}", false);
	struct metadata_item *pipeline = add(METADATA_PIPELINE, "p", "{}", false);
	struct metadata_item *excluded = add(METADATA_INDEX, "z", "{}", false);

	(void)state;
	add_results();
	excluded->outcome = OUTCOME_EXCLUDED;
	run(JMESPATH("`[]`"), TRANSFORM_ITEMS_AFTER_RULES);
	assert_int_equal(index->outcome, OUTCOME_EXCLUDED);
	assert_true(str_is(index->reason, "the transformers drop it"));
	assert_int_equal(pipeline->outcome, OUTCOME_NONE);
	assert_int_equal(excluded->reason.len, 0);
}

static void two_items_of_one_name_are_not_both_written(void **state)
{
	struct metadata_item *first = add(METADATA_INDEX, "a", "{}", false);
	struct metadata_item *second = add(METADATA_INDEX, "b", "{}", false);

	(void)state;
	add_results();
	run(JMESPATH("merge(@, {name: 'one'})"), TRANSFORM_ITEMS_AFTER_RULES);
	assert_int_equal(first->outcome, OUTCOME_NONE);
	assert_int_equal(second->outcome, OUTCOME_BLOCKED);
	assert_true(str_is(second->reason, "the transformers give it the same name as 'a'; let one "
					   "of the two go elsewhere"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_router_gets_types_before_the_rules),
		TEST(other_steps_come_after_the_rules_and_their_changes_are_told),
		TEST(what_cannot_be_done_is_blocked_and_named),
		TEST(what_is_dropped_is_left_out_and_nothing_else_is_touched),
		TEST(two_items_of_one_name_are_not_both_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
