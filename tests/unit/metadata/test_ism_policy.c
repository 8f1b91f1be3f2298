#include "metadata/ism_policy.h"

#include "metadata/lifecycle_bindings.h"
#include "metadata/time_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct json *parsed(const char *text, struct arena *mem)
{
	struct json *value = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), mem, &value, &err) < 0)
		fail_msg("%s in %s", err.message, text);
	return value;
}

static void assert_json(const struct json *value, const char *expected)
{
	struct buf text = BUF_INIT(MIB(1));

	json_write(&text, value);
	assert_string_equal(buf_cstr(&text), expected);
	buf_release(&text);
}

static void durations_are_read_as_clusters_write_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"30d", 30 * MS_PER_DAY}, {"2h", 7200000}, {"5m", 300000}, {"60s", 60000},
		    {"500ms", 500},           {"0", 0},        {"0ms", 0},     {"1500micros", 1}};
	static const char *const bad[] = {"",    "d",    "30",  "1.5d",
					  "-1d", "30 d", "30w", "99999999999999999999d"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		int64_t ms = -1;

		assert_true(time_value_parse(str_from(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		int64_t ms;

		if (time_value_parse(str_from(bad[i]), &ms))
			fail_msg("'%s' is read", bad[i]);
	}
}

static void durations_are_written_in_the_largest_whole_unit(void **state)
{
	struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	assert_string_equal(time_value_text(20 * MS_PER_DAY, &mem).ptr, "20d");
	assert_string_equal(time_value_text(MS_PER_DAY + 3600000, &mem).ptr, "25h");
	assert_string_equal(time_value_text(1500, &mem).ptr, "1500ms");
	arena_release(&mem);
}

#define POLICY                                                                                 \
	"{\"policy_id\":\"p\",\"description\":\"d\",\"last_updated_time\":1,"                  \
	"\"schema_version\":1,\"error_notification\":null,\"default_state\":\"hot\","          \
	"\"states\":[{\"name\":\"hot\",\"actions\":[{\"rollover\":{\"min_index_age\":\"1d\"}}" \
	",{\"read_only\":{}}],\"transitions\":[{\"state_name\":\"warm\",\"conditions\":"       \
	"{\"min_rollover_age\":\"7d\"}}]},{\"name\":\"warm\",\"actions\":[],\"transitions\":"  \
	"[{\"state_name\":\"delete\",\"conditions\":{\"min_rollover_age\":\"30d\"}}]},"        \
	"{\"name\":\"delete\",\"actions\":[{\"delete\":{}}],\"transitions\":[]}],"             \
	"\"ism_template\":[{\"index_patterns\":[\"a*\"],\"priority\":1}]}"

static void indices_that_have_rolled_over_go_on_where_they_were(void **state)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct json *policy = parsed(POLICY, &mem);

	(void)state;
	assert_true(ism_policy_rolls_over(policy));
	assert_json(ism_policy_for_rolled(policy, 10 * MS_PER_DAY, &mem),
		    "{\"policy\":{\"description\":\"d (indices written to no more, 10 days old "
		    "when they came)\",\"default_state\":\"hot\",\"states\":[{\"name\":\"hot\","
		    "\"actions\":[{\"read_only\":{}}],\"transitions\":[{\"state_name\":\"warm\"}]}"
		    ",{\"name\":\"warm\",\"actions\":[],\"transitions\":[{\"state_name\":"
		    "\"delete\",\"conditions\":{\"min_index_age\":\"20d\"}}]},{\"name\":"
		    "\"delete\",\"actions\":[{\"delete\":{}}],\"transitions\":[]}]}}");
	arena_release(&mem);
}

static void a_policy_tells_whether_it_deletes_at_once(void **state)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct json *policy = parsed(POLICY, &mem);
	struct json *circle = parsed("{\"default_state\":\"a\",\"states\":[{\"name\":\"a\","
				     "\"transitions\":[{\"state_name\":\"a\"}]}]}",
				     &mem);

	(void)state;
	assert_false(ism_policy_deletes_at_once(policy));
	assert_false(ism_policy_deletes_at_once(
		json_get(ism_policy_for_rolled(policy, 29 * MS_PER_DAY, &mem), "policy")));
	assert_true(ism_policy_deletes_at_once(
		json_get(ism_policy_for_rolled(policy, 30 * MS_PER_DAY, &mem), "policy")));
	assert_false(ism_policy_deletes_at_once(circle));
	arena_release(&mem);
}

static void add(struct metadata_set *set, enum metadata_kind kind, const char *name,
		const char *body)
{
	metadata_set_add(set, kind, str_from(name), parsed(body, &set->mem));
}

static struct metadata_set elasticsearch(void)
{
	struct metadata_set set;

	metadata_set_init(&set);
	set.version = (struct cluster_version){CLUSTER_ELASTICSEARCH, 7, 10, 2, false, false};
	return set;
}

#define LIFECYCLE(name) "{\"settings\":{\"lifecycle\":{\"name\":\"" name "\"}}}"

static void priorities_of_patterns_are_unique_and_keep_their_order(void **state)
{
	struct metadata_set set = elasticsearch();

	(void)state;
	add(&set, METADATA_COMPONENT_TEMPLATE, "c", "{\"template\":" LIFECYCLE("q") "}");
	add(&set, METADATA_INDEX_TEMPLATE, "i",
	    "{\"index_patterns\":[\"a-b-*\"],\"composed_of\":[\"none\",\"c\"]}");
	add(&set, METADATA_INDEX_TEMPLATE, "own",
	    "{\"index_patterns\":[\"d-*\"],\"priority\":100,\"composed_of\":[\"c\"],"
	    "\"template\":" LIFECYCLE("p") "}");
	add(&set, METADATA_INDEX_TEMPLATE, "without", "{\"index_patterns\":[\"e-*\"]}");
	add(&set, METADATA_LEGACY_TEMPLATE, "l1",
	    "{\"index_patterns\":[\"a-*\"],\"order\":7,\"settings\":{\"lifecycle\":"
	    "{\"name\":\"p\"}}}");
	add(&set, METADATA_LEGACY_TEMPLATE, "l0",
	    "{\"index_patterns\":[\"*\"],\"settings\":{\"lifecycle\":{\"name\":\"q\"}}}");
	assert_json(ism_templates(&set),
		    "{\"q\":[{\"index_patterns\":[\"*\"],\"priority\":0},{\"index_patterns\":"
		    "[\"a-b-*\"],\"priority\":8}],\"p\":[{\"index_patterns\":[\"a-*\"],"
		    "\"priority\":7},{\"index_patterns\":[\"d-*\"],\"priority\":100}]}");
	metadata_set_release(&set);
}

static void policies_of_opensearch_bring_their_own_patterns(void **state)
{
	struct metadata_set set;

	(void)state;
	metadata_set_init(&set);
	set.version = (struct cluster_version){CLUSTER_OPENSEARCH, 1, 3, 0, false, false};
	add(&set, METADATA_LIFECYCLE_POLICY, "list",
	    "{\"policy\":{\"ism_template\":[{\"index_patterns\":[\"a*\"],\"priority\":1,"
	    "\"last_updated_time\":5}]}}");
	add(&set, METADATA_LIFECYCLE_POLICY, "one",
	    "{\"policy\":{\"ism_template\":{\"index_patterns\":[\"b*\"],\"priority\":2}}}");
	add(&set, METADATA_LIFECYCLE_POLICY, "none", "{\"policy\":{\"ism_template\":null}}");
	assert_json(ism_templates(&set),
		    "{\"list\":[{\"index_patterns\":[\"a*\"],\"priority\":1}],\"one\":"
		    "[{\"index_patterns\":[\"b*\"],\"priority\":2}]}");
	metadata_set_release(&set);
}

/* A snapshot explains nothing: dates and rollovers in its metadata do. */
static void a_snapshot_tells_ages_by_its_indices(void **state)
{
	struct metadata_set set = elasticsearch();
	struct lifecycle_bindings bindings;
	struct err err = {0};

	(void)state;
	add(&set, METADATA_INDEX, "a-1",
	    "{\"settings\":{\"creation_date\":\"100\",\"lifecycle\":{\"name\":\"p\","
	    "\"rollover_alias\":\"a\"}},\"aliases\":{\"a\":{\"is_write_index\":false}}}");
	set.items[0]->rolled_over_ms = 300;
	add(&set, METADATA_INDEX, "a-2",
	    "{\"settings\":{\"creation_date\":\"300\",\"lifecycle\":{\"name\":\"p\","
	    "\"rollover_alias\":\"a\"}},\"aliases\":{\"a\":{\"is_write_index\":true}}}");
	add(&set, METADATA_INDEX, "b",
	    "{\"settings\":{\"lifecycle\":{\"name\":\"p\",\"origination_date\":\"50\","
	    "\"rollover_alias\":\"b\",\"indexing_complete\":true}},\"aliases\":{\"b\":{}}}");
	add(&set, METADATA_INDEX, "c",
	    "{\"settings\":{\"lifecycle\":{\"name\":\"p\",\"rollover_alias\":\"c\"}},"
	    "\"aliases\":{\"c\":{}}}");
	add(&set, METADATA_INDEX, "free", "{\"settings\":{}}");
	assert_int_equal(lifecycle_bindings_read(&set, NULL, &bindings, &err), 0);
	assert_int_equal(bindings.count, 4);
	assert_false(bindings.items[0].writes);
	assert_int_equal(bindings.items[0].since_ms, 300);
	assert_int_equal(bindings.items[0].created_ms, 100);
	assert_true(bindings.items[1].writes);
	assert_false(bindings.items[2].writes);
	assert_int_equal(bindings.items[2].since_ms, 50);
	/* The only index of an alias is written to. */
	assert_true(bindings.items[3].writes);
	lifecycle_bindings_release(&bindings);
	metadata_set_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_as_clusters_write_them),
		cmocka_unit_test(durations_are_written_in_the_largest_whole_unit),
		cmocka_unit_test(indices_that_have_rolled_over_go_on_where_they_were),
		cmocka_unit_test(a_policy_tells_whether_it_deletes_at_once),
		cmocka_unit_test(priorities_of_patterns_are_unique_and_keep_their_order),
		cmocka_unit_test(policies_of_opensearch_bring_their_own_patterns),
		cmocka_unit_test(a_snapshot_tells_ages_by_its_indices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
