#include "metadata/index_create.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct cluster_version opensearch_2 = {CLUSTER_OPENSEARCH, 2, 19, 6};
static const struct cluster_version elasticsearch_6 = {CLUSTER_ELASTICSEARCH, 6, 8, 23};

struct case_of_index {
	const char *settings, *mappings, *aliases;
	int32_t shards, routing_shards;
	struct index_create_options options;
};

static struct json *parse(const char *text, struct arena *mem)
{
	struct json *v = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), mem, &v, &err) < 0)
		fail_msg("%s in %s", err.message, text);
	return v;
}

static int make_body(const struct case_of_index *c, struct arena *mem, struct json **body,
		     struct str *changes, struct err *err)
{
	struct index_metadata metadata = {
		.name = STR("books"),
		.shard_count = c->shards,
		.routing_shard_count = c->routing_shards,
		.settings = parse(c->settings, mem),
		.mappings = parse(c->mappings, mem),
		.aliases = parse(c->aliases ? c->aliases : "{}", mem),
	};

	return index_create_body(&metadata, &c->options, mem, body, changes, err);
}

static void expect_body(const struct case_of_index *c, const char *body, const char *changes)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *made = NULL;
	struct err err = {0};
	struct str told;

	if (make_body(c, &mem, &made, &told, &err) < 0)
		fail_msg("%s", err.message);
	json_write(&text, made);
	if (!json_equal(made, parse(body, &mem)))
		fail_msg("made %s\ninstead of %s", buf_cstr(&text), body);
	assert_int_equal(told.len, strlen(changes));
	assert_memory_equal(told.ptr, changes, told.len);
}

static void expect_refusal(const struct case_of_index *c, const char *message)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *made = NULL;
	struct err err = {0};
	struct str told;

	assert_int_equal(make_body(c, &mem, &made, &told, &err), -ERR_UNSUPPORTED);
	assert_string_equal(err.message, message);
}

/* As Elasticsearch 6.8 wrote it. */
static void a_type_is_unwrapped_and_what_the_target_sets_itself_is_left_out(void **state)
{
	const struct case_of_index c = {
		.settings = "{\"index.analysis.analyzer.words.type\":\"custom\","
			    "\"index.analysis.analyzer.words.tokenizer\":\"standard\","
			    "\"index.compound_format\":\"false\","
			    "\"index.creation_date\":\"1795190135859\","
			    "\"index.number_of_replicas\":\"0\",\"index.number_of_shards\":\"3\","
			    "\"index.provided_name\":\"books\","
			    "\"index.uuid\":\"dtS4fOQjTxemNDbazXchqw\","
			    "\"index.soft_deletes.enabled\":\"false\","
			    "\"index.version.created\":\"6082399\","
			    "\"index.mapping.total_fields.limit\":\"2000\"}",
		.mappings = "{\"book\":{\"properties\":{\"title\":{\"type\":\"text\"}}}}",
		.aliases = "{\"in-print\":{\"filter\":{\"term\":{\"in_print\":true}},"
			   "\"index_routing\":\"r1\",\"search_routing\":\"r1\"},\"library\":{}}",
		.shards = 3,
		.routing_shards = 3,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_body(&c,
		    "{\"settings\":{\"index.analysis.analyzer.words.type\":\"custom\","
		    "\"index.analysis.analyzer.words.tokenizer\":\"standard\","
		    "\"index.compound_format\":\"false\",\"index.number_of_replicas\":\"0\","
		    "\"index.number_of_shards\":\"3\",\"index.number_of_routing_shards\":3,"
		    "\"index.mapping.total_fields.limit\":\"2000\"},"
		    "\"mappings\":{\"properties\":{\"title\":{\"type\":\"text\"}}},"
		    "\"aliases\":{\"in-print\":{\"filter\":{\"term\":{\"in_print\":true}},"
		    "\"index_routing\":\"r1\",\"search_routing\":\"r1\"},\"library\":{}}}",
		    "");
}

static void replicas_are_overridden_and_then_do_not_expand_by_themselves(void **state)
{
	const struct case_of_index c = {
		.settings = "{\"index.number_of_shards\":\"1\",\"index.number_of_replicas\":\"1\","
			    "\"index.auto_expand_replicas\":\"0-1\"}",
		.mappings = "{}",
		.shards = 1,
		.routing_shards = 1024,
		.options = {.target = opensearch_2, .replicas = 2},
	};

	(void)state;
	expect_body(
		&c,
		"{\"settings\":{\"index.number_of_shards\":\"1\",\"index.number_of_replicas\":2,"
		"\"index.number_of_routing_shards\":1024},\"mappings\":{},\"aliases\":{}}",
		"");
}

static void routing_shards_that_no_target_takes_are_not_sent(void **state)
{
	const struct case_of_index c = {
		.settings = "{}",
		.mappings = "{}",
		.shards = 3,
		.routing_shards = 1024,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_body(&c,
		    "{\"settings\":{\"index.number_of_shards\":3},\"mappings\":{},\"aliases\":{}}",
		    "");
}

static void what_the_user_chose_and_cannot_have_is_told(void **state)
{
	const struct case_of_index c = {
		.settings =
			"{\"index.number_of_shards\":\"1\",\"index.lifecycle.name\":\"p\","
			"\"index.default_pipeline\":\"clean\","
			"\"index.routing.allocation.include._tier_preference\":\"data_content\"}",
		.mappings = "{}",
		.shards = 1,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_body(
		&c,
		"{\"settings\":{\"index.number_of_shards\":\"1\"},\"mappings\":{},\"aliases\":{}"
		"}",
		"left out index.lifecycle.name: OpenSearch has no index lifecycle management; "
		"left out index.default_pipeline: it would run again over documents it has "
		"seen");
}

static void numbered_lists_of_elasticsearch_5_become_arrays(void **state)
{
	const struct case_of_index c = {
		.settings = "{\"index.number_of_shards\":\"1\","
			    "\"index.analysis.analyzer.a.filter.1\":\"stop\","
			    "\"index.analysis.analyzer.a.filter.0\":\"lowercase\","
			    "\"index.analysis.analyzer.a.filter.2\":\"snowball\"}",
		.mappings = "{}",
		.shards = 1,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_body(&c,
		    "{\"settings\":{\"index.number_of_shards\":\"1\","
		    "\"index.analysis.analyzer.a.filter\":[\"lowercase\",\"stop\",\"snowball\"]},"
		    "\"mappings\":{},\"aliases\":{}}",
		    "");
}

static void types_whose_fields_agree_become_one_mapping(void **state)
{
	const struct case_of_index c = {
		.settings = "{\"index.number_of_shards\":\"1\"}",
		.mappings = "{\"_default_\":{\"_all\":{\"enabled\":false}},"
			    "\"author\":{\"_all\":{\"enabled\":false},\"dynamic\":\"strict\","
			    "\"properties\":{\"name\":{\"type\":\"text\",\"include_in_all\":true},"
			    "\"home\":{\"properties\":{\"city\":{\"type\":\"keyword\"}}}}},"
			    "\"book\":{\"_routing\":{\"required\":true},\"properties\":{"
			    "\"include_in_all\":{\"type\":\"long\"},"
			    "\"name\":{\"include_in_all\":true,\"type\":\"text\"},"
			    "\"home\":{\"properties\":{\"zip\":{\"type\":\"keyword\"}}}}}}",
		.shards = 1,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_body(
		&c,
		"{\"settings\":{\"index.number_of_shards\":\"1\"},\"mappings\":{\"properties\":{"
		"\"name\":{\"type\":\"text\"},\"include_in_all\":{\"type\":\"long\"},"
		"\"home\":{\"properties\":{\"city\":{\"type\":\"keyword\"},"
		"\"zip\":{\"type\":\"keyword\"}}}}},\"aliases\":{}}",
		"left out dynamic: not all types have it");
}

static void types_that_define_a_field_differently_are_refused_by_name(void **state)
{
	const struct case_of_index c = {
		.settings = "{}",
		.mappings = "{\"author\":{\"properties\":{\"home\":{\"properties\":{\"zip\":{"
			    "\"type\":\"long\"}}}}},"
			    "\"book\":{\"properties\":{\"home\":{\"properties\":{\"zip\":{"
			    "\"type\":\"keyword\"}}}}}}",
		.shards = 1,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_refusal(&c, "types 'author' and 'book' define 'home.zip' differently, so they make "
			   "no one mapping; create the index on the target by hand and use "
			   "backfill");
}

static void a_parent_is_told_where_it_is_lost(void **state)
{
	const struct case_of_index c = {
		.settings = "{\"index.number_of_shards\":\"1\"}",
		.mappings = "{\"parent\":{\"properties\":{}},"
			    "\"child\":{\"_parent\":{\"type\":\"parent\"},\"properties\":{}}}",
		.shards = 1,
		.options = {.target = opensearch_2, .replicas = -1},
	};

	(void)state;
	expect_body(&c,
		    "{\"settings\":{\"index.number_of_shards\":\"1\"},\"mappings\":{"
		    "\"properties\":{}},\"aliases\":{}}",
		    "left out _parent: parent and child became the join field; children keep their "
		    "routing");
}

static void a_target_before_elasticsearch_7_gets_the_type_back(void **state)
{
	const struct case_of_index c = {
		.settings = "{\"index.number_of_shards\":\"1\",\"index.lifecycle.name\":\"p\"}",
		.mappings = "{\"book\":{\"properties\":{\"title\":{\"type\":\"text\"}}}}",
		.shards = 1,
		.options = {.target = elasticsearch_6, .replicas = -1},
	};

	(void)state;
	expect_body(
		&c,
		"{\"settings\":{\"index.number_of_shards\":\"1\",\"index.lifecycle.name\":\"p\"}"
		",\"mappings\":{\"book\":{\"properties\":{\"title\":{\"type\":\"text\"}}}},"
		"\"aliases\":{}}",
		"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_is_unwrapped_and_what_the_target_sets_itself_is_left_out),
		cmocka_unit_test(replicas_are_overridden_and_then_do_not_expand_by_themselves),
		cmocka_unit_test(routing_shards_that_no_target_takes_are_not_sent),
		cmocka_unit_test(what_the_user_chose_and_cannot_have_is_told),
		cmocka_unit_test(numbered_lists_of_elasticsearch_5_become_arrays),
		cmocka_unit_test(types_whose_fields_agree_become_one_mapping),
		cmocka_unit_test(types_that_define_a_field_differently_are_refused_by_name),
		cmocka_unit_test(a_parent_is_told_where_it_is_lost),
		cmocka_unit_test(a_target_before_elasticsearch_7_gets_the_type_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
