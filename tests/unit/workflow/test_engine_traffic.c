#include "plan_clusters.h"
#include "workflow/engine_traffic.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "workflow/config_check.h"
#include "workflow/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define TRAFFIC                                                                              \
	"traffic:\n"                                                                         \
	"  proxies: {front: {source: old, proxyConfig: {listenPort: 9300, sync: interval,\n" \
	"    setHeader: [\"A: b\"], tls: {mode: plaintext}}}}\n"                             \
	"  replayers: {mirror: {fromCapturedTraffic: front, toTarget: new, cutOver: true,\n" \
	"    replayerConfig: {speedupFactor: 2.5, quiescentPeriodMs: 700}}}\n"

#define KAFKA                                                                             \
	"kafkaClusterConfiguration: {default: {existing: {kafkaConnection: \"k:9092\",\n" \
	"  auth: {type: scram-sha-512, secretName: login, caSecretName: authority}}}}\n"

struct fixture {
	char folder[64];
	struct engine_options options;
	struct engine engine;
	struct engine_step steps[8];
	struct workflow_resource records[8];
	bool admitted[8];
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	strcpy(f->folder, "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->options.state_dir = f->folder;
	f->engine.options = &f->options;
	f->engine.run.mem = f->engine.run.look = ARENA_INIT(MIB(64));
	assert_int_equal(workflow_state_open(f->folder, &f->engine.state, &f->err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"/secrets/login", "/secrets", "/state.db", "/state.db-wal",
		"/state.db-shm",  "/run",     ""};
	struct fixture *f = *state;
	char path[128];

	workflow_state_close(f->engine.state);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s%s", f->folder, names[i]);
		remove(path);
	}
	arena_release(&f->engine.run.mem);
	arena_release(&f->engine.run.look);
	free(f);
	return 0;
}

static void plan(struct fixture *f, const char *text)
{
	struct engine_run *run = &f->engine.run;
	struct config_problems problems;
	struct config_value *root;

	assert_int_equal(config_parse(str_from(text), &run->mem, &root, &f->err), 0);
	assert_int_equal(config_check(root, &run->mem, &problems, &f->err), 0);
	if (problems.errors > 0)
		fail_msg(STR_FMT, STR_ARG(problems.list[0].message));
	assert_int_equal(plan_make(root, &run->mem, &run->plan, &f->err), 0);
	assert_true(run->plan.step_count <= COUNT_OF(f->steps));
	run->steps = f->steps;
	run->resources = f->records;
	run->admitted = f->admitted;
	for (size_t i = 0; i < run->plan.step_count; i++)
		f->steps[i].plan = &run->plan.steps[i];
	for (size_t i = 0; i < run->plan.resource_count; i++)
		f->records[i] = (struct workflow_resource){.kind = run->plan.resources[i].kind,
							   .name = run->plan.resources[i].name,
							   .uid = STR("u"),
							   .spec = STR("{}"),
							   .depends_on = STR("[]"),
							   .checksum = STR("c"),
							   .converged = STR(""),
							   .phase = STR("Created"),
							   .status = STR("{}")};
}

/* The words of a step's command, the state directory written as DIR. */
static struct str command_of(struct fixture *f, enum plan_action action,
			     struct engine_command *command)
{
	struct engine_run *run = &f->engine.run;
	struct str out = STR("");
	size_t folder = strlen(f->folder);

	for (size_t i = 0; i < run->plan.step_count; i++)
		if (f->steps[i].plan->action == action &&
		    engine_command_make(&f->engine, &f->steps[i], command, &f->err) < 0)
			fail_msg("%s", f->err.message);
	for (size_t i = 0; i < command->count; i++) {
		const char *word = command->argv[i];
		bool below = strncmp(word, f->folder, folder) == 0;

		out = arena_printf(&run->mem, STR_FMT "%s%s%s", STR_ARG(out), i ? " " : "",
				   below ? "DIR" : "", below ? word + folder : word);
	}
	return out;
}

static void expect(struct fixture *f, enum plan_action action, const char *expected)
{
	struct engine_command command;
	struct str got = command_of(f, action, &command);

	assert_string_equal(got.ptr, expected);
	assert_true(command.lasting);
}

#define PROXY(DESTINATION, SINK)                                                   \
	"shardlift capture --name front --listen-port 9300 --listen-host 0.0.0.0 " \
	"--num-threads 1 --max-traffic-buffer-size 1048576 --capture-timeout 10s " \
	"--set-header A: b --destination-uri " DESTINATION " " SINK " --state-dir DIR"

#define REPLAY(INPUT)                                                                        \
	"shardlift replay --follow --source-versions --name front-new-mirror " INPUT         \
	" --speedup-factor 2.5 --lookahead-time-window 400 --max-concurrent-requests 10000 " \
	"--num-client-threads 0 --packet-timeout-seconds 360 --quiescent-period-ms 700 "     \
	"--target-response-timeout 150 --tuple-s3-prefix tuples/ "                           \
	"--tuple-max-buffer-seconds 60 --tuple-max-file-size-mb 256 --tuple-max-per-file 0 " \
	"--tuples DIR/tuples/front-new-mirror --target-host http://os:9201/ --state-dir DIR"

static void both_use_the_segment_log_of_the_proxy(void **state)
{
	struct fixture *f = *state;

	plan(f, CLUSTERS TRAFFIC);
	expect(f, PLAN_CAPTURE, PROXY("http://es:9200", "--log DIR/capture/front --sync interval"));
	expect(f, PLAN_REPLAY,
	       REPLAY("--input DIR/capture/front --group replayer-front-new-mirror"));
}

#define SCRAM                                                                              \
	"--kafka-brokers k:9092 --kafka-topic front --kafka-sasl-mechanism SCRAM-SHA-512 " \
	"--kafka-username user --kafka-tls --kafka-ca-cert DIR/secrets/authority/ca.crt"

static void both_use_the_kafka_that_is_there(void **state)
{
	struct fixture *f = *state;
	struct engine_command command;
	bool found = false;

	assert_int_equal(workflow_secret_write(f->folder, STR("login"), STR("user:pass"), &f->err),
			 0);
	plan(f, KAFKA CLUSTERS TRAFFIC);
	expect(f, PLAN_CAPTURE, PROXY("http://es:9200", SCRAM));
	expect(f, PLAN_REPLAY, REPLAY("--kafka-group replayer-front-new-mirror " SCRAM));
	command_of(f, PLAN_CAPTURE, &command);
	for (size_t i = 0; i < command.environment_count; i++)
		found |= strcmp(command.environment[i], "SHARDLIFT_KAFKA_PASSWORD=pass") == 0;
	assert_true(found);
}

static struct engine_step *step_of(struct fixture *f, enum plan_action action)
{
	for (size_t i = 0; i < f->engine.run.plan.step_count; i++)
		if (f->steps[i].plan->action == action)
			return &f->steps[i];
	fail_msg("there is no such step");
	return NULL;
}

/* --- As pods --- */

#define PLAIN_KAFKA \
	"kafkaClusterConfiguration: {default: {existing: {kafkaConnection: \"k:9092\"}}}\n"
#define PODS(PROXY, REPLAYER)                                              \
	"traffic:\n"                                                       \
	"  proxies: {front: {source: old, proxyConfig: {listenPort: 9300," \
	" tls: {mode: plaintext}, " PROXY "}}}\n"                          \
	"  replayers: {mirror: {fromCapturedTraffic: front, toTarget: new" REPLAYER "}}\n"

static int set_up_pods(void **state)
{
	int rc = set_up(state);
	struct fixture *f = *state;

	f->engine.platform = PLATFORM_KUBERNETES;
	setenv("SHARDLIFT_PLATFORM", "kubernetes", 1);
	return rc;
}

static int tear_down_pods(void **state)
{
	unsetenv("SHARDLIFT_PLATFORM");
	return tear_down(state);
}

static struct str task_of(struct fixture *f, enum plan_action action)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct engine_command command;
	struct engine_step *step = step_of(f, action);

	command_of(f, action, &command);
	json_write(&text,
		   engine_platform_task(&f->engine, step, engine_platform_workers(&f->engine, step),
					&command));
	return arena_str(&f->engine.run.mem, buf_str(&text));
}

static void has(struct str text, const char *part)
{
	if (!strstr(text.ptr, part))
		fail_msg("%s is not in %s", part, text.ptr);
}

static void in_pods_a_proxy_has_replicas_behind_a_service(void **state)
{
	struct fixture *f = *state;
	struct str task;

	plan(f, PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3", ""));
	f->engine.run.record.workflow = STR("default");
	task = task_of(f, PLAN_CAPTURE);
	has(task, "\"kind\":\"lasting\"");
	has(task, "\"service\":{\"name\":\"front\",\"port\":9300,\"type\":\"LoadBalancer\","
		  "\"internetFacing\":false}");
	has(task, "\"probe\":[\"shardlift\",\"capture\",\"control\",\"front\",\"status\"");
	has(task, "\"replicas\":3");
	/* What a pod would spool is gone with it. */
	has(task, "\"--on-capture-failure\",\"block\"");
	has(task, "\"migrations.opensearch.org/task\":\"captureProxy\"");
	task = task_of(f, PLAN_REPLAY);
	has(task, "\"kind\":\"lasting\"");
	has(task, "\"--kafka-group\",\"replayer-front-new-mirror\"");
	has(task, "\"/var/lib/shardlift/tuples/front-new-mirror\"");
	has(task, "\"--tuple-max-total-size-mb\",\"1024\"");
	has(task, "\"stateMb\":1280");
	assert_null(strstr(task.ptr, "\"service\""));
}

static void in_pods_tuples_take_what_is_configured(void **state)
{
	struct fixture *f = *state;
	struct str task;

	plan(f, PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3",
					  ", replayerConfig: {tupleMaxTotalSizeMb: 0}"));
	f->engine.run.record.workflow = STR("default");
	task = task_of(f, PLAN_REPLAY);
	assert_null(strstr(task.ptr, "--tuple-max-total-size-mb"));
	assert_null(strstr(task.ptr, "stateMb"));
	plan(f,
	     PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3",
				       ", replayerConfig: {tupleS3Bucket: b, tupleS3Region: r}"));
	task = task_of(f, PLAN_REPLAY);
	assert_null(strstr(task.ptr, "--tuple-max-total-size-mb"));
	assert_null(strstr(task.ptr, "stateMb"));
}

static struct str checksum_of(struct fixture *f)
{
	struct engine_command command;

	command_of(f, PLAN_CAPTURE, &command);
	return arena_str(&f->engine.run.mem,
			 engine_platform_checksum(&f->engine, step_of(f, PLAN_CAPTURE), &command));
}

static void in_pods_a_new_run_is_no_edit_and_more_replicas_are_one(void **state)
{
	struct fixture *f = *state;
	struct str before;

	plan(f, PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3", ""));
	f->engine.run.record.id = 1;
	before = checksum_of(f);
	f->engine.run.record.id = 2;
	step_of(f, PLAN_CAPTURE)->record.attempt = 7;
	assert_string_equal(checksum_of(f).ptr, before.ptr);
	plan(f, PLAIN_KAFKA CLUSTERS PODS("podReplicas: 4", ""));
	assert_string_not_equal(checksum_of(f).ptr, before.ptr);
}

static void refused(struct fixture *f, const char *text, const char *part)
{
	struct engine_run *run = &f->engine.run;
	struct config_value *root;

	assert_int_equal(config_parse(str_from(text), &run->mem, &root, &f->err), 0);
	plan(f, text);
	assert_int_equal(plan_check_supported(root, &run->plan, &f->err), -ERR_UNSUPPORTED);
	if (!strstr(f->err.message, part))
		fail_msg("%s is not in %s", part, f->err.message);
}

static void what_pods_cannot_carry_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	refused(f, CLUSTERS PODS("podReplicas: 3", ""),
		"captureproxy.front: a log of captured traffic in a pod");
	refused(f, PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3", ", cutOver: true"),
		"trafficreplay.front-new-mirror: cutOver: ");
	refused(f, PLAIN_KAFKA CLUSTERS PODS("onCaptureFailure: spool", ""),
		"captureproxy.front: onCaptureFailure: ");
	refused(f,
		PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3",
					  ", replayerConfig: {kafkaTrafficPropertyFile: /t}"),
		"the file of kafkaTrafficPropertyFile is not in a pod; take it out");
}

static void a_proxy_that_was_switched_is_started_for_the_target(void **state)
{
	struct fixture *f = *state;
	struct engine_command planned, switched;
	size_t proxy = 0;
	struct str before;

	plan(f, CLUSTERS TRAFFIC);
	while (f->steps[proxy].plan->action != PLAN_CAPTURE)
		proxy++;
	before = command_of(f, PLAN_CAPTURE, &planned);
	assert_int_equal(engine_resource_set_fact(&f->engine, f->steps[proxy].plan->resource,
						  "destination", STR("http://os:9201"), &f->err),
			 0);
	expect(f, PLAN_CAPTURE, PROXY("http://os:9201", "--no-capture"));
	/* That is no edit: it is not started anew for it. */
	f->steps[proxy].as_planned = true;
	assert_string_equal(command_of(f, PLAN_CAPTURE, &switched).ptr, before.ptr);
}

#define THROUGH                                                                               \
	"traffic:\n"                                                                          \
	"  proxies:\n"                                                                        \
	"    front: {source: old, proxyConfig: {listenPort: 9300, tls: {mode: plaintext}}}\n" \
	"    back: {source: live, proxyConfig: {listenPort: 9301, tls: {mode: plaintext}}}\n" \
	"  replayers: {mirror: {fromCapturedTraffic: front, toTarget: new, cutOver: true,\n"  \
	"    cutOverThrough: back}}\n"

#define BOTH_WAYS                                                                \
	"sourceClusters: {old: {endpoint: \"http://es\", version: ES 7.10.2},\n" \
	"  live: {endpoint: \"http://os:9201/\", version: OS 2.19.1}}\n"         \
	"targetClusters: {new: {endpoint: \"http://os:9201/\"}}\n"               \
	"snapshotMigrationConfigs: []\n"

static void who_approves_is_told_of_the_target_behind_another_proxy(void **state)
{
	struct fixture *f = *state;
	struct plan *all = &f->engine.run.plan;
	struct str text;

	plan(f, BOTH_WAYS THROUGH);
	for (size_t i = 0; i < all->step_count; i++)
		f->steps[i].record.resource =
			plan_resource_label(all, all->steps[i].resource, &f->engine.run.mem);
	text = engine_cut_over_text(&f->engine, step_of(f, PLAN_CUT_OVER));
	assert_non_null(strstr(text.ptr, "to the target http://os:9201, which has to know their "
					 "credentials, through the proxy at "
					 "http://127.0.0.1:9301;"));
}

/* A run that is at work; nothing of it may be started. */
static void put_run(struct fixture *f)
{
	struct engine_run *run = &f->engine.run;

	assert_int_equal(workflow_run_submit(f->engine.state, "default", STR(CLUSTERS TRAFFIC), 1,
					     &run->record.id, &f->err),
			 0);
	run->record.workflow = STR("default");
	for (size_t i = 0; i < run->plan.step_count; i++) {
		struct workflow_step *record = &f->steps[i].record;

		record->run = run->record.id;
		record->name = record->title = run->plan.steps[i].name;
		record->group = record->resource = record->message = STR("");
		record->progress = record->log = record->child = STR("");
		record->phase = STEP_SUCCEEDED;
		f->steps[i].not_before_ms = INT64_MAX;
	}
	for (size_t i = 0; i < run->plan.resource_count; i++) {
		assert_int_equal(workflow_resource_put(f->engine.state, &f->records[i], &f->err),
				 0);
		f->admitted[i] = true;
	}
}

static void what_is_in_the_way_of_pods_is_told_by_their_step(void **state)
{
	struct fixture *f = *state;
	struct engine_step *proxy;
	struct str note;

	plan(f, PLAIN_KAFKA CLUSTERS PODS("podReplicas: 3", ""));
	put_run(f);
	proxy = step_of(f, PLAN_CAPTURE);
	process_identity_self(&f->engine.self);
	proxy->service =
		(struct engine_service){.process = f->engine.self, .looked = true, .ready = true};
	note = arena_str(&f->engine.run.mem, engine_platform_note(&f->engine, proxy));
	assert_int_equal(small_file_replace(note.ptr, STR("pod x has no image"), &f->err), 0);
	assert_int_equal(engine_traffic_look(&f->engine, proxy, &f->err), 0);
	assert_true(str_is(proxy->record.message, "pod x has no image"));
	assert_int_equal(proxy->record.phase, STEP_SUCCEEDED);
	assert_int_equal(small_file_remove(note.ptr, &f->err), 0);
	assert_int_equal(engine_traffic_look(&f->engine, proxy, &f->err), 0);
	assert_true(str_is(proxy->record.message, "running"));
}

static void a_cut_over_of_an_engine_before_us_comes_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct plan *all = &f->engine.run.plan;
	struct engine_step *replay, *cut_over;

	plan(f, BOTH_WAYS THROUGH);
	put_run(f);
	for (size_t i = 0; i < all->step_count; i++)
		f->steps[i].record.resource =
			plan_resource_label(all, all->steps[i].resource, &f->engine.run.mem);
	replay = step_of(f, PLAN_REPLAY);
	cut_over = step_of(f, PLAN_CUT_OVER);
	cut_over->record.phase = STEP_RUNNING;
	assert_int_equal(engine_resource_set_fact(&f->engine, cut_over->plan->resource, "cutOver",
						  STR("done"), &f->err),
			 0);
	/* It died before it ended the replayer, which is gone by itself. */
	assert_int_equal(engine_traffic_look(&f->engine, replay, &f->err), 0);
	assert_true(replay->service.retired);
	assert_int_equal(engine_cut_over_look(&f->engine, cut_over, &f->err), 0);
	assert_int_equal(cut_over->record.phase, STEP_SUCCEEDED);
}

static void a_proxy_that_was_reset_is_not_started_again(void **state)
{
	struct fixture *f = *state;
	const struct engine_step *proxy;
	struct workflow_resource *record;
	struct workflow_run run;
	bool busy;

	plan(f, CLUSTERS TRAFFIC);
	put_run(f);
	proxy = step_of(f, PLAN_CAPTURE);
	step_of(f, PLAN_REPLAY)->service.retired = true; /* it was reset first */
	record = &f->records[proxy->plan->resource];
	record->phase = STR("Deleting");
	assert_int_equal(workflow_resource_put(f->engine.state, record, &f->err), 0);
	record->phase = STR("Ready");
	assert_int_equal(engine_run_look(&f->engine, &busy, &f->err), 0);
	assert_int_equal(proxy->record.phase, STEP_FAILED);
	assert_int_equal(
		workflow_run_read(f->engine.state, "default", 0, &f->engine.run.mem, &run, &f->err),
		1);
	assert_int_equal(run.phase, WORKFLOW_FAILED);
	assert_non_null(strstr(run.message.ptr, "`workflow submit`"));
}

#define BACKFILL                                                                                \
	"sourceClusters: {old: {endpoint: \"http://es\", version: ES 7.10.2, snapshotInfo: {\n" \
	"  repos: {r: {repoPathUri: \"file:///r\"}},\n"                                         \
	"  snapshots: {s: {repoName: r, config: {createSnapshotConfig: {}}}}}}}\n"              \
	"targetClusters: {new: {endpoint: \"http://os:9201/\"}}\n"                              \
	"snapshotMigrationConfigs: [{fromSource: old, toTarget: new, perSnapshotConfig: {\n"    \
	"  s: [{documentBackfillConfig: {}}]}}]\n"

static void a_reset_finds_all_work_items_though_the_allowlist_grew(void **state)
{
	struct fixture *f = *state;
	static const char *const sessions[] = {"first", "second"};
	struct engine_command command;
	size_t index;

	plan(f, BACKFILL);
	index = step_of(f, PLAN_BACKFILL)->plan->resource;
	for (size_t i = 0; i < COUNT_OF(sessions); i++) {
		f->engine.run.plan.resources[index].session = str_from(sessions[i]);
		command_of(f, PLAN_BACKFILL, &command);
	}
	assert_true(str_is(engine_resource_fact(&f->engine, index, "rfs-first"), "work"));
	assert_true(str_is(engine_resource_fact(&f->engine, index, "rfs-second"), "work"));
}

static void a_proxy_that_runs_is_looked_after_though_a_check_failed(void **state)
{
	struct fixture *f = *state;
	const struct engine_step *proxy;
	bool busy;

	plan(f, CLUSTERS TRAFFIC);
	put_run(f);
	proxy = step_of(f, PLAN_CAPTURE);
	step_of(f, PLAN_CHECK)->record.phase = STEP_FAILED;
	step_of(f, PLAN_CAPTURE)->record.phase = STEP_PENDING;
	step_of(f, PLAN_REPLAY)->record.phase = STEP_PENDING;
	f->records[proxy->plan->resource].converged = proxy->plan->inputs;
	assert_int_equal(engine_run_look(&f->engine, &busy, &f->err), 0);
	assert_true(busy && proxy->service.looked);
	for (size_t i = 0; i < f->engine.run.plan.step_count; i++)
		arena_release(&f->steps[i].mem);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define P(f) cmocka_unit_test_setup_teardown(f, set_up_pods, tear_down_pods)
	const struct CMUnitTest tests[] = {
		T(both_use_the_segment_log_of_the_proxy),
		T(both_use_the_kafka_that_is_there),
		T(a_proxy_that_was_switched_is_started_for_the_target),
		T(who_approves_is_told_of_the_target_behind_another_proxy),
		T(a_reset_finds_all_work_items_though_the_allowlist_grew),
		T(a_proxy_that_runs_is_looked_after_though_a_check_failed),
		T(a_cut_over_of_an_engine_before_us_comes_to_its_end),
		T(a_proxy_that_was_reset_is_not_started_again),
		P(in_pods_a_proxy_has_replicas_behind_a_service),
		P(in_pods_tuples_take_what_is_configured),
		P(in_pods_a_new_run_is_no_edit_and_more_replicas_are_one),
		P(what_is_in_the_way_of_pods_is_told_by_their_step),
		P(what_pods_cannot_carry_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
