#include "cluster/cluster.h"
#include "cluster/data_stream.h"

#include "fake_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROOT_OPENSEARCH "{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}"
#define ROOT_DISGUISED "{\"version\":{\"number\":\"7.10.2\"},\"tagline\":\"You Know, for Search\"}"

#define assert_contains(text, part)                                  \
	do {                                                         \
		if (!strstr(text, part))                             \
			fail_msg("'%s' is not in '%s'", part, text); \
	} while (0)

static const struct cluster_retry quick = {
	.initial_delay_ms = 1, .max_delay_ms = 2, .max_total_ms = 60 * 1000};

/* One answer of the script; the last is repeated for ever. */
struct step {
	int status;
	const char *body, *fields;
	enum fake_end end;
	const char *path; /* what the request must be for; NULL: anything */
};

struct script {
	const struct step *steps;
	size_t count;
};

static void play(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	const struct script *script = user;
	const struct step *step = &script->steps[MIN(request->number, script->count - 1)];
	struct str method, path, rest;

	str_split(request->head, ' ', &method, &rest);
	str_split(rest, ' ', &path, &rest);
	if (step->path && !str_starts(path, str_from(step->path)))
		fail_msg("request %zu is for " STR_FMT, request->number, STR_ARG(path));
	reply->end = step->end;
	if (step->status)
		fake_reply_write(reply, step->status, step->fields ? step->fields : "",
				 str_from(step->body));
}

/* A server that plays a script, and what came of connecting to it. */
struct stage {
	struct script script;
	struct fake_server *server;
	struct cluster *cluster, *clone;
	struct arena mem;
	struct err err;
	int status;
	struct json *answer;
};

static int connect_with(struct stage *stage, struct http_options options, const struct step *steps,
			size_t count)
{
	*stage = (struct stage){.script = {steps, count}, .mem = ARENA_INIT(MIB(1))};
	stage->server = fake_server_start(play, &stage->script);
	options.host = fake_server_url(stage->server);
	return cluster_connect(&options, &quick, &stage->cluster, &stage->err);
}

static int request(struct stage *stage, const char *method, bool repeatable)
{
	return cluster_request(stage->cluster, method, "/books/_doc/1?op_type=create", STR("{}"),
			       repeatable, &stage->mem, &stage->status, &stage->answer,
			       &stage->err);
}

static void clear(struct stage *stage)
{
	cluster_close(stage->cluster);
	cluster_close(stage->clone);
	fake_server_free(stage->server);
	arena_release(&stage->mem);
}

#define connect_to(stage, ...) connect_by(stage, ((struct http_options){0}), __VA_ARGS__)
#define connect_by(stage, options, ...)                                 \
	({                                                              \
		static const struct step steps_[] = {__VA_ARGS__};      \
		connect_with(stage, options, steps_, COUNT_OF(steps_)); \
	})

static void connecting_tells_flavour_and_version(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_OPENSEARCH}), 0);
	assert_int_equal(cluster_version(s.cluster)->flavour, CLUSTER_OPENSEARCH);
	assert_int_equal(cluster_version(s.cluster)->major, 2);
	assert_false(cluster_version(s.cluster)->compatibility_mode);
	assert_string_equal(cluster_version_text(s.cluster), "OpenSearch 2.19.6");
	assert_int_equal(fake_server_requests(s.server), 1);
}

static void compatibility_mode_is_seen_through(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(
		connect_to(
			&s, {200, ROOT_DISGUISED},
			{200,
			 "{\"persistent\":{\"compatibility.override_main_response_version\":"
			 "\"true\"}}",
			 .path = "/_cluster/settings?include_defaults=true&flat_settings=true"},
			{200, "{\"nodes\":{\"a\":{\"version\":\"1.3.14\"}}}", .path = "/_nodes"}),
		0);
	assert_string_equal(cluster_version_text(s.cluster), "OpenSearch 1.3.14");
	assert_true(cluster_version(s.cluster)->compatibility_mode);
}

static void a_real_7_10_2_stays_what_it_says(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_DISGUISED}, {200, "{\"defaults\":{}}"}), 0);
	assert_string_equal(cluster_version_text(s.cluster), "Elasticsearch 7.10.2");
	assert_false(cluster_version(s.cluster)->compatibility_mode);
}

static void settings_that_may_not_be_read_disguise_nothing(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_DISGUISED}, {403, "{}"}), 0);
	assert_string_equal(cluster_version_text(s.cluster), "Elasticsearch 7.10.2");
}

static void a_disguise_whose_version_cannot_be_had_is_an_error(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s,
				    {200, "{\"version\":{\"number\":\"7.10.2\"},"
					  "\"tagline\":\"The OpenSearch Project\"}"},
				    {404, "{}", .path = "/_nodes"}),
			 -ERR_UNREACHABLE);
	assert_contains(s.err.message, "compatibility.override_main_response_version to false");
}

static void no_root_but_indices_is_serverless(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {404, ""}, {200, "[]", .path = "/_cat/indices?"}), 0);
	assert_true(cluster_version(s.cluster)->serverless);
	assert_int_equal(cluster_version(s.cluster)->flavour, CLUSTER_OPENSEARCH);
	assert_int_equal(cluster_version(s.cluster)->major, 2);
	assert_string_equal(cluster_version_text(s.cluster), "OpenSearch Serverless");
}

static void a_data_stream_is_told_by_its_name(void **state)
{
	static const struct {
		struct step answer;
		int rc;
		bool is;
	} cases[] = {
		{{200, "{\"data_streams\":[{\"name\":\"logs\"}]}", .path = "/_data_stream/logs"},
		 0,
		 true},
		{{200, "{\"data_streams\":[{\"name\":\"logs-2\"}]}"}, 0, false},
		{{404, "{\"error\":{\"type\":\"index_not_found_exception\"}}"}, 0, false},
		{{400, "{\"error\":\"no handler found\"}"}, 0, false},
		{{403, "{}"}, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(clear) struct stage s;
		const struct step steps[] = {{200, ROOT_OPENSEARCH}, cases[i].answer};
		bool is = !cases[i].is;

		assert_int_equal(connect_with(&s, (struct http_options){0}, steps, 2), 0);
		assert_int_equal(cluster_is_data_stream(s.cluster, STR("logs"), &is, &s.err),
				 cases[i].rc);
		assert_int_equal(is, cases[i].is);
	}
}

static void what_is_no_cluster_is_named_by_what_it_answers(void **state)
{
	static const struct {
		struct step step;
		const char *said;
	} cases[] = {
		{{200, "<html><title>Welcome to nginx!"},
		 "an HTML or XML page that begins '<html>"},
		{{404, "<html>404"},
		 "/ brings status 404, and GET /_cat/indices brings status 404 and an HTML"},
		{{200, "{\"hello\":1}"}, "JSON that names no version of a cluster"},
		{{200, "hello\r\nthere"}, "not JSON that begins 'hello  there'"},
		{{200, ""}, "an empty answer; check --target-host"},
		{{500, "{\"version\":{\"number\":\"7.0.0\"},\"tagline\":\"\"}"}, "status 500"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(clear) struct stage s;

		assert_int_equal(connect_with(&s, (struct http_options){0}, &cases[i].step, 1),
				 -ERR_UNREACHABLE);
		assert_contains(s.err.message, "neither Elasticsearch nor OpenSearch");
		assert_contains(s.err.message, cases[i].said);
		assert_contains(s.err.message, fake_server_url(s.server));
	}
}

static void a_wrong_password_names_the_user_and_never_the_password(void **state)
{
	struct http_options options = {.username = "ann", .password = "geheim"};
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_by(&s, options, {401, "Unauthorized"}), -ERR_AUTH);
	assert_int_equal(s.err.http_status, 401);
	assert_contains(s.err.message, "user 'ann' is refused (status 401: Unauthorized); check "
				       "--target-username and --target-password");
	assert_contains(s.err.message, fake_server_url(s.server));
	assert_null(strstr(s.err.message, "geheim"));
}

static void whoever_gives_no_user_is_told_the_flags(void **state)
{
	cleanup(clear) struct stage s, key;

	(void)state;
	assert_int_equal(connect_to(&s, {401, "{\"error\":{\"type\":\"security_exception\","
					      "\"reason\":\"missing authentication\"}}"}),
			 -ERR_AUTH);
	assert_contains(s.err.message, "security_exception: missing authentication");
	assert_contains(s.err.message,
			"give --target-username and --target-password, or --target-api-key");
	assert_int_equal(
		connect_by(&key,
			   ((struct http_options){.api_key = "geheim", .flag_prefix = "--source-"}),
			   {401, "{}"}),
		-ERR_AUTH);
	assert_contains(key.err.message, "the API key is refused");
	assert_contains(key.err.message, "check --source-api-key");
	assert_null(strstr(key.err.message, "geheim"));
}

static void a_missing_permission_is_no_wrong_password(void **state)
{
	struct http_options options = {.username = "ann", .password = "geheim"};
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_by(&s, options, {200, ROOT_OPENSEARCH},
				    {403, "{\"error\":{\"type\":\"security_exception\",\"reason\":"
					  "\"no permissions for [indices:admin/create]\"}}"}),
			 0);
	assert_int_equal(request(&s, "PUT", true), -ERR_AUTH);
	assert_contains(s.err.message, "PUT http://127.0.0.1:");
	assert_contains(s.err.message, "/books/_doc/1: user 'ann' is not allowed this (status 403: "
				       "security_exception: no permissions for");
}

static void a_block_of_the_cluster_is_an_answer_and_no_refusal(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_OPENSEARCH},
				    {403, "{\"error\":{\"type\":\"cluster_block_exception\","
					  "\"reason\":\"blocked by\"},\"status\":403}"}),
			 0);
	assert_int_equal(request(&s, "PUT", true), 0);
	assert_int_equal(s.status, 403);
	assert_true(str_is(cluster_error_reason(s.answer, s.status, &s.mem),
			   "cluster_block_exception: blocked by"));
}

static void a_request_is_repeated_until_it_is_taken(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_OPENSEARCH}, {429, "{}"}, {502, "<html>"},
				    {503, "{}"}, {504, ""}, {.end = FAKE_CLOSE},
				    {.end = FAKE_RESET}, {201, "{\"result\":\"created\"}"}),
			 0);
	assert_int_equal(request(&s, "PUT", true), 0);
	assert_int_equal(s.status, 201);
	assert_true(str_is(json_string(json_get(s.answer, "result")), "created"));
	assert_true(fake_server_requests(s.server) >= 8);
}

static void what_may_not_act_twice_is_repeated_only_when_nothing_was_done(void **state)
{
	cleanup(clear) struct stage s, lost;

	(void)state;
	assert_int_equal(
		connect_to(&s, {200, ROOT_OPENSEARCH}, {429, "{}"}, {503, "{}"}, {200, "{}"}), 0);
	assert_int_equal(request(&s, "POST", false), -ERR_HTTP);
	assert_int_equal(s.err.http_status, 503);
	assert_contains(s.err.message, "gave up after 2 tries: status 503");
	assert_int_equal(
		connect_to(&lost, {200, ROOT_OPENSEARCH}, {.end = FAKE_CLOSE}, {200, "{}"}), 0);
	assert_int_equal(request(&lost, "POST", false), -ERR_UNREACHABLE);
	assert_int_equal(fake_server_requests(lost.server), 2);
}

static void another_status_is_an_answer_and_not_repeated(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_OPENSEARCH}, {500, "oops"}), 0);
	assert_int_equal(request(&s, "PUT", true), 0);
	assert_int_equal(s.status, 500);
	assert_null(s.answer);
	assert_int_equal(fake_server_requests(s.server), 2);
}

static void trying_ends_when_the_time_is_up(void **state)
{
	struct cluster_retry brief = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 1000};
	static const struct step steps[] = {{200, ROOT_OPENSEARCH},
					    {503, "{\"error\":{\"type\":\"t\",\"reason\":\"r\"}}"}};
	struct script script = {steps, COUNT_OF(steps)};
	struct fake_server *server = fake_server_start(play, &script);
	struct http_options options = {.host = fake_server_url(server)};
	struct arena mem = ARENA_INIT(MIB(1));
	struct cluster *cluster = NULL;
	struct json *answer;
	struct err err = {0};
	int status;

	(void)state;
	assert_int_equal(cluster_connect(&options, &brief, &cluster, &err), 0);
	assert_int_equal(cluster_request(cluster, "GET", "/_x", STR_NONE, true, &mem, &status,
					 &answer, &err),
			 -ERR_HTTP);
	assert_int_equal(err.http_status, 503);
	assert_contains(err.message, "gave up after ");
	assert_contains(err.message, "status 503: t: r");
	fake_server_stop(server);
	assert_int_equal(cluster_request(cluster, "GET", "/_x", STR_NONE, true, &mem, &status,
					 &answer, &err),
			 -ERR_UNREACHABLE);
	assert_contains(err.message, "gave up after ");
	assert_contains(err.message, "is it running?");
	cluster_close(cluster);
	fake_server_free(server);
	arena_release(&mem);
}

static void *cancel_after_second_request(void *user)
{
	struct stage *stage = user;

	fake_server_await(stage->server, 2);
	cluster_cancel(stage->cluster);
	return NULL;
}

static void the_time_that_the_server_asks_for_is_waited_within_the_total(void **state)
{
	struct cluster_retry brief = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 3000};
	static const struct step steps[] = {{200, ROOT_OPENSEARCH},
					    {503, "{}", .fields = "Retry-After: 3000\r\n"}};
	cleanup(clear) struct stage s = {.script = {steps, COUNT_OF(steps)},
					 .mem = ARENA_INIT(MIB(1))};
	struct http_options options = {0};

	(void)state;
	s.server = fake_server_start(play, &s.script);
	options.host = fake_server_url(s.server);
	assert_int_equal(cluster_connect(&options, &brief, &s.cluster, &s.err), 0);
	assert_int_equal(request(&s, "GET", true), -ERR_HTTP);
	/* One at the end of the time, and not one every millisecond. */
	assert_contains(s.err.message, "gave up after 2 tries");
}

static void waiting_can_be_cancelled(void **state)
{
	struct cluster_retry patient = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 3600 * 1000};
	static const struct step steps[] = {{200, ROOT_OPENSEARCH},
					    {503, "{}", .fields = "Retry-After: 3000\r\n"},
					    {200, "{}"}};
	cleanup(clear) struct stage s = {.script = {steps, COUNT_OF(steps)},
					 .mem = ARENA_INIT(MIB(1))};
	struct http_options options = {0};
	pthread_t thread;

	(void)state;
	s.server = fake_server_start(play, &s.script);
	options.host = fake_server_url(s.server);
	assert_int_equal(cluster_connect(&options, &patient, &s.cluster, &s.err), 0);
	assert_int_equal(pthread_create(&thread, NULL, cancel_after_second_request, &s), 0);
	assert_int_equal(request(&s, "GET", true), -ERR_CANCELLED);
	pthread_join(thread, NULL);
	assert_int_equal(request(&s, "GET", true), -ERR_CANCELLED);
	assert_int_equal(fake_server_requests(s.server), 2);
}

static void a_clone_knows_who_it_is_without_asking(void **state)
{
	cleanup(clear) struct stage s;

	(void)state;
	assert_int_equal(connect_to(&s, {200, ROOT_OPENSEARCH}, {200, "{}"}), 0);
	assert_int_equal(cluster_clone(s.cluster, &s.clone, &s.err), 0);
	assert_string_equal(cluster_version_text(s.clone), "OpenSearch 2.19.6");
	assert_int_equal(fake_server_requests(s.server), 1);
	cluster_close(take(s.cluster));
	s.cluster = take(s.clone);
	assert_int_equal(request(&s, "GET", true), 0);
}

static void a_long_reason_is_cut_between_two_characters(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json error = {.type = JSON_OBJECT};
	struct json *reason = json_new(&mem, JSON_STRING);
	char text[KIB(4)];
	struct str cut;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "\xe2\x82\xac"[i % 3];
	reason->text = str_of(text, sizeof(text));
	json_set(&error, STR("message"), reason);
	cut = cluster_error_reason(&error, 400, &mem);
	assert_int_equal(cut.len, KIB(2) / 3 * 3);
}

static void a_reason_has_type_reason_and_root_cause(void **state)
{
	static const struct {
		const char *answer, *reason;
	} cases[] = {
		{"{\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":\"failed to parse\","
		 "\"caused_by\":{\"type\":\"a\",\"reason\":\"b\",\"caused_by\":{\"type\":"
		 "\"number_format_exception\",\"reason\":\"For input string\"}}}}",
		 "mapper_parsing_exception: failed to parse (number_format_exception: For input "
		 "string)"},
		{"{\"error\":\"IndexMissingException[[x] missing]\",\"status\":404}",
		 "IndexMissingException[[x] missing]"},
		{"{\"message\":\"The security token is invalid\"}",
		 "The security token is invalid"},
		{"{\"Message\":\"anonymous is not authorized\"}", "anonymous is not authorized"},
		{"{\"error\":{\"type\":\"t\",\"reason\":\"a\\nb\\u0001c\"}}", "t: a b c"},
		/* As Elasticsearch 7.10 answers to a document that is cut off. */
		{"{\"error\":{\"type\":\"t\",\"reason\":\"failed to parse\",\"caused_by\":{"
		 "\"type\":\"u\",\"reason\":\"Unexpected end-of-input\\n at [Source: "
		 "(byte[])\\\"POST /_bulk HTTP/1.1\\nAuthorization: Basic Z2VoZWlt\"}}}",
		 "t: failed to parse (u: Unexpected end-of-input)"},
		{"{\"error\":\"Bad[Authorization: ApiKey Z2VoZWlt]\"}", "Bad["},
		{"{\"error\":{\"type\":\"t\"}}", "t: status 418"},
		{"{}", "status 418"},
		{"[]", "status 418"},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct json *answer;

		assert_int_equal(json_parse(str_from(cases[i].answer), &mem, &answer, NULL), 0);
		assert_string_equal(cluster_error_reason(answer, 418, &mem).ptr, cases[i].reason);
	}
	assert_string_equal(cluster_error_reason(NULL, 418, &mem).ptr, "status 418");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connecting_tells_flavour_and_version),
		cmocka_unit_test(compatibility_mode_is_seen_through),
		cmocka_unit_test(a_real_7_10_2_stays_what_it_says),
		cmocka_unit_test(settings_that_may_not_be_read_disguise_nothing),
		cmocka_unit_test(a_disguise_whose_version_cannot_be_had_is_an_error),
		cmocka_unit_test(no_root_but_indices_is_serverless),
		cmocka_unit_test(a_data_stream_is_told_by_its_name),
		cmocka_unit_test(what_is_no_cluster_is_named_by_what_it_answers),
		cmocka_unit_test(a_wrong_password_names_the_user_and_never_the_password),
		cmocka_unit_test(whoever_gives_no_user_is_told_the_flags),
		cmocka_unit_test(a_missing_permission_is_no_wrong_password),
		cmocka_unit_test(a_block_of_the_cluster_is_an_answer_and_no_refusal),
		cmocka_unit_test(a_request_is_repeated_until_it_is_taken),
		cmocka_unit_test(what_may_not_act_twice_is_repeated_only_when_nothing_was_done),
		cmocka_unit_test(another_status_is_an_answer_and_not_repeated),
		cmocka_unit_test(trying_ends_when_the_time_is_up),
		cmocka_unit_test(the_time_that_the_server_asks_for_is_waited_within_the_total),
		cmocka_unit_test(waiting_can_be_cancelled),
		cmocka_unit_test(a_clone_knows_who_it_is_without_asking),
		cmocka_unit_test(a_long_reason_is_cut_between_two_characters),
		cmocka_unit_test(a_reason_has_type_reason_and_root_cause),
	};

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
