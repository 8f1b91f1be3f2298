#include "cluster/cluster_version.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena mem = ARENA_INIT(MIB(1));

static int release(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

static struct json *json(const char *text)
{
	struct err err = {0};
	struct json *v = NULL;

	if (json_parse(str_from(text), &mem, &v, &err) < 0)
		fail_msg("%s", err.message);
	return v;
}

static void assert_root_is(const char *root, const char *expected)
{
	struct cluster_version version;
	char text[64];

	assert_true(cluster_version_read_root(json(root), &version));
	cluster_version_print(&version, text, sizeof(text));
	assert_string_equal(text, expected);
}

static bool is_no_root(const char *root)
{
	struct cluster_version version;

	return !cluster_version_read_root(json(root), &version);
}

static void every_line_of_elasticsearch_is_recognised(void **state)
{
	(void)state;
	assert_root_is("{\"status\":200,\"name\":\"n\",\"cluster_name\":\"c\",\"version\":{"
		       "\"number\":\"1.7.6\",\"lucene_version\":\"4.10.4\"},"
		       "\"tagline\":\"You Know, for Search\"}",
		       "Elasticsearch 1.7.6");
	assert_root_is("{\"cluster_name\":\"c\",\"version\":{\"number\":\"5.6.16\"}}",
		       "Elasticsearch 5.6.16");
	assert_root_is("{\"version\":{\"number\":\"7.10.2\",\"build_flavor\":\"oss\","
		       "\"lucene_version\":\"8.7.0\"},\"tagline\":\"You Know, for Search\"}",
		       "Elasticsearch 7.10.2");
	assert_root_is("{\"version\":{\"number\":\"9.1.0\"},\"tagline\":\"You Know, for Search\"}",
		       "Elasticsearch 9.1.0");
}

static void opensearch_is_recognised_by_distribution_or_tagline(void **state)
{
	(void)state;
	assert_root_is("{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}",
		       "OpenSearch 2.19.6");
	assert_root_is("{\"version\":{\"number\":\"7.10.2\"},"
		       "\"tagline\":\"The OpenSearch Project: https://opensearch.org/\"}",
		       "OpenSearch 7.10.2");
}

static void a_qualifier_after_the_numbers_does_not_matter(void **state)
{
	(void)state;
	assert_root_is("{\"tagline\":\"\",\"version\":{\"number\":\"8.0.0-SNAPSHOT\"}}",
		       "Elasticsearch 8.0.0");
	assert_root_is("{\"tagline\":\"\",\"version\":{\"number\":\"7.10\"}}",
		       "Elasticsearch 7.10.0");
}

static void what_is_no_cluster_is_not_taken_for_one(void **state)
{
	(void)state;
	assert_true(is_no_root("{}"));
	assert_true(is_no_root("[]"));
	assert_true(is_no_root("\"7.10.2\""));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":\"7.10.2\"}"));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":{\"number\":7}}"));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":{\"number\":\"\"}}"));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":{\"number\":\"a.b\"}}"));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":{\"number\":\"1.2.3.4\"}}"));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":{\"number\":\"7.\"}}"));
	assert_true(is_no_root("{\"tagline\":\"x\",\"version\":{\"number\":\"99999999999.0.0\"}}"));
	/* Kibana, and whatever else has a version. */
	assert_true(is_no_root("{\"name\":\"kibana\",\"version\":{\"number\":\"7.10.2\"}}"));
}

static bool doubtful(const char *root)
{
	struct cluster_version version;

	assert_true(cluster_version_read_root(json(root), &version));
	return cluster_version_is_doubtful(json(root), &version);
}

static void only_7_10_2_without_a_distribution_is_doubtful(void **state)
{
	(void)state;
	assert_true(doubtful("{\"tagline\":\"x\",\"version\":{\"number\":\"7.10.2\"}}"));
	assert_false(doubtful("{\"tagline\":\"x\",\"version\":{\"number\":\"7.10.1\"}}"));
	assert_false(doubtful("{\"version\":{\"distribution\":\"opensearch\","
			      "\"number\":\"7.10.2\"}}"));
}

#define OVERRIDE "\"compatibility.override_main_response_version\":"

static void a_transient_setting_goes_before_a_persistent_one(void **state)
{
	(void)state;
	assert_true(cluster_version_is_overridden(json(
		"{\"persistent\":{" OVERRIDE "\"true\"},\"defaults\":{" OVERRIDE "\"false\"}}")));
	assert_false(cluster_version_is_overridden(json(
		"{\"transient\":{" OVERRIDE "\"false\"},\"persistent\":{" OVERRIDE "\"true\"}}")));
	assert_true(cluster_version_is_overridden(json("{\"defaults\":{" OVERRIDE "true}}")));
	assert_false(cluster_version_is_overridden(json("{\"defaults\":{}}")));
	assert_false(cluster_version_is_overridden(NULL));
}

static void the_lowest_version_of_the_nodes_counts(void **state)
{
	struct cluster_version version = {.flavour = CLUSTER_OPENSEARCH, .major = 7, .minor = 10};

	(void)state;
	assert_false(cluster_version_read_nodes(json("{\"nodes\":{}}"), &version));
	assert_false(cluster_version_read_nodes(NULL, &version));
	assert_int_equal(version.major, 7);
	assert_true(cluster_version_read_nodes(
		json("{\"nodes\":{\"a\":{\"version\":\"2.19.6\"},\"b\":{\"version\":\"2.4.1\"},"
		     "\"c\":{\"version\":\"2.11.0\"}}}"),
		&version));
	assert_int_equal(version.major, 2);
	assert_int_equal(version.minor, 4);
	assert_int_equal(version.patch, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_line_of_elasticsearch_is_recognised, release),
		cmocka_unit_test_teardown(opensearch_is_recognised_by_distribution_or_tagline,
					  release),
		cmocka_unit_test_teardown(a_qualifier_after_the_numbers_does_not_matter, release),
		cmocka_unit_test_teardown(what_is_no_cluster_is_not_taken_for_one, release),
		cmocka_unit_test_teardown(only_7_10_2_without_a_distribution_is_doubtful, release),
		cmocka_unit_test_teardown(a_transient_setting_goes_before_a_persistent_one,
					  release),
		cmocka_unit_test_teardown(the_lowest_version_of_the_nodes_counts, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
