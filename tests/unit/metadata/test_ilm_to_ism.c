#include "metadata/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define ES_7_10 ((struct cluster_version){CLUSTER_ELASTICSEARCH, 7, 10, 2, false, false})
#define OS_2_19 ((struct cluster_version){CLUSTER_OPENSEARCH, 2, 19, 0, false, false})

/* One policy on its way between two clusters. */
struct conversion {
	struct metadata_set set;
	struct metadata_item *item;
	struct buf text;
};

static struct conversion start(enum metadata_kind kind, const char *source,
			       struct cluster_version from)
{
	struct conversion c = {.text = BUF_INIT(MIB(1))};
	struct json *body = NULL;
	struct err err = {0};

	metadata_set_init(&c.set);
	c.set.version = from;
	if (json_parse(str_from(source), &c.set.mem, &body, &err) < 0)
		fail_msg("%s in %s", err.message, source);
	c.item = metadata_set_add(&c.set, kind, STR("p"), body);
	return c;
}

static void apply(struct conversion *c, const struct rule_options *options)
{
	struct err err = {0};

	if (rules_apply(&c->set, options, &err) < 0)
		fail_msg("%s", err.message);
}

static void finish(struct conversion *c)
{
	buf_release(&c->text);
	metadata_set_release(&c->set);
}

static const char *text_of(struct conversion *c, const struct json *value)
{
	buf_reset(&c->text);
	if (value)
		json_write(&c->text, value);
	return buf_cstr(&c->text);
}

static bool has_note(const struct metadata_item *item, enum note_level level, const char *words)
{
	for (size_t i = 0; i < item->note_count; i++) {
		const struct metadata_note *note = &item->notes[i];

		if (note->level == level &&
		    memmem(note->text.ptr, note->text.len, words, strlen(words)))
			return true;
	}
	return false;
}

/* What the plugin index-management accepts: its parsers refuse keys that they do not know. */
static const char *const policy_keys[] = {"description",  "default_state",      "states",
					  "ism_template", "error_notification", NULL};
static const char *const state_keys[] = {"name", "actions", "transitions", NULL};
static const char *const transition_keys[] = {"state_name", "conditions", NULL};
static const char *const condition_keys[] = {"min_index_age", "min_doc_count",    "min_size",
					     "cron",          "min_rollover_age", NULL};
static const struct {
	const char *action;
	const char *keys[8];
	const char *required[3];
} actions[] = {
	{"rollover",
	 {"min_size", "min_doc_count", "min_index_age", "min_primary_shard_size", "copy_alias"},
	 {0}},
	{"index_priority", {"priority"}, {"priority"}},
	{"read_only", {0}, {0}},
	{"read_write", {0}, {0}},
	{"force_merge", {"max_num_segments"}, {"max_num_segments"}},
	{"shrink",
	 {"num_new_shards", "max_shard_size", "percentage_of_source_shards",
	  "target_index_name_template", "aliases", "force_unsafe"},
	 {0}},
	{"replica_count", {"number_of_replicas"}, {"number_of_replicas"}},
	{"allocation", {"require", "include", "exclude", "wait_for"}, {0}},
	{"snapshot", {"repository", "snapshot"}, {"repository", "snapshot"}},
	{"delete", {0}, {0}},
};

static void assert_keys(const struct json *object, const char *const *keys)
{
	assert_non_null(object);
	assert_int_equal(object->type, JSON_OBJECT);
	json_each (member, object) {
		bool known = false;

		for (size_t i = 0; keys[i]; i++)
			known |= str_is(member->key, keys[i]);
		if (!known)
			fail_msg("the key %.*s is refused", STR_ARG(member->key));
	}
}

static void assert_action(const struct json *action)
{
	assert_int_equal(action->count, 1);
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		if (!str_is(action->first->key, actions[i].action))
			continue;
		assert_keys(action->first, actions[i].keys);
		for (size_t j = 0; actions[i].required[j]; j++)
			assert_non_null(json_get(action->first, actions[i].required[j]));
		return;
	}
	fail_msg("the action %.*s is refused", STR_ARG(action->first->key));
}

static bool has_state(const struct json *policy, struct str name)
{
	size_t found = 0;

	json_each (state, json_get(policy, "states"))
		found += str_eq(json_string(json_get(state, "name")), name);
	assert_true(found <= 1);
	return found == 1;
}

static void assert_state(const struct json *policy, const struct json *state)
{
	assert_keys(state, state_keys);
	assert_true(has_state(policy, json_string(json_get(state, "name"))));
	assert_non_null(json_get(state, "actions"));
	assert_non_null(json_get(state, "transitions"));
	json_each (action, json_get(state, "actions"))
		assert_action(action);
	json_each (transition, json_get(state, "transitions")) {
		const struct json *conditions = json_get(transition, "conditions");

		assert_keys(transition, transition_keys);
		assert_true(has_state(policy, json_string(json_get(transition, "state_name"))));
		if (!conditions)
			continue;
		assert_keys(conditions, condition_keys);
		assert_int_equal(conditions->count, 1);
	}
}

static void assert_valid_ism(const struct json *body)
{
	const struct json *policy = json_get(body, "policy");

	assert_int_equal(body->count, 1);
	assert_keys(policy, policy_keys);
	assert_true(json_string(json_get(policy, "description")).len > 0);
	assert_true(json_get(policy, "states")->count > 0);
	assert_true(has_state(policy, json_string(json_get(policy, "default_state"))));
	json_each (state, json_get(policy, "states"))
		assert_state(policy, state);
}

#define STATE(name, actions, transitions) \
	"{\"name\":\"" name "\",\"actions\":[" actions "],\"transitions\":[" transitions "]}"
#define TO(state) "{\"state_name\":\"" state "\"}"
#define TO_IF(state, condition, age) \
	"{\"state_name\":\"" state "\",\"conditions\":{\"" condition "\":\"" age "\"}}"
#define ROLLOVER "\"rollover\":{\"max_age\":\"1d\"}"
#define ROLLED "{\"rollover\":{\"min_index_age\":\"1d\"}}"

static const struct {
	const char *phases, *states;
	const char *warns; /* words of a warning; NULL: there is none */
} rows[] = {
	/* phases and ages */
	{"{}", STATE("start", "", ""), NULL},
	{"{\"delete\":{\"min_age\":\"5d\",\"actions\":{\"delete\":{}}},\"hot\":{\"actions\":{}}}",
	 STATE("hot", "", TO_IF("delete", "min_index_age", "5d")) "," STATE("delete",
									    "{\"delete\":{}}", ""),
	 NULL},
	{"{\"hot\":{},\"warm\":{\"min_age\":\"0ms\"},\"cold\":{\"min_age\":\"7d\"},"
	 "\"frozen\":{\"min_age\":\"30d\"},\"delete\":{\"min_age\":\"90d\"}}",
	 STATE("hot", "", TO("warm")) "," STATE(
		 "warm", "",
		 TO_IF("cold", "min_index_age",
		       "7d")) "," STATE("cold", "",
					TO_IF("frozen", "min_index_age",
					      "30d")) "," STATE("frozen", "",
								TO_IF("delete", "min_index_age",
								      "90d")) "," STATE("delete",
											"", ""),
	 NULL},
	{"{\"warm\":{\"min_age\":\"3d\",\"actions\":{\"readonly\":{}}}}",
	 STATE("start", "",
	       TO_IF("warm", "min_index_age", "3d")) "," STATE("warm", "{\"read_only\":{}}", ""),
	 NULL},
	{"{\"hot\":{\"actions\":{" ROLLOVER "}},\"warm\":{\"min_age\":\"0d\"},"
	 "\"delete\":{\"min_age\":\"2h\",\"actions\":{\"delete\":{}}}}",
	 STATE("hot", ROLLED, TO("warm")) "," STATE(
		 "warm", "", TO_IF("delete", "min_rollover_age", "2h")) "," STATE("delete",
										  "{\"delete\":{}}",
										  ""),
	 NULL},
	{"{\"hot\":{\"min_age\":\"1h\",\"actions\":{" ROLLOVER "}}}",
	 STATE("start", "", TO_IF("hot", "min_index_age", "1h")) "," STATE("hot", ROLLED, ""),
	 NULL},
	/* the order inside of a phase */
	{"{\"hot\":{\"actions\":{\"searchable_snapshot\":{\"snapshot_repository\":\"r\"},"
	 "\"forcemerge\":{\"max_num_segments\":1},\"shrink\":{\"number_of_shards\":1},"
	 "\"readonly\":{}," ROLLOVER ",\"set_priority\":{\"priority\":100}}}}",
	 STATE("hot",
	       "{\"index_priority\":{\"priority\":100}}," ROLLED ",{\"read_only\":{}},"
	       "{\"shrink\":{\"num_new_shards\":1,\"target_index_name_template\":{\"source\":"
	       "\"{{ctx.index}}_shrunken\"}}},{\"force_merge\":{\"max_num_segments\":1}},"
	       "{\"snapshot\":{\"repository\":\"r\",\"snapshot\":\"{{ctx.index}}\"}}",
	       ""),
	 "_shrunken"},
	{"{\"warm\":{\"actions\":{\"forcemerge\":{\"max_num_segments\":2},"
	 "\"shrink\":{\"max_primary_shard_size\":\"50GB\"},"
	 "\"allocate\":{\"number_of_replicas\":1},\"readonly\":{},"
	 "\"set_priority\":{\"priority\":50}}}}",
	 STATE("warm",
	       "{\"index_priority\":{\"priority\":50}},{\"read_only\":{}},"
	       "{\"replica_count\":{\"number_of_replicas\":1}},{\"shrink\":{\"max_shard_size\":"
	       "\"50gb\",\"target_index_name_template\":{\"source\":\"{{ctx.index}}_shrunken\"}}},"
	       "{\"force_merge\":{\"max_num_segments\":2}}",
	       ""),
	 "neither deletes"},
	{"{\"cold\":{\"actions\":{\"allocate\":{\"number_of_replicas\":0},"
	 "\"searchable_snapshot\":{\"snapshot_repository\":\"r\"},\"readonly\":{},"
	 "\"set_priority\":{\"priority\":0}}}}",
	 STATE("cold",
	       "{\"index_priority\":{\"priority\":0}},{\"read_only\":{}},"
	       "{\"snapshot\":{\"repository\":\"r\",\"snapshot\":\"{{ctx.index}}\"}},"
	       "{\"replica_count\":{\"number_of_replicas\":0}}",
	       ""),
	 "stays on its nodes"},
	{"{\"frozen\":{\"actions\":{\"searchable_snapshot\":{\"snapshot_repository\":\"r\"}}}}",
	 STATE("frozen", "{\"snapshot\":{\"repository\":\"r\",\"snapshot\":\"{{ctx.index}}\"}}",
	       ""),
	 "register"},
	/* rollover */
	{"{\"hot\":{\"actions\":{\"rollover\":{\"max_age\":\"1d\",\"max_docs\":1000,"
	 "\"max_size\":\"1GB\",\"max_primary_shard_size\":\"50gb\"}}}}",
	 STATE("hot",
	       "{\"rollover\":{\"min_index_age\":\"1d\",\"min_doc_count\":1000,\"min_size\":"
	       "\"1gb\","
	       "\"min_primary_shard_size\":\"50gb\"}}",
	       ""),
	 NULL},
	{"{\"hot\":{\"actions\":{\"rollover\":{\"max_age\":\"1d\","
	 "\"max_primary_shard_docs\":10}}}}",
	 STATE("hot", ROLLED, ""), "max_primary_shard_docs"},
	{"{\"hot\":{\"actions\":{\"rollover\":{\"max_age\":\"1d\",\"min_docs\":1}}}}",
	 STATE("hot", ROLLED, ""), "min_docs"},
	/* one action a row */
	{"{\"hot\":{\"actions\":{\"set_priority\":{\"priority\":null}}}}", STATE("hot", "", ""),
	 NULL},
	{"{\"warm\":{\"actions\":{\"forcemerge\":{\"max_num_segments\":1,"
	 "\"index_codec\":\"best_compression\"}}}}",
	 STATE("warm", "{\"force_merge\":{\"max_num_segments\":1}}", ""), "index_codec"},
	{"{\"warm\":{\"actions\":{\"allocate\":{\"include\":{\"box\":\"a,b\"},\"exclude\":"
	 "{\"rack\":\"x\"},\"require\":{\"data\":\"warm\"}}}}}",
	 STATE("warm",
	       "{\"allocation\":{\"require\":{\"data\":\"warm\"},\"include\":{\"box\":\"a,b\"},"
	       "\"exclude\":{\"rack\":\"x\"}}}",
	       ""),
	 "--attr-map"},
	{"{\"warm\":{\"actions\":{\"allocate\":{\"number_of_replicas\":1,"
	 "\"total_shards_per_node\":2,\"include\":{},\"exclude\":{},\"require\":{}}}}}",
	 STATE("warm", "{\"replica_count\":{\"number_of_replicas\":1}}", ""),
	 "total_shards_per_node"},
	{"{\"warm\":{\"actions\":{\"migrate\":{\"enabled\":true}}}}", STATE("warm", "", ""), NULL},
	{"{\"cold\":{\"actions\":{\"freeze\":{}}}}", STATE("cold", "", ""), NULL},
	{"{\"hot\":{\"actions\":{\"unfollow\":{}}}}", STATE("hot", "", ""), NULL},
	{"{\"hot\":{\"actions\":{" ROLLOVER ",\"downsample\":{\"fixed_interval\":\"1h\"}}}}",
	 STATE("hot", ROLLED, ""), "rollup"},
	{"{\"delete\":{\"actions\":{\"wait_for_snapshot\":{\"policy\":\"nightly\"},"
	 "\"delete\":{\"delete_searchable_snapshot\":true}}}}",
	 STATE("delete", "{\"delete\":{}}", ""), "nightly"},
	{"{\"hot\":{\"actions\":{\"teleport\":{}}},\"lukewarm\":{}}", STATE("hot", "", ""),
	 "teleport"},
};

static void every_row_of_the_table_becomes_what_the_reference_says(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char source[2000], expected[2000];
		struct conversion c;
		bool warned = false;

		snprintf(source, sizeof(source), "{\"policy\":{\"phases\":%s}}", rows[i].phases);
		snprintf(expected, sizeof(expected), "[%s]", rows[i].states);
		c = start(METADATA_LIFECYCLE_POLICY, source, ES_7_10);
		apply(&c, &options);
		assert_int_not_equal(c.item->outcome, OUTCOME_BLOCKED);
		assert_valid_ism(c.item->result);
		assert_string_equal(
			text_of(&c, json_path(c.item->result, "policy", "states", NULL)), expected);
		for (size_t j = 0; j < c.item->note_count; j++)
			warned |= c.item->notes[j].level == NOTE_WARN;
		assert_int_equal(warned, rows[i].warns != NULL);
		if (rows[i].warns && !has_note(c.item, NOTE_WARN, rows[i].warns))
			fail_msg("no warning says %s", rows[i].warns);
		finish(&c);
	}
}

static void the_policy_product_becomes_two_states(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};
	struct conversion c = start(
		METADATA_LIFECYCLE_POLICY,
		"{\"policy\":{\"phases\":{\"hot\":{\"min_age\":\"0ms\",\"actions\":{\"rollover\":"
		"{\"max_size\":\"1GB\",\"max_age\":\"1d\",\"max_docs\":1000}}},\"delete\":"
		"{\"min_age\":\"2h\",\"actions\":{\"delete\":{}}}}}}",
		ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_string_equal(
		text_of(&c, c.item->result),
		"{\"policy\":{\"description\":\"Converted from the ILM policy p\","
		"\"default_state\":\"hot\",\"states\":["
		"{\"name\":\"hot\",\"actions\":[{\"rollover\":{\"min_size\":\"1gb\","
		"\"min_index_age\":\"1d\",\"min_doc_count\":1000}}],\"transitions\":"
		"[{\"state_name\":\"delete\",\"conditions\":{\"min_rollover_age\":\"2h\"}}]},"
		"{\"name\":\"delete\",\"actions\":[{\"delete\":{}}],\"transitions\":[]}]}}");
	finish(&c);
}

static void a_description_tells_what_ism_has_no_place_for(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};
	struct conversion c = start(METADATA_LIFECYCLE_POLICY,
				    "{\"policy\":{\"phases\":{\"hot\":{}},\"deprecated\":true,"
				    "\"_meta\":{\"owner\":\"me\"}}}",
				    ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_string_equal(text_of(&c, json_path(c.item->result, "policy", "description", NULL)),
			    "\"Converted from the ILM policy p; deprecated; _meta: "
			    "{\\\"owner\\\":\\\"me\\\"}\"");
	finish(&c);
}

static void a_rollover_of_which_nothing_is_left_blocks_the_policy(void **state)
{
	static const char *const policies[] = {
		"{\"policy\":{\"phases\":{\"hot\":{\"actions\":{\"rollover\":"
		"{\"max_primary_shard_docs\":5}}}}}}",
		"{\"policy\":{\"phases\":{\"hot\":{\"actions\":{\"downsample\":{}}},\"warm\":"
		"{\"actions\":{\"downsample\":{}}}}}}",
		"{\"policy\":{}}",
	};
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(policies); i++) {
		struct conversion c = start(METADATA_LIFECYCLE_POLICY, policies[i], ES_7_10);

		apply(&c, &options);
		assert_int_equal(c.item->outcome, OUTCOME_BLOCKED);
		assert_true(c.item->reason.len > 0);
		finish(&c);
	}
}

static void what_an_early_ism_lacks_is_dropped(void **state)
{
	const struct rule_options options = {.target = {CLUSTER_OPENSEARCH, 1, 0, 0, false, false},
					     .replicas = -1};
	struct conversion c = start(
		METADATA_LIFECYCLE_POLICY,
		"{\"policy\":{\"phases\":{\"hot\":{\"actions\":{\"rollover\":{\"max_age\":\"1d\","
		"\"max_primary_shard_size\":\"5gb\"},\"shrink\":{\"number_of_shards\":1}}}}}}",
		ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_string_equal(text_of(&c, json_path(c.item->result, "policy", "states", NULL)),
			    "[" STATE("hot", ROLLED, "") "]");
	assert_true(has_note(c.item, NOTE_WARN, "max_primary_shard_size"));
	assert_true(has_note(c.item, NOTE_WARN, "1.3"));
	finish(&c);
}

static void attributes_and_tiers_are_translated_as_asked(void **state)
{
	static const char *tiers[] = {"warm=temp:warm", "cold=temp:cold"};
	static const char *map[] = {"data=temp", "box:a=rack:b"};
	const struct opt_list tier_list = {tiers, 2}, map_list = {map, 2};
	const struct rule_options options = {.target = OS_2_19,
					     .replicas = -1,
					     .tier_attributes = &tier_list,
					     .attribute_map = &map_list};
	struct conversion c =
		start(METADATA_LIFECYCLE_POLICY,
		      "{\"policy\":{\"phases\":{\"warm\":{\"actions\":{}},\"cold\":{\"actions\":"
		      "{\"allocate\":{\"require\":{\"data\":\"cold\",\"box\":\"a\"}}}}}}}",
		      ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_valid_ism(c.item->result);
	assert_string_equal(text_of(&c, json_path(c.item->result, "policy", "states", NULL)),
			    "[" STATE("warm", "{\"allocation\":{\"require\":{\"temp\":\"warm\"}}}",
				      TO("cold")) "," STATE("cold",
							    "{\"allocation\":{\"require\":{"
							    "\"temp\":\"cold\",\"rack\":\"b\"}}}",
							    "") "]");
	finish(&c);
}

static void a_migrate_that_is_off_moves_nothing(void **state)
{
	static const char *tiers[] = {"warm=temp:warm"};
	const struct opt_list tier_list = {tiers, 1};
	const struct rule_options options = {
		.target = OS_2_19, .replicas = -1, .tier_attributes = &tier_list};
	struct conversion c = start(METADATA_LIFECYCLE_POLICY,
				    "{\"policy\":{\"phases\":{\"warm\":{\"actions\":{\"migrate\":"
				    "{\"enabled\":false}}}}}}",
				    ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_string_equal(text_of(&c, json_path(c.item->result, "policy", "states", NULL)),
			    "[" STATE("warm", "", "") "]");
	finish(&c);
}

#define SLM(schedule)                                                          \
	"{\"policy\":{\"name\":\"<snap-{now/d}>\",\"schedule\":\"" schedule    \
	"\",\"repository\":\"r\",\"config\":{\"indices\":[\"a-*\",\"b\"],"     \
	"\"include_global_state\":false,\"feature_states\":[]},\"retention\":" \
	"{\"expire_after\":\"30d\",\"min_count\":5,\"max_count\":50}}}"

static void add_index(struct conversion *c, const char *name, const char *aliases)
{
	struct json *settings = NULL, *value = NULL, *body = json_new(&c->set.mem, JSON_OBJECT);
	struct err err = {0};

	assert_int_equal(
		json_parse(STR("{\"lifecycle\":{\"name\":\"p\"}}"), &c->set.mem, &settings, &err),
		0);
	assert_int_equal(json_parse(str_from(aliases), &c->set.mem, &value, &err), 0);
	json_set(body, STR("settings"), settings);
	json_set(body, STR("aliases"), value);
	metadata_set_add(&c->set, METADATA_INDEX, str_from(name), body);
}

static void what_shrinks_keeps_the_aliases_that_all_of_its_indices_have(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};
	struct conversion c = start(METADATA_LIFECYCLE_POLICY,
				    "{\"policy\":{\"phases\":{\"warm\":{\"actions\":{"
				    "\"shrink\":{\"number_of_shards\":1}}}}}}",
				    ES_7_10);
	const struct json *states, *shrink;

	(void)state;
	add_index(&c, "a", "{\"all\":{\"is_write_index\":false},\"one\":{},\"f\":{\"filter\":{}}}");
	add_index(&c, "b", "{\"f\":{},\"all\":{\"is_write_index\":true}}");
	metadata_set_sort(&c.set);
	apply(&c, &options);
	states = json_path(c.item->result, "policy", "states", NULL);
	shrink = json_get(json_get(states->last, "actions")->first, "shrink");
	assert_string_equal(text_of(&c, json_get(shrink, "aliases")), "[{\"all\":{}}]");
	assert_valid_ism(c.item->result);
	finish(&c);
}

static void a_snapshot_that_is_waited_for_is_taken_before_deletion(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};
	struct conversion c = start(METADATA_LIFECYCLE_POLICY,
				    "{\"policy\":{\"phases\":{\"delete\":{\"actions\":{"
				    "\"wait_for_snapshot\":{\"policy\":\"nightly\"},"
				    "\"delete\":{}}}}}}",
				    ES_7_10);
	struct json *slm = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(json_parse(STR(SLM("0 30 1 * * ?")), &c.set.mem, &slm, &err), 0);
	metadata_set_add(&c.set, METADATA_SNAPSHOT_POLICY, STR("nightly"), slm);
	metadata_set_sort(&c.set);
	apply(&c, &options);
	assert_string_equal(
		text_of(&c, json_path(c.item->result, "policy", "states", NULL)),
		"[" STATE("delete",
			  "{\"snapshot\":{\"repository\":\"r\",\"snapshot\":\"{{ctx.index}}\"}},"
			  "{\"delete\":{}}",
			  "") "]");
	assert_valid_ism(c.item->result);
	finish(&c);
}

static void a_snapshot_policy_becomes_one_of_opensearch(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};
	struct conversion c = start(METADATA_SNAPSHOT_POLICY, SLM("0 30 1 ? * 2-6"), ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_string_equal(
		text_of(&c, c.item->result),
		"{\"description\":\"Converted from the SLM policy p\",\"creation\":{\"schedule\":"
		"{\"cron\":{\"expression\":\"30 1 * * 1-5\",\"timezone\":\"UTC\"}}},"
		"\"deletion\":{\"condition\":{\"max_age\":\"30d\",\"max_count\":50,"
		"\"min_count\":5}},\"snapshot_config\":{\"indices\":\"a-*,b\","
		"\"repository\":\"r\",\"include_global_state\":false}}");
	assert_true(has_note(c.item, NOTE_WARN, "feature_states"));
	finish(&c);
}

static void schedules_that_cron_cannot_say_block(void **state)
{
	static const struct {
		const char *source;
		int major, minor;
	} blocked[] = {
		{SLM("0 0 1 L * ?"), 2, 19},      {SLM("0 0 1 ? * 6#3"), 2, 19},
		{SLM("0 0 1 15W * ?"), 2, 19},    {SLM("30m"), 2, 19},
		{SLM("0 0 1 * * ? 2027"), 2, 19}, {SLM("0 30 1 * * ?"), 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocked); i++) {
		const struct rule_options options = {.target = {CLUSTER_OPENSEARCH,
								blocked[i].major, blocked[i].minor,
								0, false, false},
						     .replicas = -1};
		struct conversion c = start(METADATA_SNAPSHOT_POLICY, blocked[i].source, ES_7_10);

		apply(&c, &options);
		if (c.item->outcome != OUTCOME_BLOCKED)
			fail_msg("%s is not blocked", blocked[i].source);
		finish(&c);
	}
}

static void between_clusters_of_one_kind_only_read_only_keys_go(void **state)
{
	static const struct {
		enum metadata_kind kind;
		bool opensearch;
		const char *source, *expected;
	} copies[] = {
		{METADATA_LIFECYCLE_POLICY, false,
		 "{\"version\":3,\"modified_date\":\"2020\",\"in_use_by\":{},\"policy\":"
		 "{\"phases\":{\"cold\":{\"actions\":{\"freeze\":{}}}},\"_meta\":{\"a\":1}}}",
		 "{\"policy\":{\"phases\":{\"cold\":{\"actions\":{\"freeze\":{}}}},"
		 "\"_meta\":{\"a\":1}}}"},
		{METADATA_LIFECYCLE_POLICY, true,
		 "{\"policy\":{\"policy_id\":\"p\",\"description\":\"d\",\"last_updated_time\":1,"
		 "\"schema_version\":2,\"error_notification\":null,\"default_state\":\"s\","
		 "\"states\":[{\"name\":\"s\",\"actions\":[],\"transitions\":[]}],"
		 "\"ism_template\":[{\"index_patterns\":[\"a*\"],\"priority\":1,"
		 "\"last_updated_time\":1}],\"user\":{\"name\":\"u\"}}}",
		 "{\"policy\":{\"description\":\"d\",\"default_state\":\"s\",\"states\":"
		 "[{\"name\":\"s\",\"actions\":[],\"transitions\":[]}]}}"},
		{METADATA_SNAPSHOT_POLICY, false,
		 "{\"policy\":{\"schedule\":\"0 0 1 * * ?\",\"name\":\"n\"}}",
		 "{\"schedule\":\"0 0 1 * * ?\",\"name\":\"n\"}"},
		{METADATA_SNAPSHOT_POLICY, true,
		 "{\"sm_policy\":{\"name\":\"p\",\"description\":\"d\",\"schema_version\":1,"
		 "\"creation\":{},\"schedule\":{},\"enabled\":true,\"last_updated_time\":1,"
		 "\"enabled_time\":2}}",
		 "{\"description\":\"d\",\"creation\":{},\"enabled\":true}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(copies); i++) {
		const struct cluster_version both = copies[i].opensearch ? OS_2_19 : ES_7_10;
		const struct rule_options options = {.target = both, .replicas = -1};
		struct conversion c = start(copies[i].kind, copies[i].source, both);

		apply(&c, &options);
		assert_string_equal(text_of(&c, c.item->result), copies[i].expected);
		finish(&c);
	}
}

static void from_opensearch_to_elasticsearch_policies_are_blocked(void **state)
{
	static const enum metadata_kind kinds[] = {METADATA_LIFECYCLE_POLICY,
						   METADATA_SNAPSHOT_POLICY};
	const struct rule_options options = {.target = ES_7_10, .replicas = -1};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct conversion c = start(kinds[i], "{\"policy\":{\"states\":[]}}", OS_2_19);

		apply(&c, &options);
		assert_int_equal(c.item->outcome, OUTCOME_BLOCKED);
		assert_true(c.item->reason.len > 0);
		finish(&c);
	}
}

static void settings_keep_the_rollover_alias_and_lose_the_rest(void **state)
{
	const struct rule_options options = {.target = OS_2_19, .replicas = -1};
	struct conversion c = start(
		METADATA_INDEX,
		"{\"settings\":{\"lifecycle\":{\"name\":\"p\",\"rollover_alias\":\"logs\","
		"\"indexing_complete\":\"true\",\"origination_date\":\"1700000000000\","
		"\"step\":{\"wait_time_threshold\":\"12h\"}}},\"mappings\":{},\"aliases\":{}}",
		ES_7_10);

	(void)state;
	apply(&c, &options);
	assert_string_equal(text_of(&c, json_get(c.item->result, "settings")),
			    "{\"plugins\":{\"index_state_management\":{\"rollover_alias\":\"logs\","
			    "\"rollover_skip\":true}}}");
	assert_true(has_note(c.item, NOTE_INFO, "1700000000000"));
	finish(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_becomes_what_the_reference_says),
		cmocka_unit_test(the_policy_product_becomes_two_states),
		cmocka_unit_test(a_description_tells_what_ism_has_no_place_for),
		cmocka_unit_test(a_rollover_of_which_nothing_is_left_blocks_the_policy),
		cmocka_unit_test(what_an_early_ism_lacks_is_dropped),
		cmocka_unit_test(attributes_and_tiers_are_translated_as_asked),
		cmocka_unit_test(a_migrate_that_is_off_moves_nothing),
		cmocka_unit_test(what_shrinks_keeps_the_aliases_that_all_of_its_indices_have),
		cmocka_unit_test(a_snapshot_that_is_waited_for_is_taken_before_deletion),
		cmocka_unit_test(a_snapshot_policy_becomes_one_of_opensearch),
		cmocka_unit_test(schedules_that_cron_cannot_say_block),
		cmocka_unit_test(between_clusters_of_one_kind_only_read_only_keys_go),
		cmocka_unit_test(from_opensearch_to_elasticsearch_policies_are_blocked),
		cmocka_unit_test(settings_keep_the_rollover_alias_and_lose_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
