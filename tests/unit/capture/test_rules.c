#include "capture/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool mutates(const char *method, const char *target)
{
	return request_is_mutating(str_from(method), str_from(target));
}

static void requests_that_write_wait(void **state)
{
	static const char *const targets[] = {
		"/i/_doc",
		"/_bulk",
		"/_bulk?refresh=true",
		"/i/_update/1",
		"/i/_doc/_search",
		"/i/_delete_by_query",
		"/_reindex",
		"/_aliases",
		"/i/_refresh",
		"/_scripts/_search",
		"/i/_create/_count",
		"/i/type/1",
		"/",
		"/_snapshot/r/s/_restore",
		"*",
		"http://_search/i/_doc",
		"/_plugins/_security/api/roles/x",
		"/i%2F_search",
		"/_search/template/stored",
		"/_plugins/_query/_datasources",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		assert_true(mutates("POST", targets[i]));
	assert_true(mutates("PUT", "/i/_search"));
	assert_true(mutates("PATCH", "/_plugins/_security/api/roles"));
	assert_true(mutates("DELETE", "/i/_doc/1"));
}

static void what_deletes_below_an_end_point_that_reads_waits(void **state)
{
	static const char *const targets[] = {
		"/i/_query",
		"/i/type/_query?q=x",
		"/_query",
		"/_search/pipeline/p",
		"/_search/template/stored",
		"/i/type/_search",
		"/_search",
		"/_pits",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		assert_true(mutates("DELETE", targets[i]));
}

static void requests_that_read_do_not(void **state)
{
	static const char *const targets[] = {
		"/_search",
		"/i/_search?q=x",
		"/i/type/_search",
		"/_search/scroll",
		"/_msearch",
		"/_msearch/template",
		"/i/_count",
		"/_mget",
		"/i/_field_caps",
		"/i/_validate/query?explain=true",
		"/i/_explain/1",
		"/i/_termvectors/1",
		"/i/_mtermvectors",
		"/i/_rank_eval",
		"/_analyze",
		"/_render/template",
		"/i/_search/point_in_time?keep_alive=1m",
		"/i/_pit",
		"/_plugins/_sql",
		"/_all/_search",
		"/_search/template",
		"/i/_search/template",
		"/_query",
		"/_query/async?x=y",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(targets); i++)
		assert_false(mutates("POST", targets[i]));
	assert_false(mutates("GET", "/_bulk"));
	assert_false(mutates("HEAD", "/i"));
	assert_false(mutates("OPTIONS", "/"));
	assert_false(mutates("DELETE", "/_search/scroll"));
	assert_false(mutates("DELETE", "/_search/scroll/id"));
	assert_false(mutates("DELETE", "/_search/point_in_time/_all"));
	assert_false(mutates("DELETE", "/_pit"));
	assert_false(mutates("DELETE", "/_async_search/id"));
}

static struct suppress_rules *rules_of(const struct suppress_options *options)
{
	struct suppress_rules *rules = NULL;
	struct err err = {0};

	if (suppress_rules_new(options, &rules, &err) < 0)
		fail_msg("%s", err.message);
	return rules;
}

static bool match(const struct suppress_rules *rules, const char *method, const char *target,
		  const char *head)
{
	return suppress_rules_match(rules, str_from(method), str_from(target), str_from(head));
}

static void an_expression_matches_in_full(void **state)
{
	static const char *const headers[] = {"X-Probe", "y.*"};
	struct suppress_rules *rules =
		rules_of(&(struct suppress_options){.method = "HEAD|OPTIONS",
						    .target = "/_cat/.*",
						    .method_target = "GET /_nodes.*",
						    .headers = headers,
						    .header_count = 2});

	(void)state;
	assert_true(match(rules, "HEAD", "/", "HEAD / HTTP/1.1\r\n\r\n"));
	assert_false(match(rules, "HEADS", "/", "HEADS / HTTP/1.1\r\n\r\n"));
	assert_true(match(rules, "GET", "/_cat/indices?v", "GET / HTTP/1.1\r\n\r\n"));
	assert_false(match(rules, "GET", "/x/_cat/indices", "GET / HTTP/1.1\r\n\r\n"));
	assert_true(match(rules, "GET", "/_nodes/stats", "GET / HTTP/1.1\r\n\r\n"));
	assert_false(match(rules, "POST", "/_nodes", "POST / HTTP/1.1\r\n\r\n"));
	assert_true(match(rules, "GET", "/", "GET / HTTP/1.1\r\nx-probe:  yes \r\n\r\n"));
	assert_false(match(rules, "GET", "/", "GET / HTTP/1.1\r\nx-probe: no y\r\n\r\n"));
	assert_false(match(NULL, "GET", "/", ""));
	suppress_rules_free(rules);
}

static void a_wrong_expression_is_named(void **state)
{
	struct suppress_rules *rules = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		suppress_rules_new(&(struct suppress_options){.target = "a("}, &rules, &err),
		-ERR_USAGE);
	assert_non_null(
		strstr(err.message, "--suppress-capture-for-uri-path: the expression 'a('"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_that_write_wait),
		cmocka_unit_test(what_deletes_below_an_end_point_that_reads_waits),
		cmocka_unit_test(requests_that_read_do_not),
		cmocka_unit_test(an_expression_matches_in_full),
		cmocka_unit_test(a_wrong_expression_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
