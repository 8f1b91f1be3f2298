#include "verify/metadata_differences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct cluster_version source_version = {CLUSTER_ELASTICSEARCH, 7, 10, 2};
static const struct cluster_version target_version = {CLUSTER_OPENSEARCH, 2, 19, 0};

static void make_set(struct metadata_set *set, const struct cluster_version *version,
		     const char *body)
{
	struct json *parsed;

	metadata_set_init(set);
	set->version = *version;
	assert_int_equal(json_parse(str_from(body), &set->mem, &parsed, NULL), 0);
	assert_non_null(metadata_set_add(set, METADATA_INDEX, STR("books"), parsed));
}

/* The places that differ, joined by ", ". */
static void compare(const char *source, const char *target, int64_t replicas, struct buf *out,
		    uint64_t *unclear)
{
	const struct verify_pair pair = {STR("books"), STR("books")};
	const struct rule_options rules = {
		.target = target_version, .replicas = replicas, .awareness_attributes = 1};
	struct metadata_set a, b;
	struct verify_findings findings;
	struct err err = {0};

	make_set(&a, &source_version, source);
	make_set(&b, &target_version, target ? target : "{}");
	if (!target)
		b.count = 0;
	verify_findings_init(&findings, 100);
	assert_int_equal(metadata_differences(&a, &b, &pair, 1, &rules, &findings, &err), 0);
	assert_int_equal(findings.compared, 1);
	for (size_t i = 0; i < findings.count; i++)
		buf_printf(out, "%s" STR_FMT, i ? ", " : "", STR_ARG(findings.items[i].where));
	*unclear = findings.unclear;
	verify_findings_release(&findings);
	metadata_set_release(&a);
	metadata_set_release(&b);
}

static void assert_differ(const char *source, const char *target, const char *expected)
{
	cleanup(buf_release) struct buf places = BUF_INIT(KIB(64));
	uint64_t unclear;

	compare(source, target, -1, &places, &unclear);
	assert_string_equal(buf_cstr(&places), expected);
	assert_int_equal(unclear, 0);
}

static void what_means_the_same_is_no_difference(void **state)
{
	(void)state;
	assert_differ(
		"{\"settings\":{\"number_of_shards\":\"2\",\"number_of_replicas\":\"1\","
		"\"uuid\":\"a\",\"creation_date\":\"1\"},\"mappings\":{\"properties\":"
		"{\"t\":{\"type\":\"text\"},\"o\":{\"properties\":{\"n\":{\"type\":\"long\"}}}}}}",
		"{\"settings\":{\"number_of_shards\":2,\"number_of_replicas\":\"0\","
		"\"uuid\":\"b\",\"refresh_interval\":\"1s\"},\"mappings\":{\"dynamic\":\"true\","
		"\"properties\":{\"o\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
		"\"long\",\"index\":true}}},\"t\":{\"store\":false,\"type\":\"text\"}}}}",
		"");
}

static void what_means_something_else_is_named(void **state)
{
	(void)state;
	assert_differ("{\"settings\":{\"number_of_shards\":\"2\"},\"mappings\":{\"properties\":"
		      "{\"t\":{\"type\":\"text\"},\"k\":{\"type\":\"keyword\"}}}}",
		      "{\"settings\":{\"number_of_shards\":\"3\",\"refresh_interval\":\"-1\"},"
		      "\"mappings\":{\"dynamic\":\"strict\",\"properties\":{\"t\":{\"type\":"
		      "\"keyword\"},\"x\":{\"type\":\"object\"}}}}",
		      "settings.number_of_shards, settings.refresh_interval, "
		      "mappings.properties.t.type, mappings.properties.k, mappings.properties.x, "
		      "mappings.dynamic");
}

static void copies_count_when_it_is_said_how_many(void **state)
{
	static const char source[] =
		"{\"settings\":{\"number_of_replicas\":\"1\"},\"mappings\":{}}";
	static const char target[] =
		"{\"settings\":{\"number_of_replicas\":\"0\"},\"mappings\":{}}";
	cleanup(buf_release) struct buf places = BUF_INIT(KIB(64));
	uint64_t unclear;

	(void)state;
	compare(source, target, 2, &places, &unclear);
	assert_string_equal(buf_cstr(&places), "settings.number_of_replicas");
	buf_reset(&places);
	compare(source, target, 0, &places, &unclear);
	assert_string_equal(buf_cstr(&places), "");
}

static void an_index_that_is_not_there_is_not_equal(void **state)
{
	cleanup(buf_release) struct buf places = BUF_INIT(KIB(64));
	uint64_t unclear;

	(void)state;
	compare("{\"settings\":{},\"mappings\":{}}", NULL, -1, &places, &unclear);
	assert_int_equal(unclear, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_the_same_is_no_difference),
		cmocka_unit_test(what_means_something_else_is_named),
		cmocka_unit_test(copies_count_when_it_is_said_how_many),
		cmocka_unit_test(an_index_that_is_not_there_is_not_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
