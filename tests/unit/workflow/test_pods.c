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

#define OUR_SERVICE "{\"metadata\":{\"labels\":{\"" PODS_LABEL "step\":\"step-1\"}}}"
/* Of a Deployment, behind the number that it is scaled to. */
#define ALL_READY                                                                       \
	"2},\"status\":{\"observedGeneration\":2,\"replicas\":2,\"updatedReplicas\":2," \
	"\"readyReplicas\":2"

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
	unsigned updated;
	const char *events;      /* of all objects; NULL: none */
	const char *service;     /* that is there; NULL: none */
	const char *scaled;      /* status of the Deployment; NULL: without */
	const char *image;       /* that it was made with; NULL: the engine's */
	char service_body[4096]; /* of the Service that was made */
	atomic_bool stop;        /* set after so many looks of what goes on */
	unsigned looks_left;
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
	char text[512];

	if (!f->mark) {
		fake_reply_json(reply, 404, "{\"message\":\"not found\"}");
		return;
	}
	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"uid\":\"o\",\"generation\":2,\"annotations\":{\"" PODS_MARK
		 "\":\"%s\",\"" PODS_REPLICAS "\":\"2\",\"" PODS_IMAGE
		 "\":\"%s\"}},\"spec\":{\"replicas\":%s}}",
		 f->mark, f->image ? f->image : "i:1", f->scaled ? f->scaled : "2");
	fake_reply_json(reply, 200, text);
}

static void count_look(struct fixture *f)
{
	if (f->looks_left > 0 && --f->looks_left == 0)
		f->stop = true;
}

static void show_pods(struct fixture *f, struct fake_reply *reply)
{
	const char *pod = f->looks[f->look];
	char text[2048];

	snprintf(text, sizeof(text), "{\"items\":[%s]}", pod ? pod : "");
	fake_reply_json(reply, 200, text);
	if (f->looks[f->look] && f->looks[f->look + 1])
		f->look++;
	count_look(f);
}

static void make_service(struct fixture *f, const struct fake_request *request,
			 struct fake_reply *reply)
{
	snprintf(f->service_body, sizeof(f->service_body), STR_FMT, STR_ARG(request->body));
	f->service = OUR_SERVICE;
	fake_reply_json(reply, 201, "{}");
}

static void replace(struct fixture *f, const struct fake_request *request, struct fake_reply *reply)
{
	f->updated++;
	f->mark = "m1";
	f->image = NULL;
	snprintf(f->body, sizeof(f->body), STR_FMT, STR_ARG(request->body));
	fake_reply_json(reply, 200, "{}");
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
	} else if (has(request, "GET /api/v1/namespaces/ma/services/front ")) {
		fake_reply_json(reply, f->service ? 200 : 404, f->service ? f->service : "{}");
		if (f->service && !strstr(f->service, "step-1"))
			count_look(f);
	} else if (has(request, "POST /api/v1/namespaces/ma/services ")) {
		make_service(f, request, reply);
	} else if (str_starts(request->head, STR("PUT "))) {
		replace(f, request, reply);
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
		fake_reply_json(reply, 200, f->events ? f->events : "{\"items\":[]}");
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
	static const char *const files[] = {"token", "task", "note", "status", "work"};
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
	assert_non_null(strstr(said, "more memory than its limit 64Mi; raise"));
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
static void test_workers_without_enough_memory_say_so_and_not_what_they_said_last(void **state)
{
	struct fixture *f = *state;

	f->mark = "m1";
	f->looks[0] =
		POD("\"restartCount\":7,\"state\":{\"terminated\":{\"exitCode\":137,\"reason\":"
		    "\"OOMKilled\"}}");
	f->log = "2026-11-22T10:00:00.000000000Z shardlift: the target refuses connections\n";
	assert_int_equal(0, run(f, "workers"));
	assert_int_equal(EXIT_CODE_INTERRUPTED, f->code);
	assert_true(
		str_ends(str_trim(str_from(said)),
			 STR("raise resources.limits.memory of this step in the configuration")));
}

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
	trouble(POD("\"restartCount\":1,\"state\":{\"terminated\":{\"exitCode\":137,\"reason\":"
		    "\"OOMKilled\"}}"),
		"(started again 1 time); raise");
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

/* --- What goes on --- */

#define LASTING                                                                              \
	"{\"name\":\"step-1\",\"kind\":\"lasting\",\"replicas\":2,\"argv\":[\"capture\"],"   \
	"\"labels\":{},\"mark\":\"m1\",\"stateDir\":\"/s\",\"note\":\"%s/note\",\"status\":" \
	"\"%s/status\",\"graceSeconds\":150%s}"
#define FRONT                                                                                  \
	",\"service\":{\"name\":\"front\",\"port\":9200,\"type\":\"LoadBalancer\"},\"probe\":" \
	"[\"shardlift\",\"capture\"]"
#define TWO_PODS                          \
	POD("\"state\":{\"running\":{}}") \
	",{\"metadata\":{\"name\":\"p-2\"}," STATUS("\"state\":{\"running\":{}}") "}"
#define SAYS(lag, caught_up)                                                       \
	"2026-11-22T10:00:00.100000000Z shardlift-status: {\"state\":\"running\"," \
	"\"lag\":" lag ",\"source_lag_ms\":7,\"requests\":4,\"caught_up\":" caught_up "}\n"

/* Ends by being stopped, after so many looks at its pods. */
static int run_lasting(struct fixture *f, const char *more, unsigned looks)
{
	const struct pods_options options = {
		.namespace = "ma", .stop = &f->stop, .log = take_log, .output = take_output};
	char text[2048];

	f->looks_left = looks;
	snprintf(text, sizeof(text), LASTING, f->folder, f->folder, more);
	write_file(f->task, text);
	return pods_run(&options, f->task, &f->code, &f->err);
}

static void read_status(struct fixture *f, char *out, size_t size)
{
	char path[96];
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "%s/status", f->folder);
	file = fopen(path, "r");
	assert_non_null(file);
	got = fread(out, 1, size - 1, file);
	out[got] = '\0';
	fclose(file);
}

static void expect_parts(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		if (!strstr(text, *parts))
			fail_msg("%s is not in %s", *parts, text);
}

static void test_a_proxy_has_a_service_and_pods_that_are_left_when_we_end(void **state)
{
	struct fixture *f = *state;
	char status[4096];

	f->scaled = ALL_READY;
	f->looks[0] = TWO_PODS;
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, FRONT, 2));
	assert_int_equal(1, f->created);
	assert_int_equal(0, f->deleted);
	expect_parts(f->service_body,
		     (const char *const[]){"\"kind\":\"Service\"", "\"name\":\"front\"",
					   "\"port\":9200", "\"type\":\"LoadBalancer\"",
					   "aws-load-balancer-internal\":\"true\"",
					   "\"selector\":{\"" PODS_LABEL "step\":\"step-1\"}",
					   "\"uid\":\"u0\"", NULL});
	expect_parts(f->body,
		     (const char *const[]){"\"kind\":\"Deployment\"", "\"maxUnavailable\":0",
					   "\"terminationGracePeriodSeconds\":150",
					   "\"exec\":{\"command\":[\"shardlift\",\"capture\"]}",
					   "\"containerPort\":9200",
					   "\"preStop\":{\"exec\":{\"command\":[\"sleep\",\"5\"]}}",
					   "SHARDLIFT_STATUS_IN_LOG", NULL});
	assert_null(strstr(f->body, "SHARDLIFT_OUTPUT_IN_LOG"));
	read_status(f, status, sizeof(status));
	expect_parts(status, (const char *const[]){"\"state\":\"running\"", "\"pods\":2",
						   "\"ready\":2", "\"port\":9200", NULL});
}

static void test_replayers_say_in_their_logs_how_far_they_are(void **state)
{
	struct fixture *f = *state;
	char status[4096];

	f->scaled = ALL_READY;
	f->mark = "m1";
	f->looks[0] = TWO_PODS;
	f->log = SAYS("3", "true");
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, "", 2));
	read_status(f, status, sizeof(status));
	expect_parts(status,
		     (const char *const[]){"\"state\":\"running\"", "\"lag\":6", "\"requests\":8",
					   "\"source_lag_ms\":7", "\"caught_up\":true", NULL});
	assert_null(strstr(said, "shardlift-status"));
	assert_int_equal(0, f->created + f->updated + f->deleted);
}

/* Its partitions are nobody's until it is back. */
static void test_with_a_replayer_away_nothing_is_caught_up(void **state)
{
	struct fixture *f = *state;
	char status[4096];

	f->scaled = "2},\"status\":{\"observedGeneration\":2,\"replicas\":2,"
		    "\"updatedReplicas\":2,\"readyReplicas\":1";
	f->mark = "m1";
	f->looks[0] = POD("\"state\":{\"running\":{}}");
	f->log = SAYS("0", "true");
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, "", 2));
	read_status(f, status, sizeof(status));
	expect_parts(status, (const char *const[]){"\"state\":\"starting\"", "\"ready\":1",
						   "\"caught_up\":false", NULL});
}

/* A node that is lost ends nothing that its pods said. */
static void test_with_a_replayer_that_is_not_ready_nothing_is_caught_up(void **state)
{
	struct fixture *f = *state;
	char status[4096];

	f->scaled = "2},\"status\":{\"observedGeneration\":2,\"replicas\":2,"
		    "\"updatedReplicas\":2,\"readyReplicas\":1";
	f->mark = "m1";
	f->looks[0] = TWO_PODS;
	f->log = SAYS("0", "true");
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, "", 2));
	read_status(f, status, sizeof(status));
	expect_parts(status, (const char *const[]){"\"requests\":8", "\"caught_up\":false", NULL});
}

static void test_what_is_longer_than_we_take_makes_nothing_caught_up(void **state)
{
	static char log[KIB(8)];
	struct fixture *f = *state;
	char status[4096];

	f->scaled = ALL_READY;
	f->mark = "m1";
	f->looks[0] = TWO_PODS;
	snprintf(log, sizeof(log),
		 SAYS("0", "true") "2026-11-22T10:00:05.100000000Z shardlift-status: "
				   "{\"caught_up\":false,\"waits_for\":\"%06000d\"}\n",
		 0);
	f->log = log;
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, "", 2));
	read_status(f, status, sizeof(status));
	assert_null(strstr(status, "\"caught_up\":true"));
}

static void test_what_was_in_the_way_of_one_before_is_not_told_any_more(void **state)
{
	cleanup(buf_release) struct buf told = BUF_INIT(KIB(64));
	struct fixture *f = *state;
	char path[96];

	snprintf(path, sizeof(path), "%s/note", f->folder);
	write_file(path, "pod p-0 has no image");
	f->scaled = ALL_READY;
	f->mark = "m1";
	f->service = OUR_SERVICE;
	f->looks[0] = TWO_PODS;
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, FRONT, 2));
	assert_int_equal(0, small_file_read(path, &told, &f->err));
}

static void test_a_service_that_is_configured_otherwise_is_told(void **state)
{
	struct fixture *f = *state;

	f->scaled = ALL_READY;
	f->mark = "m1";
	f->service = "{\"metadata\":{\"labels\":{\"" PODS_LABEL
		     "step\":\"step-1\"}},\"spec\":{\"type\":\"ClusterIP\",\"ports\":[{\"port\":"
		     "9100}]}}";
	f->looks[0] = TWO_PODS;
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, FRONT, 2));
	assert_non_null(strstr(said, "is a ClusterIP with port 9100, and not a LoadBalancer with "
				     "port 9200 as configured; `kubectl delete service front`"));
	assert_int_equal(0, f->deleted);
}

/* Somebody had scaled it to five. */
static void expect_replaced(struct fixture *f, const char *const *parts)
{
	f->scaled = "5";
	f->service = OUR_SERVICE;
	f->looks[0] = TWO_PODS;
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, FRONT, 2));
	assert_int_equal(1, f->updated);
	assert_int_equal(0, f->created + f->deleted);
	expect_parts(f->body, parts);
}

static void test_what_is_configured_otherwise_is_replaced_pod_by_pod(void **state)
{
	struct fixture *f = *state;

	f->mark = "m0";
	expect_replaced(f,
			(const char *const[]){"\"replicas\":5", "\"" PODS_MARK "\":\"m1\"", NULL});
}

static void test_pods_of_an_image_before_are_replaced_pod_by_pod(void **state)
{
	struct fixture *f = *state;

	f->mark = "m1";
	f->image = "i:0";
	expect_replaced(f, (const char *const[]){"\"replicas\":5", "\"image\":\"i:1\"",
						 "\"maxUnavailable\":0", NULL});
	assert_non_null(strstr(said, "the engine's image is i:1 now"));
}

static void test_what_a_pod_may_keep_is_bounded(void **state)
{
	struct fixture *f = *state;

	f->looks[0] = TWO_PODS;
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, ",\"stateMb\":1280", 2));
	assert_non_null(strstr(f->body, "\"emptyDir\":{\"sizeLimit\":\"1280Mi\"}"));
}

static void test_why_a_pod_ended_is_told_though_its_output_comes_later(void **state)
{
	struct fixture *f = *state;

	f->mark = "m1";
	f->looks[0] = POD("\"restartCount\":1,\"state\":{\"waiting\":{\"reason\":"
			  "\"CrashLoopBackOff\"}},\"lastState\":{\"terminated\":{\"exitCode\":6}}");
	f->log = "2026-11-22T10:00:00.000000000Z shardlift: the folder is full\n"
		 "2026-11-22T10:00:00.000000001Z 4 requests sent\n";
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, "", 2));
	assert_non_null(strstr(said, "code 6: shardlift: the folder is full; started again"));
}

static void test_a_proxy_that_says_that_no_try_helps_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	f->mark = "m1";
	f->service = OUR_SERVICE;
	f->looks[0] = POD("\"restartCount\":1,\"state\":{\"waiting\":{\"reason\":"
			  "\"CrashLoopBackOff\"}},\"lastState\":{\"terminated\":{\"exitCode\":2}}");
	f->log = "2026-11-22T10:00:00.000000000Z shardlift: no topic of this name\n";
	assert_int_equal(-ERR_USAGE, run_lasting(f, FRONT, 9));
	assert_non_null(strstr(f->err.message, "no topic of this name"));
	assert_int_equal(0, f->deleted);
}

static void test_a_secret_that_is_not_there_to_be_mounted_is_told(void **state)
{
	struct fixture *f = *state;

	f->mark = "m1";
	f->service = OUR_SERVICE;
	f->looks[0] = "{\"metadata\":{\"name\":\"p-1\",\"uid\":\"u\"},\"status\":{\"phase\":"
		      "\"Pending\"}}";
	f->events = "{\"items\":[{\"message\":\"secret \\\"tls\\\" not found\"}]}";
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, FRONT, 9));
	assert_non_null(strstr(said, "pod p-1 does not start: secret \"tls\" not found"));
}

static void test_another_one_s_service_is_left_alone(void **state)
{
	struct fixture *f = *state;

	f->service = "{\"metadata\":{\"labels\":{}}}";
	assert_int_equal(-ERR_CANCELLED, run_lasting(f, FRONT, 2));
	assert_int_equal(0, f->created);
	assert_non_null(strstr(said, "a Service 'front' that is not of this workflow"));
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
		TEST(test_a_proxy_has_a_service_and_pods_that_are_left_when_we_end),
		TEST(test_replayers_say_in_their_logs_how_far_they_are),
		TEST(test_with_a_replayer_away_nothing_is_caught_up),
		TEST(test_with_a_replayer_that_is_not_ready_nothing_is_caught_up),
		TEST(test_what_is_longer_than_we_take_makes_nothing_caught_up),
		TEST(test_what_was_in_the_way_of_one_before_is_not_told_any_more),
		TEST(test_a_service_that_is_configured_otherwise_is_told),
		TEST(test_what_is_configured_otherwise_is_replaced_pod_by_pod),
		TEST(test_pods_of_an_image_before_are_replaced_pod_by_pod),
		TEST(test_what_a_pod_may_keep_is_bounded),
		TEST(test_why_a_pod_ended_is_told_though_its_output_comes_later),
		TEST(test_a_proxy_that_says_that_no_try_helps_is_not_waited_for),
		TEST(test_a_secret_that_is_not_there_to_be_mounted_is_told),
		TEST(test_another_one_s_service_is_left_alone),
		TEST(test_workers_without_enough_memory_say_so_and_not_what_they_said_last),
		TEST(test_what_looks_how_far_workers_are_is_told_in_a_file),
		TEST(test_a_login_that_becomes_an_api_key_keeps_no_password),
		cmocka_unit_test(test_troubles_are_told_with_what_mends_them),
		cmocka_unit_test(test_names_fit_and_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
