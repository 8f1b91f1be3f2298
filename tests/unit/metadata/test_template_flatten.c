/* Composable templates for targets without them. */
#include "metadata/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct metadata_set set;

static int set_up(void **state)
{
	(void)state;
	metadata_set_init(&set);
	set.version = (struct cluster_version){CLUSTER_ELASTICSEARCH, 7, 10, 2};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	metadata_set_release(&set);
	return 0;
}

static struct json *parsed(const char *text)
{
	struct json *value = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), &set.mem, &value, &err) < 0)
		fail_msg("%s", err.message);
	return value;
}

static struct metadata_item *add(enum metadata_kind kind, const char *name, const char *body)
{
	return metadata_set_add(&set, kind, str_from(name), parsed(body));
}

static void apply(int major, int minor)
{
	const struct rule_options options = {.target = {CLUSTER_ELASTICSEARCH, major, minor, 0},
					     .replicas = -1};
	struct err err = {0};

	if (rules_apply(&set, &options, &err) < 0)
		fail_msg("%s", err.message);
}

static void assert_body(const struct metadata_item *item, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	json_write(&text, item->result);
	if (!json_equal(item->result, parsed(expected)))
		fail_msg("%s is not %s", buf_cstr(&text), expected);
}

#define BASE                                                                               \
	"{\"template\":{\"settings\":{\"number_of_shards\":\"3\",\"refresh_interval\":"    \
	"\"1s\"},\"mappings\":{\"dynamic_templates\":[{\"s\":{\"mapping\":{\"type\":"      \
	"\"keyword\"},\"match\":\"*_s\"}},{\"t\":{\"mapping\":{\"type\":\"text\"},"        \
	"\"match\":\"*_t\"}}],\"properties\":{\"a\":{\"type\":\"long\",\"coerce\":false}," \
	"\"o\":{\"properties\":{\"x\":{\"type\":\"long\"}}}}}}}"
#define OWN                                                                             \
	"{\"index_patterns\":[\"logs-*\"],\"composed_of\":[\"base\"],\"priority\":200," \
	"\"version\":3,\"_meta\":{\"by\":\"us\"},\"template\":{\"settings\":"           \
	"{\"refresh_interval\":\"5s\"},\"mappings\":{\"dynamic_templates\":[{\"s\":"    \
	"{\"mapping\":{\"type\":\"text\"},\"match\":\"*_s\"}}],\"properties\":{\"a\":"  \
	"{\"type\":\"keyword\"},\"o\":{\"properties\":{\"y\":{\"type\":\"ip\"}}}}},"    \
	"\"aliases\":{\"l\":{}}}}"

static void a_composable_template_becomes_a_legacy_one_with_its_components(void **state)
{
	const struct metadata_item *base = add(METADATA_COMPONENT_TEMPLATE, "base", BASE);
	const struct metadata_item *logs = add(METADATA_INDEX_TEMPLATE, "logs-ours", OWN);

	(void)state;
	apply(7, 7);
	assert_int_equal(logs->kind, METADATA_LEGACY_TEMPLATE);
	assert_int_equal(logs->outcome, OUTCOME_NONE);
	assert_int_equal(logs->notes[0].level, NOTE_WARN);
	assert_body(logs, "{\"index_patterns\":[\"logs-*\"],\"order\":200,\"version\":3,"
			  "\"settings\":{\"number_of_shards\":\"3\",\"refresh_interval\":\"5s\"},"
			  "\"mappings\":{\"dynamic_templates\":[{\"t\":{\"mapping\":{\"type\":"
			  "\"text\"},\"match\":\"*_t\"}},{\"s\":{\"mapping\":{\"type\":\"text\"},"
			  "\"match\":\"*_s\"}}],\"properties\":{\"a\":{\"type\":\"keyword\"},"
			  "\"o\":{\"properties\":{\"x\":{\"type\":\"long\"},\"y\":{\"type\":"
			  "\"ip\"}}}}},\"aliases\":{\"l\":{}}}");
	assert_int_equal(base->outcome, OUTCOME_REPORTED);
}

static void a_target_that_has_composable_templates_gets_them(void **state)
{
	const struct metadata_item *base = add(METADATA_COMPONENT_TEMPLATE, "base", BASE);
	const struct metadata_item *logs = add(METADATA_INDEX_TEMPLATE, "logs-ours", OWN);

	(void)state;
	apply(7, 8);
	assert_int_equal(logs->kind, METADATA_INDEX_TEMPLATE);
	assert_int_equal(base->outcome, OUTCOME_NONE);
}

static void a_component_that_was_not_selected_is_in_it_too(void **state)
{
	struct metadata_item *base = add(METADATA_COMPONENT_TEMPLATE, "base", BASE);
	const struct metadata_item *logs = add(METADATA_INDEX_TEMPLATE, "logs-ours", OWN);

	(void)state;
	base->outcome = OUTCOME_EXCLUDED;
	apply(6, 8);
	assert_string_equal(
		json_string(json_path(logs->result, "settings", "number_of_shards", NULL)).ptr,
		"3");
	assert_int_equal(base->outcome, OUTCOME_EXCLUDED);
}

static void what_cannot_be_a_legacy_template_is_blocked(void **state)
{
	const struct metadata_item *lost, *stream, *twin, *data;

	(void)state;
	lost = add(METADATA_INDEX_TEMPLATE, "lost",
		   "{\"index_patterns\":[\"a\"],\"composed_of\":[\"gone\"]}");
	stream = add(METADATA_INDEX_TEMPLATE, "stream",
		     "{\"index_patterns\":[\"b\"],\"data_stream\":{}}");
	twin = add(METADATA_INDEX_TEMPLATE, "twin", "{\"index_patterns\":[\"c\"]}");
	add(METADATA_LEGACY_TEMPLATE, "twin", "{\"index_patterns\":[\"d\"]}");
	data = add(METADATA_DATA_STREAM, "metrics", "{\"name\":\"metrics\"}");
	apply(7, 2);
	assert_int_equal(lost->outcome, OUTCOME_BLOCKED);
	assert_non_null(memmem(lost->reason.ptr, lost->reason.len, "'gone'", 6));
	assert_int_equal(stream->outcome, OUTCOME_BLOCKED);
	assert_int_equal(twin->outcome, OUTCOME_BLOCKED);
	assert_int_equal(data->outcome, OUTCOME_BLOCKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_composable_template_becomes_a_legacy_one_with_its_components),
		TEST(a_target_that_has_composable_templates_gets_them),
		TEST(a_component_that_was_not_selected_is_in_it_too),
		TEST(what_cannot_be_a_legacy_template_is_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
