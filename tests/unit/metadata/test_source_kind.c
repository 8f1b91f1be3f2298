#include "metadata/source_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static enum source_kind kind_of(const char *settings, const char *mappings)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct index_metadata metadata = {0};
	struct err err = {0};
	enum source_kind kind;

	if (json_parse(str_from(settings), &mem, &metadata.settings, &err) < 0 ||
	    json_parse(str_from(mappings), &mem, &metadata.mappings, &err) < 0)
		fail_msg("%s", err.message);
	kind = index_source_kind(&metadata);
	arena_release(&mem);
	return kind;
}

static void an_index_stores_its_sources_unless_told_otherwise(void **state)
{
	(void)state;
	assert_int_equal(kind_of("{}", "{}"), SOURCE_STORED);
	assert_int_equal(kind_of("{}", "{\"_doc\":{\"properties\":{}}}"), SOURCE_STORED);
	assert_int_equal(kind_of("{}", "{\"_doc\":{\"_source\":{\"enabled\":true}}}"),
			 SOURCE_STORED);
	assert_int_equal(kind_of("{}", "{\"_doc\":{\"_source\":{\"excludes\":[]}}}"),
			 SOURCE_STORED);
}

static void disabled_and_filtered_sources_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(kind_of("{}", "{\"sample\":{\"_source\":{\"enabled\":false}}}"),
			 SOURCE_DISABLED);
	assert_int_equal(kind_of("{}", "{\"sample\":{\"_source\":{\"enabled\":\"false\"}}}"),
			 SOURCE_DISABLED);
	assert_int_equal(kind_of("{}", "{\"note\":{\"_source\":{\"excludes\":[\"secret.*\"]}}}"),
			 SOURCE_FILTERED);
	assert_int_equal(kind_of("{}", "{\"note\":{\"_source\":{\"includes\":\"a\"}}}"),
			 SOURCE_FILTERED);
}

static void of_several_types_the_one_that_stores_least_counts(void **state)
{
	(void)state;
	assert_int_equal(kind_of("{}", "{\"a\":{},\"b\":{\"_source\":{\"enabled\":false}}}"),
			 SOURCE_DISABLED);
	assert_int_equal(kind_of("{}", "{\"a\":{\"_source\":{\"excludes\":[\"x\"]}},\"b\":{}}"),
			 SOURCE_FILTERED);
}

static void modes_make_a_source_synthetic_and_the_nearest_setting_wins(void **state)
{
	(void)state;
	assert_int_equal(kind_of("{\"index.mode\":\"logsdb\"}", "{\"_doc\":{}}"), SOURCE_SYNTHETIC);
	assert_int_equal(kind_of("{\"index.mode\":\"time_series\"}", "{}"), SOURCE_SYNTHETIC);
	assert_int_equal(kind_of("{\"index.mode\":\"standard\"}", "{}"), SOURCE_STORED);
	assert_int_equal(
		kind_of("{\"index.mode\":\"logsdb\",\"index.mapping.source.mode\":\"stored\"}",
			"{\"_doc\":{}}"),
		SOURCE_STORED);
	assert_int_equal(kind_of("{\"index.mapping.source.mode\":\"synthetic\"}", "{}"),
			 SOURCE_SYNTHETIC);
	assert_int_equal(kind_of("{}", "{\"_doc\":{\"_source\":{\"mode\":\"synthetic\"}}}"),
			 SOURCE_SYNTHETIC);
	assert_int_equal(kind_of("{\"index.mode\":\"logsdb\"}",
				 "{\"_doc\":{\"_source\":{\"mode\":\"stored\"}}}"),
			 SOURCE_STORED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_stores_its_sources_unless_told_otherwise),
		cmocka_unit_test(disabled_and_filtered_sources_are_told_apart),
		cmocka_unit_test(of_several_types_the_one_that_stores_least_counts),
		cmocka_unit_test(modes_make_a_source_synthetic_and_the_nearest_setting_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
