#include "cluster/snapshot_api.h"

#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define assert_contains(text, part)                                  \
	do {                                                         \
		if (!strstr(text, part))                             \
			fail_msg("'%s' is not in '%s'", part, text); \
	} while (0)

static const struct cluster_retry quick = {
	.initial_delay_ms = 1, .max_delay_ms = 2, .max_total_ms = 60 * 1000};

/* Answers GET / as a cluster, and all else with one answer; keeps the last request line. */
struct stage {
	const char *root, *body;
	const char *progress; /* of _status, where it is another one */
	int status;
	char line[512], sent[512];
	struct fake_server *server;
	struct cluster *cluster;
	struct arena mem;
	struct err err;
};

static void copy(char out[512], struct str text)
{
	size_t length = MIN(text.len, (size_t)511);

	if (length > 0)
		memcpy(out, text.ptr, length);
	out[length] = '\0';
}

static void play(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct stage *stage = user;
	struct str line = request->head;

	if (str_starts(line, STR("GET / "))) {
		fake_reply_json(reply, 200, stage->root);
		return;
	}
	line.len = strcspn(line.ptr, "\r");
	copy(stage->line, line);
	copy(stage->sent, request->body);
	if (stage->progress && strstr(stage->line, "/_status "))
		fake_reply_json(reply, 200, stage->progress);
	else
		fake_reply_json(reply, stage->status, stage->body);
}

#define ROOT(flavour, number) \
	"{\"version\":{" flavour "\"number\":\"" number "\"},\"tagline\":\"\"}"
#define OPENSEARCH(number) ROOT("\"distribution\":\"opensearch\",", number)
#define ELASTICSEARCH(number) ROOT("\"build_flavor\":\"default\",", number)

static void begin(struct stage *stage, const char *root, int status, const char *body)
{
	struct http_options options = {0};

	*stage = (struct stage){
		.root = root, .status = status, .body = body, .mem = ARENA_INIT(MIB(1))};
	stage->server = fake_server_start(play, stage);
	options.host = fake_server_url(stage->server);
	if (cluster_connect(&options, &quick, &stage->cluster, &stage->err) < 0)
		fail_msg("%s", stage->err.message);
}

static void clear(struct stage *stage)
{
	cluster_close(stage->cluster);
	fake_server_free(stage->server);
	arena_release(&stage->mem);
}

static struct json *parse(struct arena *mem, const char *text)
{
	struct json *value = NULL;

	assert_int_equal(json_parse(str_from(text), mem, &value, NULL), 0);
	return value;
}

static void requests_name_the_repository_and_snapshot_encoded(void **state)
{
	cleanup(clear) struct stage s;
	struct snapshot_request request;
	struct json *answer;

	(void)state;
	begin(&s, OPENSEARCH("1.3.14"), 200, "{\"accepted\":true}");
	assert_int_equal(snapshot_request_restore(STR("a b"), STR("c/d"),
						  parse(&s.mem, "{\"indices\":\"x\"}"), &s.mem,
						  &request, &s.err),
			 0);
	assert_int_equal(snapshot_request_send(s.cluster, &request, &s.mem, &answer, &s.err), 0);
	assert_contains(s.line, "POST /_snapshot/a%20b/c%2Fd/_restore?wait_for_completion=false ");
	assert_string_equal(s.sent, "{\"indices\":\"x\"}");
	assert_true(json_bool_or(json_get(answer, "accepted"), false));
}

static void a_refusal_carries_the_reason_of_the_cluster(void **state)
{
	cleanup(clear) struct stage s;
	struct snapshot_request request;
	struct json *answer;

	(void)state;
	begin(&s, OPENSEARCH("1.3.14"), 404,
	      "{\"error\":{\"type\":\"repository_missing_exception\",\"reason\":\"[r] missing\"}}");
	assert_int_equal(snapshot_request_unregister(STR("r"), &s.mem, &request, &s.err), 0);
	assert_int_equal(snapshot_request_send(s.cluster, &request, &s.mem, &answer, &s.err),
			 -ERR_NOT_FOUND);
	assert_contains(s.err.message, "DELETE /_snapshot/r");
	assert_contains(s.err.message, "[r] missing");
}

static void the_status_is_read_in_both_its_forms(void **state)
{
	static const char *const forms[] = {
		"{\"snapshots\":[{\"state\":\"STARTED\",\"shards_stats\":{\"total\":4,\"done\":1},"
		"\"stats\":{\"incremental\":{\"size_in_bytes\":100},\"processed\":"
		"{\"size_in_bytes\":25}}}]}",
		"{\"snapshots\":[{\"state\":\"STARTED\",\"shards_stats\":{\"total\":4,\"done\":1},"
		"\"stats\":{\"total_size_in_bytes\":100,\"processed_size_in_bytes\":25}}]}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		cleanup(clear) struct stage s;
		struct snapshot_progress progress;

		begin(&s, ELASTICSEARCH("6.8.23"), 200, forms[i]);
		assert_int_equal(snapshot_api_status(s.cluster, STR("r"), STR("s"), &s.mem,
						     &progress, NULL, &s.err),
				 0);
		assert_int_equal(progress.bytes_total, 100);
		assert_int_equal(progress.bytes_done, 25);
		assert_int_equal(progress.shards_done, 1);
	}
}

/* As Elasticsearch 7.10 answers between the last shard and the file that lists the snapshot. */
static void a_snapshot_is_a_success_once_the_repository_lists_it(void **state)
{
	static const struct {
		const char *entry, *state;
	} cases[] = {
		{"{\"snapshots\":[{\"snapshot\":\"s\",\"state\":\"IN_PROGRESS\"}]}", "STARTED"},
		{"{\"snapshots\":[{\"snapshot\":\"s\",\"state\":\"SUCCESS\"}]}", "SUCCESS"},
		{"{\"snapshots\":[{\"snapshot\":\"s\",\"state\":\"PARTIAL\"}]}", "SUCCESS"},
		{"{\"snapshots\":[]}", "STARTED"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(clear) struct stage s;
		struct snapshot_progress progress;

		begin(&s, ELASTICSEARCH("7.10.2"), 200, cases[i].entry);
		s.progress = "{\"snapshots\":[{\"state\":\"SUCCESS\",\"stats\":{\"incremental\":"
			     "{\"size_in_bytes\":100}}}]}";
		assert_int_equal(snapshot_api_status(s.cluster, STR("r"), STR("s"), &s.mem,
						     &progress, NULL, &s.err),
				 0);
		if (!str_is(progress.state, cases[i].state))
			fail_msg("case %zu is " STR_FMT, i, STR_ARG(progress.state));
		assert_int_equal(progress.bytes_done, 100);
	}
}

static void a_restore_under_way_counts_the_shards_of_that_snapshot_alone(void **state)
{
	cleanup(clear) struct stage s;
	struct snapshot_progress progress;

	(void)state;
	begin(&s, OPENSEARCH("1.3.14"), 200,
	      "{\"restore\":{\"snapshots\":[{\"repository\":\"r\",\"snapshot\":\"other\","
	      "\"state\":\"STARTED\",\"shards\":[{\"state\":\"INIT\"}]},{\"repository\":\"r\","
	      "\"snapshot\":\"s\",\"state\":\"STARTED\",\"shards\":[{\"state\":\"SUCCESS\"},"
	      "{\"state\":\"FAILURE\"},{\"state\":\"INIT\"}]}]}}");
	assert_int_equal(snapshot_api_restore_status(s.cluster, STR("r"), STR("s"), &s.mem,
						     &progress, &s.err),
			 0);
	assert_int_equal(progress.shards_total, 3);
	assert_int_equal(progress.shards_done, 1);
	assert_int_equal(progress.shards_failed, 1);
	assert_int_equal(snapshot_api_restore_status(s.cluster, STR("r"), STR("none"), &s.mem,
						     &progress, &s.err),
			 0);
	assert_int_equal(progress.state.len, 0);
}

static void versions_that_cannot_be_restored_are_refused(void **state)
{
	static const struct {
		const char *root, *entry;
		bool readable;
	} cases[] = {
#define ES(number) "{\"version\":\"" number "\",\"version_id\":7100299}"
#define OS(number) "{\"version\":\"" number "\",\"version_id\":135238227}"
		{OPENSEARCH("1.3.14"), ES("7.10.2"), true},
		{OPENSEARCH("1.3.14"), ES("6.8.23"), true},
		{OPENSEARCH("1.3.14"), ES("7.17.0"), false},
		{OPENSEARCH("2.19.6"), ES("7.10.2"), true},
		{OPENSEARCH("2.19.6"), ES("6.8.23"), false},
		{OPENSEARCH("3.8.0"), ES("7.10.2"), false},
		{OPENSEARCH("2.19.6"), OS("1.3.14"), true},
		{OPENSEARCH("1.3.14"), OS("2.19.6"), false},
		{ELASTICSEARCH("7.17.0"), ES("6.8.23"), true},
		{ELASTICSEARCH("7.10.2"), ES("7.17.0"), false},
		{ELASTICSEARCH("7.10.2"), OS("1.3.14"), false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(clear) struct stage s;
		int rc;

		begin(&s, cases[i].root, 200, "{}");
		rc = snapshot_check_version(parse(&s.mem, cases[i].entry), s.cluster, &s.err);
		if (rc != (cases[i].readable ? 0 : -ERR_BLOCKED))
			fail_msg("case %zu gives %d", i, rc);
	}
}

static void repositories_in_one_place_are_the_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
#define FS(path) "{\"type\":\"fs\",\"settings\":{\"location\":\"" path "\"}}"
#define S3(bucket, more) "{\"type\":\"s3\",\"settings\":{\"bucket\":\"" bucket "\"" more "}}"
		{FS("/b/x"), FS("/b/x/"), true},
		{FS("/b/x"), FS("x"), true},
		{FS("/b/ax"), FS("x"), false},
		{FS("/b/x"), FS("/c/x"), false},
		{S3("one", ""), S3("one", ",\"readonly\":true"), true},
		{S3("one", ",\"base_path\":\"p\""), S3("one", ",\"base_path\":\"p/\""), true},
		{S3("one", ",\"base_path\":\"p\""), S3("one", ",\"base_path\":\"q\""), false},
		{S3("one", ""), S3("two", ""), false},
		{S3("one", ""), FS("one"), false},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct json *a = parse(&mem, cases[i].a), *b = parse(&mem, cases[i].b);

		if (snapshot_repository_is_same(a, b) != cases[i].same ||
		    snapshot_repository_is_same(b, a) != cases[i].same)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_name_the_repository_and_snapshot_encoded),
		cmocka_unit_test(a_refusal_carries_the_reason_of_the_cluster),
		cmocka_unit_test(the_status_is_read_in_both_its_forms),
		cmocka_unit_test(a_snapshot_is_a_success_once_the_repository_lists_it),
		cmocka_unit_test(a_restore_under_way_counts_the_shards_of_that_snapshot_alone),
		cmocka_unit_test(versions_that_cannot_be_restored_are_refused),
		cmocka_unit_test(repositories_in_one_place_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
