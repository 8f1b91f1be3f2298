#include "verify/tuple_compare.h"

#include "verify/tuple_endpoint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void on_difference(void *user, enum tuple_difference kind, struct str path,
			  struct str source, struct str target)
{
	(void)source;
	(void)target;
	buf_printf(user, "%s at " STR_FMT "; ", tuple_difference_name(kind), STR_ARG(path));
}

static void assert_differences_by(const struct tuple_rules *rules, const char *uri, const char *a,
				  const char *b, const char *expected)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(4));
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct tuple_message request = {.method = STR("POST"), .uri = str_from(uri)};
	struct tuple_message answers[2] = {{.status = 200}, {.status = 200}};
	const char *bodies[2] = {a, b};
	struct json *values[2];
	struct err err = {0};

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(json_parse(str_from(bodies[i]), &mem, &values[i], &err), 0);
		answers[i].json = values[i];
		if (json_get(values[i], "error"))
			answers[i].status = 400;
	}
	assert_true(tuple_compare(rules, &request, &answers[0], &answers[1], &mem, on_difference,
				  &text, &err) >= 0);
	assert_string_equal(buf_cstr(&text), expected);
}

static void assert_differences(const char *a, const char *b, const char *expected)
{
	const struct tuple_rules rules = {.score_tolerance = TUPLE_SCORE_TOLERANCE};

	assert_differences_by(&rules, "/i/_search", a, b, expected);
}

#define HITS(list) "{\"hits\":{\"hits\":[" list "]}}"
#define HIT(id, score) "{\"_id\":\"" id "\",\"_score\":" score "}"

static void what_depends_on_the_moment_does_not_count(void **state)
{
	(void)state;
	assert_differences("{\"took\":1,\"_shards\":{\"total\":1},\"_scroll_id\":\"a\"}",
			   "{\"took\":2,\"_scroll_id\":\"b\"}", "");
	assert_differences("{\"_source\":{\"took\":1}}", "{\"_source\":{\"took\":2}}",
			   "document field at _source.took; ");
	assert_differences("{\"a\":1,\"b\":[2,1.50]}", "{\"b\":[2.0,15e-1],\"a\":1e0}", "");
	assert_differences("{\"a\":\"1\"}", "{\"a\":1}", "changed field at a; ");
}

static void hits_are_found_wherever_they_stand(void **state)
{
	(void)state;
	assert_differences(HITS(HIT("1", "2.0") "," HIT("2", "2.0") "," HIT("3", "1.0")),
			   HITS(HIT("2", "2.0") "," HIT("1", "2.00001") "," HIT("3", "1.0")), "");
	assert_differences(HITS(HIT("1", "2.0") "," HIT("3", "1.0")),
			   HITS(HIT("3", "1.0") "," HIT("1", "2.0")),
			   "order of hits at hits.hits; ");
	assert_differences(HITS(HIT("1", "2.0") "," HIT("3", "1.0")),
			   HITS(HIT("1", "2.0") "," HIT("3", "1.0") "," HIT("4", "0.5")),
			   "extra hit at hits.hits[2]; ");
	assert_differences(HITS(HIT("1", "2.0") "," HIT("3", "1.0")),
			   HITS(HIT("0", "2.0") "," HIT("3", "1.0")),
			   "missing hit at hits.hits[0]; extra hit at hits.hits[0]; ");
	assert_differences(HITS(HIT("1", "2.0") "," HIT("3", "1.0")),
			   HITS(HIT("1", "2.0") "," HIT("4", "0.5")),
			   "missing hit at hits.hits[1]; extra hit at hits.hits[1]; ");
	assert_differences(HITS(HIT("1", "2.0")), HITS(HIT("1", "2.1")),
			   "score at hits.hits[0]._score; ");
	assert_differences(HITS(HIT("1", "2.0")), HITS(HIT("1", "null")),
			   "score at hits.hits[0]._score; ");
}

static void a_page_may_end_with_any_hit_of_the_last_rank(void **state)
{
	(void)state;
	assert_differences(HITS(HIT("1", "2.0") "," HIT("2", "1.0")),
			   HITS(HIT("1", "2.0") "," HIT("3", "1.0")), "");
	assert_differences(HITS(HIT("1", "2.0") "," HIT("2", "1.0")), HITS(HIT("1", "2.0")),
			   "missing hit at hits.hits[1]; ");
}

static void totals_of_either_form_are_compared(void **state)
{
	(void)state;
	assert_differences("{\"hits\":{\"total\":5,\"hits\":[]}}",
			   "{\"hits\":{\"total\":{\"value\":5,\"relation\":\"eq\"},\"hits\":[]}}",
			   "");
	assert_differences("{\"hits\":{\"total\":5,\"hits\":[]}}",
			   "{\"hits\":{\"total\":{\"value\":5,\"relation\":\"gte\"},\"hits\":[]}}",
			   "total of hits at hits.total; ");
	assert_differences("{\"hits\":{\"total\":5,\"hits\":[]}}", "{\"hits\":{\"hits\":[]}}",
			   "total of hits at hits.total; ");
}

#define BUCKETS(list) "{\"aggregations\":{\"t\":{\"buckets\":[" list "]}}}"
#define BUCKET(key, count) "{\"key\":" key ",\"doc_count\":" count "}"

static void buckets_are_found_by_their_keys(void **state)
{
	(void)state;
	assert_differences(BUCKETS(BUCKET("\"a\"", "2") "," BUCKET("\"b\"", "2")),
			   BUCKETS(BUCKET("\"b\"", "2") "," BUCKET("\"a\"", "2")), "");
	assert_differences(BUCKETS(BUCKET("1", "2")), BUCKETS(BUCKET("1.0", "2")), "");
	assert_differences(BUCKETS(BUCKET("1", "2")), BUCKETS(BUCKET("2", "2")),
			   "missing bucket at aggregations.t.buckets[0]; "
			   "extra bucket at aggregations.t.buckets[0]; ");
	assert_differences(BUCKETS(BUCKET("1", "2")), BUCKETS(BUCKET("1", "3")),
			   "aggregation value at aggregations.t.buckets[0].doc_count; ");
	assert_differences(BUCKETS(BUCKET("1", "3") "," BUCKET("2", "2")),
			   BUCKETS(BUCKET("2", "2") "," BUCKET("1", "3")),
			   "order of buckets at aggregations.t.buckets; ");
	assert_differences("{\"aggregations\":{\"s\":{\"value\":0.3}}}",
			   "{\"aggregations\":{\"s\":{\"value\":0.30000000000000004}}}", "");
}

#define BULK(items) "{\"took\":1,\"errors\":true,\"items\":[" items "]}"

static void bulk_items_are_compared_one_by_one(void **state)
{
	(void)state;
	assert_differences(BULK("{\"index\":{\"_id\":\"1\",\"status\":201}},"
				"{\"index\":{\"_id\":\"2\",\"status\":400,\"error\":"
				"{\"type\":\"a\",\"reason\":\"b\"}}}"),
			   BULK("{\"index\":{\"_id\":\"1\",\"status\":200}},"
				"{\"index\":{\"_id\":\"2\",\"status\":400,\"error\":"
				"{\"type\":\"c\",\"reason\":\"d\"}}}"),
			   "bulk item status at items[0].index.status; "
			   "bulk item error type at items[1].index.error.type; ");
	assert_differences(BULK("{\"index\":{\"status\":201}}"), BULK(""),
			   "number of bulk items at items; ");
}

static void refusals_are_compared_by_type(void **state)
{
	(void)state;
	assert_differences("{\"error\":{\"type\":\"a\",\"reason\":\"x\"}}",
			   "{\"error\":{\"type\":\"a\",\"reason\":\"y\"}}", "");
	assert_differences("{\"error\":{\"type\":\"a\"}}", "{\"error\":{\"type\":\"b\"}}",
			   "error type at error.type; ");
}

static void ids_of_points_in_time_do_not_count(void **state)
{
	const struct tuple_rules rules = {0};

	(void)state;
	assert_differences_by(&rules, "/i/_search/point_in_time?keep_alive=1m",
			      "{\"pit_id\":\"a\",\"creation_time\":1}",
			      "{\"pit_id\":\"b\",\"creation_time\":2}", "");
	assert_differences_by(&rules, "/i/_pit", "{\"id\":\"a\"}", "{\"id\":\"b\"}", "");
	assert_differences_by(&rules, "/i/_source/1", "{\"took\":1}", "{\"took\":2}",
			      "document field at took; ");
}

static void patterns_match_names_and_positions(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool ignored;
	} cases[] = {
		{"a.b", "a.b", true},
		{"a.b", "a.b.c[0]", true},
		{"a.b", "a", false},
		{"a.b", "a.bc", false},
		{"$.a.*", "a.x", true},
		{"a.*", "a", false},
		{"hits.hits[*]._source.s*n", "hits.hits[12]._source.seen", true},
		{"hits.hits[0]", "hits.hits[1]", false},
		{"**.uuid", "uuid", true},
		{"**.uuid", "a[3].b.uuid.x", true},
		{"a.**.z", "a.b.c.z", true},
		{"a.**.z", "b.c.z", false},
		{"**.a.b", "a.a.b", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct tuple_rules rules = {.ignored = &cases[i].pattern, .ignored_count = 1};

		if (tuple_rules_ignore(&rules, str_from(cases[i].path)) != cases[i].ignored)
			fail_msg("%s of %s", cases[i].pattern, cases[i].path);
	}
}

static void names_are_folded_out_of_paths(void **state)
{
	static const char *const cases[][2] = {
		{"/", "POST /"},
		{"/logs-1/_search?q=a/b", "POST /INDEX/_search"},
		{"/logs-1/_doc/_7?refresh", "POST /INDEX/_doc/ID"},
		{"/logs-1/doc/7", "POST /INDEX/TYPE/ID"},
		{"/logs-1/doc/7/_update", "POST /INDEX/TYPE/ID/_update"},
		{"/logs-1/doc/_search", "POST /INDEX/TYPE/_search"},
		{"/logs-1", "POST /INDEX"},
		{"/_bulk", "POST /_bulk"},
		{"/_search/scroll/abc", "POST /_search/scroll/NAME"},
		{"/_cluster/health/logs", "POST /_cluster/health/NAME"},
		{"/_snapshot/r/s", "POST /_snapshot/NAME/NAME"},
		{"/logs/_alias/x", "POST /INDEX/_alias/NAME"},
		{"http://h:9200/i/_count", "POST /INDEX/_count"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

		tuple_endpoint(&text, STR("POST"), str_from(cases[i][0]));
		assert_string_equal(buf_cstr(&text), cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_depends_on_the_moment_does_not_count),
		cmocka_unit_test(hits_are_found_wherever_they_stand),
		cmocka_unit_test(a_page_may_end_with_any_hit_of_the_last_rank),
		cmocka_unit_test(totals_of_either_form_are_compared),
		cmocka_unit_test(buckets_are_found_by_their_keys),
		cmocka_unit_test(bulk_items_are_compared_one_by_one),
		cmocka_unit_test(refusals_are_compared_by_type),
		cmocka_unit_test(ids_of_points_in_time_do_not_count),
		cmocka_unit_test(patterns_match_names_and_positions),
		cmocka_unit_test(names_are_folded_out_of_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
