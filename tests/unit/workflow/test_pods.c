#include "workflow/pods/pods_internal.h"
#include "workflow/secrets_kubernetes.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define OWN                                                                                     \
	"{\"metadata\":{\"name\":\"console-0\",\"uid\":\"u1\",\"ownerReferences\":[{"           \
	"\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"name\":\"console\",\"uid\":"     \
	"\"u0\"}]},\"spec\":{\"serviceAccountName\":\"shardlift\",\"containers\":[{\"name\":"   \
	"\"console\",\"image\":\"other\"},{\"name\":\"engine\",\"image\":\"i:1\",\"env\":[{"    \
	"\"name\":\"AWS_REGION\",\"value\":\"r\"},{\"name\":\"SHARDLIFT_HOME\",\"value\":\"h\"" \
	"}]}]}}"
#define TASK                                                                                  \
	"{\"name\":\"step-1\",\"kind\":\"%s\",\"replicas\":2,\"argv\":[\"backfill\","         \
	"\"--json\"],\"variables\":{\"A\":\"b\"},\"secrets\":[{\"variable\":\"USER\","        \
	"\"name\":\"login\",\"key\":\"username\"}],\"folders\":[\"tls\"],\"labels\":{"        \
	"\"migrations.opensearch.org/task\":\"verify\"},\"mark\":\"m1\",\"stateDir\":\"/s\"," \
	"\"note\":\"%s/note\"%s}"
#define STATUS(state)                                                         \
	"\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":" \
	"\"shardlift\"," state "}]}"

#define WHOLE "2026-11-22T10:00:09.000000000Z shardlift-output-end\n"

/* A cluster that a test tells what it shows, look by look. */
struct fixture {
	struct fake_server *server;
	char folder[64], task[96];
	const char *looks[8]; /* the pod of each look, NULL ends them: the last one stays */
	size_t look;
	const char *mark; /* of the object that is there; NULL: none */
	int refusals;     /* of creating, with 403, before it is allowed */
	int outages;      /* of deleting, with 503 */
	const char *log;  /* of the pod */
	char watch[256];  /* of the task, with the comma before it */
	unsigned created, deleted;
	char body[8192];    /* of the last create */
	char asked[512];    /* of the last log */
	char selected[512]; /* the first line of the last list of pods */
	struct err err;
	int code;
};

static char said[8192], put_out[1024];

static void append(char *to, size_t size, struct str text)
{
	snprintf(to + strlen(to), size - strlen(to), STR_FMT, STR_ARG(text));
}

static void take_log(struct str line)
{
	append(said, sizeof(said), line);
}

static void take_output(struct str line)
{
	append(put_out, sizeof(put_out), line);
}

static void show_object(struct fixture *f, struct fake_reply *reply)
{
	char text[256];

	if (!f->mark) {
		fake_reply_json(reply, 404, "{\"message\":\"not found\"}");
		return;
	}
	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"uid\":\"o\",\"annotations\":{\"" PODS_MARK "\":\"%s\"}},"
		 "\"spec\":{\"replicas\":2}}",
		 f->mark);
	fake_reply_json(reply, 200, text);
}

static void show_pods(struct fixture *f, struct fake_reply *reply)
{
	const char *pod = f->looks[f->look];
	char text[2048];

	snprintf(text, sizeof(text), "{\"items\":[%s]}", pod ? pod : "");
	fake_reply_json(reply, 200, text);
	if (f->looks[f->look] && f->looks[f->look + 1])
		f->look++;
}

static void create(struct fixture *f, const struct fake_request *request, struct fake_reply *reply)
{
	if (f->refusals > 0) {
		f->refusals--;
		fake_reply_json(reply, 403, "{\"message\":\"exceeded quota: pods\"}");
		return;
	}
	f->created++;
	f->mark = "m1";
	snprintf(f->body, sizeof(f->body), STR_FMT, STR_ARG(request->body));
	fake_reply_json(reply, 201, "{}");
}

static void remove_object(struct fixture *f, struct fake_reply *reply)
{
	if (f->outages > 0) {
		f->outages--;
		fake_reply_json(reply, 503, "{\"message\":\"not now\"}");
		return;
	}
	f->deleted++;
	f->mark = NULL;
	fake_reply_json(reply, 200, "{}");
}

static bool has(const struct fake_request *request, const char *words)
{
	return memmem(request->head.ptr, request->head.len, words, strlen(words)) != NULL;
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;

	if (has(request, "GET /api/v1/namespaces/ma/pods/console-0 ")) {
		fake_reply_json(reply, 200, OWN);
	} else if (has(request, "/log?")) {
		snprintf(f->asked, sizeof(f->asked), STR_FMT, STR_ARG(request->head));
		fake_reply_write(reply, 200, "", str_from(f->log ? f->log : WHOLE));
	} else if (has(request, "/pods?")) {
		snprintf(f->selected, sizeof(f->selected), STR_FMT, STR_ARG(request->head));
		show_pods(f, reply);
	} else if (has(request, "GET /api/v1/namespaces/ma/secrets/login ")) {
		fake_reply_json(
			reply, 200,
			"{\"metadata\":{\"labels\":{\"use-case\":\"http-basic-credentials\"}},"
			"\"data\":{\"username\":\"dQ==\",\"password\":\"cA==\"}}");
	} else if (str_starts(request->head, STR("PATCH "))) {
		snprintf(f->body, sizeof(f->body), STR_FMT, STR_ARG(request->body));
		fake_reply_json(reply, 200, "{}");
	} else if (has(request, "/events?")) {
		fake_reply_json(reply, 200, "{\"items\":[]}");
	} else if (str_starts(request->head, STR("POST "))) {
		create(f, request, reply);
	} else if (str_starts(request->head, STR("DELETE "))) {
		remove_object(f, reply);
	} else {
		show_object(f, reply);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[128];

	snprintf(f->folder, sizeof(f->folder), "/tmp/shardlift-pods-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(path, sizeof(path), "%s/token", f->folder);
	write_file(path, "t");
	snprintf(f->task, sizeof(f->task), "%s/task", f->folder);
	f->server = fake_server_start(handle, f);
	setenv("SHARDLIFT_KUBERNETES_URL", fake_server_url(f->server), 1);
	setenv("SHARDLIFT_KUBERNETES_FOLDER", f->folder, 1);
	setenv("SHARDLIFT_POD", "console-0", 1);
	said[0] = put_out[0] = '\0';
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"token", "task", "note", "work"};
	struct fixture *f = *state;
	char path[128];

	fake_server_free(f->server);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, files[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static int run(struct fixture *f, const char *kind)
{
	static const atomic_bool never;
	const struct pods_options options = {
		.namespace = "ma", .stop = &never, .log = take_log, .output = take_output};
	char text[1024];

	snprintf(text, sizeof(text), TASK, kind, f->folder, f->watch);
	write_file(f->task, text);
	return pods_run(&options, f->task, &f->code, &f->err);
}

#define POD(state) "{\"metadata\":{\"name\":\"p-1\"}," STATUS(state) "}"
#define ENDED(code) "\"state\":{\"terminated\":{\"exitCode\":" #code "}}"

static void test_a_job_brings_exit_code_log_and_output(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = POD("\"state\":{\"running\":{}}");
	f->looks[1] = POD(ENDED(3));
	f->log = "2026-11-22T10:00:00.100000000Z 2026-11-22T10:00:00.100Z info x began\n"
		 "2026-11-22T10:00:01.000000000Z shardlift-output: {\"a\":1}\n"
		 "2026-11-22T10:00:01.500000000Z shardlift: cannot reach it\n" WHOLE;
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(3, f->code);
	/* Read at every look, and told once. */
	assert_string_equal("2026-11-22T10:00:00.100Z info x began\n"
			    "2026-11-22T10:00:01.500Z shardlift: cannot reach it\n",
			    said);
	assert_string_equal("{\"a\":1}\n", put_out);
	assert_int_equal(1, f->created);
	assert_int_equal(1, f->deleted);
}

static void test_a_node_s_time_zone_is_asked_for_as_it_is_told(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = POD(ENDED(0));
	f->log = "2026-11-22T12:00:00.100000000+02:00 2026-11-22T10:00:00.100Z info x began\n"
		 "2026-11-22T12:00:09.000000000+02:00 shardlift-output-end\n";
	assert_int_equal(0, run(f, "job"));
	assert_non_null(strstr(f->asked, "&sinceTime=2026-11-22T12:00:09%2B02%3A00 HTTP"));
	assert_string_equal("2026-11-22T10:00:00.100Z info x began\n", said);
}

static void test_a_pod_looks_like_the_engine_s_and_belongs_to_its_owner(void **state)
{
	static const char *const parts[] = {
		"\"kind\":\"Job\"",
		"\"backoffLimit\":0",
		"\"image\":\"i:1\"",
		"\"name\":\"AWS_REGION\",\"value\":\"r\"",
		"\"name\":\"A\",\"value\":\"b\"",
		"\"secretKeyRef\":{\"name\":\"login\",\"key\":\"username\"}",
		"\"mountPath\":\"/s/secrets/tls\"",
		"\"kind\":\"StatefulSet\"",
		"\"uid\":\"u0\"",
		"\"migrations.opensearch.org/task\":\"verify\"",
		"\"args\":[\"backfill\",\"--json\"]",
		"\"serviceAccountName\":\"shardlift\"",
		"\"automountServiceAccountToken\":false"};
	struct fixture *f = *state;

	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(0, f->code);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (!strstr(f->body, parts[i]))
			fail_msg("%s is not in %s", parts[i], f->body);
	assert_null(strstr(f->body, "SHARDLIFT_HOME"));
}

static void test_what_an_engine_before_began_is_gone_on_with(void **state)
{
	struct fixture *f = *state;

	f->mark = "m1";
	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(0, f->created);
}

static void test_what_another_attempt_left_is_taken_down(void **state)
{
	struct fixture *f = *state;

	f->mark = "m0";
	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(1, f->created);
	assert_int_equal(2, f->deleted);
}

static void test_a_pod_that_was_deleted_is_made_again(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = "{\"metadata\":{\"name\":\"p-1\",\"deletionTimestamp\":\"t\"}," STATUS(
		ENDED(8)) "}";
	f->looks[1] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(0, f->code);
	assert_int_equal(2, f->created);
	assert_non_null(strstr(said, "was deleted; it is made again"));
}

static void test_a_pod_that_was_evicted_is_made_again(void **state)
{
	struct fixture *f = *state;

	f->looks[0] =
		"{\"metadata\":{\"name\":\"p-1\"},\"status\":{\"phase\":\"Failed\",\"reason\":"
		"\"Evicted\",\"containerStatuses\":[{\"name\":\"shardlift\"," ENDED(137) "}]}}";
	f->looks[1] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(0, f->code);
	assert_int_equal(2, f->created);
}

/* A stage that follows another has a Job of the same name. */
static void test_pods_of_a_job_before_of_the_same_name_are_not_looked_at(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_non_null(strstr(f->selected, "controller-uid%3Do "));
}

static void test_a_pod_without_enough_memory_says_so_and_may_be_tried_again(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = "{\"metadata\":{\"name\":\"p-1\"},\"spec\":{\"containers\":[{\"name\":"
		      "\"shardlift\",\"resources\":{\"limits\":{\"memory\":\"64Mi\"}}}]}," STATUS(
			      "\"state\":{\"terminated\":{\"exitCode\":137,\"reason\":"
			      "\"OOMKilled\"}}") "}";
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(EXIT_CODE_INTERRUPTED, f->code);
	assert_non_null(strstr(said, "more memory than its limit 64Mi"));
}

static void test_a_quota_is_waited_for(void **state)
{
	struct fixture *f = *state;

	f->refusals = 1;
	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "job"));
	assert_int_equal(0, f->code);
	assert_non_null(strstr(said, "a quota of the namespace is reached"));
}

/* Left behind, they would be started again for ever. */
static void test_workers_that_are_done_are_taken_down_once_the_api_answers(void **state)
{
	struct fixture *f = *state;

	f->outages = 1;
	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "workers"));
	assert_int_equal(0, f->code);
	assert_int_equal(1, f->deleted);
}

static void test_workers_are_done_when_one_came_to_the_end(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = POD("\"state\":{\"running\":{}}");
	f->looks[1] = POD("\"restartCount\":1,\"state\":{\"running\":{}},\"lastState\":{"
			  "\"terminated\":{\"exitCode\":1}}");
	assert_int_equal(0, run(f, "workers"));
	assert_int_equal(1, f->code);
	assert_non_null(strstr(f->body, "\"kind\":\"Deployment\""));
	assert_non_null(strstr(f->body, "\"replicas\":2"));
}

static void test_a_worker_that_ends_otherwise_is_started_again_and_told_of(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = POD("\"restartCount\":1,\"state\":{\"running\":{}},\"lastState\":{"
			  "\"terminated\":{\"exitCode\":3}}");
	f->looks[1] = POD("\"restartCount\":2,\"state\":{\"running\":{}},\"lastState\":{"
			  "\"terminated\":{\"exitCode\":0}}");
	f->log = "2026-11-22T10:00:00.000000000Z shardlift: cannot reach it\n";
	assert_int_equal(0, run(f, "workers"));
	assert_int_equal(0, f->code);
	assert_non_null(strstr(said, "pod p-1 ended with code 3: shardlift: cannot reach it"));
}

static void test_a_worker_that_no_try_helps_ends_the_step(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = POD(ENDED(2));
	f->log = "2026-11-22T10:00:00.000000000Z shardlift: no such option\n";
	assert_int_equal(0, run(f, "workers"));
	assert_int_equal(2, f->code);
}

/* The program that is run for it is this one, see main. */
static void test_what_looks_how_far_workers_are_is_told_in_a_file(void **state)
{
	cleanup(buf_release) struct buf told = BUF_INIT(KIB(64));
	struct fixture *f = *state;
	char path[96];

	snprintf(path, sizeof(path), "%s/work", f->folder);
	snprintf(f->watch, sizeof(f->watch),
		 ",\"watch\":{\"argv\":[\"backfill\",\"status\"],\"secrets\":[{\"variable\":"
		 "\"WATCH_PASSWORD\",\"name\":\"login\",\"key\":\"password\"}],\"path\":\"%s\"}",
		 path);
	f->looks[0] = POD(ENDED(0));
	assert_int_equal(0, run(f, "workers"));
	assert_int_equal(1, small_file_read(path, &told, &f->err));
	assert_string_equal("backfill status p", buf_cstr(&told));
	/* Nothing of it is in the pods. */
	assert_null(strstr(f->body, "WATCH_PASSWORD"));
}

static void trouble(const char *pod, const char *expected)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct json *parsed;
	struct err err;
	struct str line;

	assert_int_equal(0, json_parse(str_from(pod), &mem, &parsed, &err));
	line = pods_trouble_of_pod(parsed, &mem);
	if (!memmem(line.ptr ? line.ptr : "", line.len, expected, strlen(expected)))
		fail_msg("'" STR_FMT "' does not say '%s'", STR_ARG(line), expected);
	arena_release(&mem);
}

static void test_troubles_are_told_with_what_mends_them(void **state)
{
	(void)state;
	trouble(POD("\"state\":{\"waiting\":{\"reason\":\"CreateContainerConfigError\",\"message\":"
		    "\"secret \\\"login\\\" not found\"}}"),
		"secret \"login\" not found; `kubectl create secret generic");
	trouble(POD("\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\",\"message\":\"no\"}}"),
		"has no image: no; mend image.repository");
	trouble("{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Failed\",\"reason\":"
		"\"Evicted\",\"message\":\"low on memory\"}}",
		"was taken off its node (Evicted): low on memory");
	trouble("{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Pending\",\"conditions\":["
		"{\"type\":\"PodScheduled\",\"status\":\"False\",\"message\":\"no cpu\"}]}}",
		"finds no node: no cpu");
}

static void test_a_login_that_becomes_an_api_key_keeps_no_password(void **state)
{
	struct fixture *f = *state;

	setenv("SHARDLIFT_NAMESPACE", "ma", 1);
	if (kubernetes_secret_write(STR("login"), STR("k3y"), &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_non_null(strstr(f->body, "\"stringData\":{\"api-key\":\"k3y\"}"));
	assert_non_null(strstr(f->body, "\"data\":{\"username\":null,\"password\":null}"));
}

static void test_names_fit_and_stay_apart(void **state)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct str a = pods_object_name(STR("documentbackfill.a-very-long-name-of-a-source-and-of-"
					    "a-target-first"),
					&mem);
	struct str b = pods_object_name(STR("documentbackfill.a-very-long-name-of-a-source-and-of-"
					    "a-target-second"),
					&mem);

	(void)state;
	assert_true(a.len <= 46 && b.len <= 46);
	assert_false(str_eq(a, b));
	assert_true(str_is(pods_object_name(STR("verify.a-b"), &mem), "verify-a-b"));
	assert_false(str_is(pods_object_name(STR("verify.a.b"), &mem), "verify-a-b"));
	assert_false(str_is(pods_object_name(STR("verify.A-b"), &mem), "verify-a-b"));
	arena_release(&mem);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[0], "shardlift") == 0) {
		printf("%s %s %s", argv[1], argv[2], getenv("WATCH_PASSWORD"));
		return 0;
	}
	const struct CMUnitTest tests[] = {
		TEST(test_a_job_brings_exit_code_log_and_output),
		TEST(test_a_node_s_time_zone_is_asked_for_as_it_is_told),
		TEST(test_a_pod_looks_like_the_engine_s_and_belongs_to_its_owner),
		TEST(test_what_an_engine_before_began_is_gone_on_with),
		TEST(test_what_another_attempt_left_is_taken_down),
		TEST(test_a_pod_that_was_deleted_is_made_again),
		TEST(test_a_pod_that_was_evicted_is_made_again),
		TEST(test_pods_of_a_job_before_of_the_same_name_are_not_looked_at),
		TEST(test_a_pod_without_enough_memory_says_so_and_may_be_tried_again),
		TEST(test_a_quota_is_waited_for),
		TEST(test_workers_that_are_done_are_taken_down_once_the_api_answers),
		TEST(test_workers_are_done_when_one_came_to_the_end),
		TEST(test_a_worker_that_ends_otherwise_is_started_again_and_told_of),
		TEST(test_a_worker_that_no_try_helps_ends_the_step),
		TEST(test_what_looks_how_far_workers_are_is_told_in_a_file),
		TEST(test_a_login_that_becomes_an_api_key_keeps_no_password),
		cmocka_unit_test(test_troubles_are_told_with_what_mends_them),
		cmocka_unit_test(test_names_fit_and_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
