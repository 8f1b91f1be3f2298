/* _reindex and its tasks, against a cluster that answers what the test says. */
#include "cluster/reindex_api.h"

#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct stage {
	const char *root; /* version object */
	int status;
	const char *answer;
	char line[300], body[1000]; /* of the last request but that for the root */
	struct fake_server *server;
	struct cluster *cluster;
	struct arena mem;
} stage;

static void serve(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct str line, rest;

	(void)user;
	if (str_starts(request->head, STR("GET / "))) {
		fake_reply_json(reply, 200, stage.root);
		return;
	}
	str_split(request->head, '\r', &line, &rest);
	snprintf(stage.line, sizeof(stage.line), STR_FMT, STR_ARG(line));
	snprintf(stage.body, sizeof(stage.body), STR_FMT, STR_ARG(request->body));
	fake_reply_json(reply, stage.status, stage.answer);
}

static void connect_to(const char *root, int status, const char *answer)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 2, .max_total_ms = 60000};
	struct http_options http = {0};
	struct err err = {0};

	stage = (struct stage){
		.root = root, .status = status, .answer = answer, .mem = ARENA_INIT(MIB(1))};
	stage.server = fake_server_start(serve, NULL);
	http.host = fake_server_url(stage.server);
	if (cluster_connect(&http, &retry, &stage.cluster, &err) < 0)
		fail_msg("%s", err.message);
}

static int tear_down(void **state)
{
	(void)state;
	cluster_close(stage.cluster);
	fake_server_free(stage.server);
	arena_release(&stage.mem);
	return 0;
}

#define OPENSEARCH_2                                                                        \
	"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.0\"},\"tagline\":" \
	"\"\"}"
#define ELASTICSEARCH_7 "{\"version\":{\"number\":\"7.17.0\"},\"tagline\":\"You Know, for Search\"}"

static const struct reindex_remote remote = {.url = {"https://old:9200", 16},
					     .username = "reader",
					     .password = "se\"cret",
					     .socket_timeout_ms = 60000};

static void starts(const struct reindex_request *request, const char *line, const char *body)
{
	struct str task;
	struct err err = {0};

	if (reindex_start(stage.cluster, request, &stage.mem, &task, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(str_is(task, "n:12"));
	assert_string_equal(stage.line, line);
	assert_string_equal(stage.body, body);
}

static void a_remote_source_is_named_with_all_that_it_wants(void **state)
{
	const struct reindex_request request = {.from = STR("a"),
						.to = STR("b"),
						.remote = &remote,
						.query = STR("{\"match_all\":{}}"),
						.size = 500,
						.requests_per_second = 7};

	(void)state;
	connect_to(OPENSEARCH_2, 200, "{\"task\":\"n:12\"}");
	starts(&request, "POST /_reindex?wait_for_completion=false&requests_per_second=7 HTTP/1.1",
	       "{\"source\":{\"index\":\"a\",\"size\":500,\"query\":{\"match_all\":{}},"
	       "\"remote\":{\"host\":\"https://old:9200\",\"username\":\"reader\","
	       "\"password\":\"se\\\"cret\",\"socket_timeout\":\"60000ms\"}},"
	       "\"dest\":{\"index\":\"b\"}}");
}

static void where_there_are_types_all_documents_have_one(void **state)
{
	const struct reindex_request request = {
		.from = STR("a"), .to = STR("b"), .slices = 3, .create_only = true};

	(void)state;
	connect_to(ELASTICSEARCH_7, 200, "{\"task\":\"n:12\"}");
	starts(&request, "POST /_reindex?wait_for_completion=false&slices=3 HTTP/1.1",
	       "{\"source\":{\"index\":\"a\"},\"dest\":{\"index\":\"b\",\"type\":\"_doc\","
	       "\"op_type\":\"create\"},\"conflicts\":\"proceed\"}");
}

static struct reindex_task look(int status, const char *answer)
{
	struct reindex_task task;
	struct err err = {0};

	connect_to(OPENSEARCH_2, status, answer);
	if (reindex_look(stage.cluster, STR("n:12"), &stage.mem, &task, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(stage.line, "GET /_tasks/n%3A12 HTTP/1.1");
	return task;
}

static void a_task_that_runs_tells_how_far_it_is(void **state)
{
	struct reindex_task task =
		look(200, "{\"completed\":false,\"task\":{\"status\":{\"total\":9,\"created\":4,"
			  "\"updated\":1,\"version_conflicts\":2}}}");

	(void)state;
	assert_int_equal(task.state, REINDEX_RUNNING);
	assert_int_equal(task.total, 9);
	assert_int_equal(task.created + task.updated, 5);
	assert_int_equal(task.conflicts, 2);
}

static void a_task_that_nobody_knows_is_lost(void **state)
{
	(void)state;
	assert_int_equal(look(404, "{\"error\":{\"type\":\"resource_not_found_exception\"}}").state,
			 REINDEX_LOST);
}

static void failures_of_a_task_that_is_done_are_handed_on(void **state)
{
	struct reindex_task task = look(
		200, "{\"completed\":true,\"task\":{\"status\":{\"total\":9}},\"response\":{"
		     "\"total\":9,\"created\":8,\"failures\":[{\"id\":\"x\",\"cause\":{\"type\":"
		     "\"mapper_parsing_exception\",\"reason\":\"no\"}}]}}");

	(void)state;
	assert_int_equal(task.state, REINDEX_DONE);
	assert_int_equal(task.failures->count, 1);
	assert_null(task.error.ptr);
}

static void a_task_that_ended_early_says_why(void **state)
{
	(void)state;
	assert_true(str_is(look(200, "{\"completed\":true,\"error\":{\"type\":\"t\",\"reason\":"
				     "\"r\"}}")
				   .error,
			   "t: r"));
	tear_down(NULL);
	assert_true(str_is(look(200, "{\"completed\":true,\"response\":{\"total\":9,\"canceled\":"
				     "\"by user request\"}}")
				   .error,
			   "the task was cancelled: by user request"));
	tear_down(NULL);
	assert_true(str_is(look(200, "{\"completed\":true}").error,
			   "the task ended without an answer"));
}

static void a_task_is_found_by_what_it_reads_and_writes(void **state)
{
	struct str task;
	struct err err = {0};

	(void)state;
	connect_to(OPENSEARCH_2, 200,
		   "{\"nodes\":{\"n\":{\"tasks\":{"
		   "\"n:1\":{\"description\":\"reindex from [host=h][a] to [bb]\"},"
		   "\"n:2\":{\"description\":\"reindex from [host=h][a] to [b]\","
		   "\"parent_task_id\":\"n:3\"},"
		   "\"n:3\":{\"description\":\"reindex from [host=h][a] to [b]\"}}}}}");
	if (reindex_find(stage.cluster, STR("a"), STR("b"), &stage.mem, &task, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(str_is(task, "n:3"));
	if (reindex_find(stage.cluster, STR("a"), STR("c"), &stage.mem, &task, &err) < 0)
		fail_msg("%s", err.message);
	assert_null(task.ptr);
}

static void what_cannot_be_reindexed_is_known_before(void **state)
{
	const struct cluster_version es7 = {.flavour = CLUSTER_ELASTICSEARCH, .major = 7},
				     es8 = {.flavour = CLUSTER_ELASTICSEARCH, .major = 8},
				     os1 = {.flavour = CLUSTER_OPENSEARCH, .major = 1},
				     disguised = {.flavour = CLUSTER_OPENSEARCH,
						  .major = 1,
						  .compatibility_mode = true},
				     os2 = {.flavour = CLUSTER_OPENSEARCH, .major = 2};

	(void)state;
	assert_null(reindex_cannot(&es7, &os2));
	assert_null(reindex_cannot(&es8, &os2));
	assert_null(reindex_cannot(&es7, &os1));
	assert_null(reindex_cannot(&disguised, &es7));
	assert_non_null(strstr(reindex_cannot(&os1, &es7), "override_main_response_version"));
	assert_non_null(strstr(reindex_cannot(&os2, &es7), "_type"));
	assert_non_null(strstr(reindex_cannot(&es8, &os1), "_type"));
}

int main(void)
{
#define WITH_A_CLUSTER(test) cmocka_unit_test_setup_teardown(test, NULL, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_A_CLUSTER(a_remote_source_is_named_with_all_that_it_wants),
		WITH_A_CLUSTER(where_there_are_types_all_documents_have_one),
		WITH_A_CLUSTER(a_task_that_runs_tells_how_far_it_is),
		WITH_A_CLUSTER(a_task_that_nobody_knows_is_lost),
		WITH_A_CLUSTER(failures_of_a_task_that_is_done_are_handed_on),
		WITH_A_CLUSTER(a_task_that_ended_early_says_why),
		WITH_A_CLUSTER(a_task_is_found_by_what_it_reads_and_writes),
		cmocka_unit_test(what_cannot_be_reindexed_is_known_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
