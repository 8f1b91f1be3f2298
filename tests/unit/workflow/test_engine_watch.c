/* What the engine does for processes that outlive it: logs that stay bounded, replacements that
 * somebody resets meanwhile, and those of a run before a pilot. */
#include "plan_clusters.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "base/state_dir.h"
#include "workflow/config_check.h"
#include "workflow/engine_traffic.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define PROXY                                                                            \
	CLUSTERS                                                                         \
	"traffic: {proxies: {front: {source: old, skipApproval: true,\n"                 \
	"  proxyConfig: {listenPort: 9300, noCapture: true, tls: {mode: plaintext}}}}, " \
	"replayers: {}}\n"
#define REPLAYER                                                              \
	CLUSTERS                                                              \
	"traffic: {proxies: {front: {source: old, skipApproval: true,\n"      \
	"  proxyConfig: {listenPort: 9300, tls: {mode: plaintext}}}},\n"      \
	"  replayers: {mirror: {fromCapturedTraffic: front, toTarget: new,\n" \
	"  replayerConfig: {}}}}\n"
#define PILOT                                                \
	"requireBeginApproval: true\n"                       \
	"sourceClusters: {}\n"                               \
	"targetClusters: {new: {endpoint: \"http://os\"}}\n" \
	"snapshotMigrationConfigs: []\n"

struct fixture {
	char folder[64];
	struct engine_options options;
	struct engine engine;
	struct arena mem;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	strcpy(f->folder, "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->mem = ARENA_INIT(MIB(64));
	f->options.state_dir = f->folder;
	f->engine.options = &f->options;
	process_identity_self(&f->engine.self);
	assert_int_equal(workflow_state_open(f->folder, &f->engine.state, &f->err), 0);
	*state = f;
	return 0;
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *where)
{
	(void)about, (void)type, (void)where;
	return remove(path);
}

static void release(struct engine_run *run)
{
	for (size_t i = 0; run->steps && i < run->plan.step_count; i++)
		arena_release(&run->steps[i].mem);
	arena_release(&run->mem);
	arena_release(&run->look);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	release(&f->engine.run);
	release(&f->engine.beside);
	workflow_state_close(f->engine.state);
	nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	arena_release(&f->mem);
	free(f);
	return 0;
}

static int64_t size_of(const char *path)
{
	struct stat about;

	return stat(path, &about) < 0 ? -1 : about.st_size;
}

static void a_log_that_is_too_long_goes_aside_once(void **state)
{
	struct fixture *f = *state;
	cleanup(buf_release) struct buf block = BUF_INIT(MIB(2));
	char path[128], old[136];
	int fd;

	snprintf(path, sizeof(path), "%s/x.log", f->folder);
	snprintf(old, sizeof(old), "%s.old", path);
	memset(buf_reserve(&block, MIB(1)), 'x', MIB(1));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ENGINE_LOG_MAX / MIB(1); i++)
			assert_int_equal(write(fd, block.ptr, MIB(1)), MIB(1));
		engine_log_bound(f->folder, STR("x.log"));
		assert_int_equal(size_of(path), ENGINE_LOG_MAX);
		assert_int_equal(write(fd, "end\n", 4), 4);
		engine_log_bound(f->folder, STR("x.log"));
		assert_int_equal(size_of(path), 0);
		assert_int_equal(size_of(old), ENGINE_LOG_MAX + 4);
	}
	/* Its process goes on at the new end. */
	assert_int_equal(write(fd, "more\n", 5), 5);
	assert_int_equal(size_of(path), 5);
	close(fd);
}

/* The plan of a run that is at work, all of it admitted. */
static void take_up(struct fixture *f, const char *text)
{
	struct engine_run *run = &f->engine.run;
	struct config_problems problems;
	struct config_value *root;

	run->mem = run->look = ARENA_INIT(MIB(64));
	assert_int_equal(config_parse(str_from(text), &run->mem, &root, &f->err), 0);
	assert_int_equal(config_check(root, &run->mem, &problems, &f->err), 0);
	if (problems.errors > 0)
		fail_msg(STR_FMT, STR_ARG(problems.list[0].message));
	assert_int_equal(plan_make(root, &run->mem, &run->plan, &f->err), 0);
	run->steps = arena_zalloc(&run->mem, run->plan.step_count, sizeof(*run->steps));
	run->resources = arena_zalloc(&run->mem, run->plan.resource_count, sizeof(*run->resources));
	run->admitted = arena_zalloc(&run->mem, run->plan.resource_count, sizeof(bool));
	for (size_t i = 0; i < run->plan.step_count; i++)
		run->steps[i] =
			(struct engine_step){.plan = &run->plan.steps[i],
					     .record = {.name = run->plan.steps[i].name,
							.resource = STR("captureproxy.front"),
							.run = run->record.id}};
	for (size_t i = 0; i < run->plan.resource_count; i++) {
		const struct plan_resource *wanted = &run->plan.resources[i];

		run->resources[i] = (struct workflow_resource){.kind = wanted->kind,
							       .name = wanted->name,
							       .uid = STR("u"),
							       .spec = STR("{}"),
							       .depends_on = STR("[]"),
							       .checksum = wanted->checksum,
							       .converged = wanted->checksum,
							       .phase = STR("Ready"),
							       .status = STR("{}")};
		run->admitted[i] = true;
		assert_int_equal(
			workflow_resource_put(f->engine.state, &run->resources[i], &f->err), 0);
	}
}

static struct engine_step *step_of(struct engine_run *run, enum plan_action action)
{
	for (size_t i = 0; i < run->plan.step_count; i++)
		if (run->steps[i].plan->action == action)
			return &run->steps[i];
	fail_msg("there is no such step");
	return NULL;
}

static struct engine_step *proxy_of(struct engine_run *run)
{
	return step_of(run, PLAN_CAPTURE);
}

/* After somebody has begun to reset it, and before the engine has seen that. */
static void what_is_being_reset_is_not_started_again(void **state)
{
	struct fixture *f = *state;
	struct engine_step *proxy;
	struct workflow_resource record;

	take_up(f, PROXY);
	proxy = proxy_of(&f->engine.run);
	record = f->engine.run.resources[proxy->plan->resource];
	record.phase = STR("Deleting");
	assert_int_equal(workflow_resource_put(f->engine.state, &record, &f->err), 0);
	assert_int_equal(engine_traffic_look(&f->engine, proxy, &f->err), 0);
	assert_int_equal(proxy->service.process.pid, 0);
	assert_non_null(strstr(proxy->record.message.ptr, "being reset"));
	/* Nor is its record brought back. */
	assert_int_equal(engine_resource_set_ready(&f->engine, proxy->plan->resource, &f->err), 0);
	assert_int_equal(
		engine_resource_set_fact(&f->engine, proxy->plan->resource, "a", STR("b"), &f->err),
		0);
	assert_int_equal(workflow_resource_read(f->engine.state, "captureproxy", STR("front"),
						&f->mem, &record, &f->err),
			 1);
	assert_string_equal(record.phase.ptr, "Deleting");
}

/* It is gone, having said why. */
static void dies(struct fixture *f, struct engine_step *step, const char *said)
{
	struct str name = f->engine.run.plan.resources[step->plan->resource].name;
	char path[128];

	snprintf(path, sizeof(path), "%s/run", f->folder);
	assert_int_equal(directory_make(path, &f->err), 0);
	snprintf(path, sizeof(path), "%s/run/" STR_FMT ".exit", f->folder, STR_ARG(name));
	assert_int_equal(small_file_replace(path, str_from(said), &f->err), 0);
	step->service.process = (struct process_identity){
		.pid = 1, .pid_namespace = f->engine.self.pid_namespace + 1};
	step->not_before_ms = INT64_MAX;
	assert_int_equal(engine_traffic_look(&f->engine, step, &f->err), 0);
}

static void what_never_ran_is_given_up_after_ten_deaths(void **state)
{
	struct fixture *f = *state;
	struct engine_step *proxy;

	take_up(f, PROXY);
	proxy = proxy_of(&f->engine.run);
	f->engine.run.resources[proxy->plan->resource].converged = STR("");
	proxy->record.log = STR("logs/1/captureproxy.front.1.log");
	proxy->record.phase = STEP_RUNNING;
	proxy->service.looked = true;
	for (unsigned death = 1; death <= 10; death++) {
		assert_int_not_equal(proxy->record.phase, STEP_FAILED);
		dies(f, proxy, "{\"code\":6,\"reason\":\"port 9300 is in use\"}");
	}
	assert_int_equal(proxy->record.phase, STEP_FAILED);
	assert_string_equal(proxy->record.message.ptr,
			    "code 6: port 9300 is in use (started 10 times); "
			    "logs/1/captureproxy.front.1.log in the state directory tells more "
			    "(`workflow log resource captureproxy.front`), `workflow submit` tries "
			    "again");
}

/* One that ran, and always ends again at once. */
static struct engine_step *take_up_running(struct fixture *f, enum plan_action action)
{
	struct engine_step *step;

	take_up(f, REPLAYER);
	step = step_of(&f->engine.run, action);
	step->record.log = STR("logs/1/a.log");
	step->record.phase = STEP_SUCCEEDED;
	step->service.looked = true;
	return step;
}

static void a_replayer_that_cannot_go_on_is_given_up_after_ten_deaths(void **state)
{
	struct fixture *f = *state;
	struct engine_step *replayer = take_up_running(f, PLAN_REPLAY);

	for (unsigned death = 1; death <= 10; death++) {
		assert_int_equal(replayer->record.phase, STEP_SUCCEEDED);
		dies(f, replayer, "{\"code\":6,\"reason\":\"Too many open files\"}");
	}
	assert_int_equal(replayer->record.phase, STEP_FAILED);
	assert_non_null(strstr(replayer->record.message.ptr,
			       "code 6: Too many open files (started 10 times)"));
}

static void what_may_find_its_target_again_is_not_given_up(void **state)
{
	struct fixture *f = *state;
	struct engine_step *replayer = take_up_running(f, PLAN_REPLAY);

	for (unsigned death = 1; death <= 12; death++)
		dies(f, replayer, "{\"code\":3,\"reason\":\"connection refused\"}");
	dies(f, replayer, "{\"code\":6,\"reason\":\"no space left on device\"}");
	assert_int_equal(replayer->record.phase, STEP_SUCCEEDED);
	/* Nor is one that nobody waits for. */
	f->engine.run.ended = true;
	for (unsigned death = 1; death <= 12; death++)
		dies(f, replayer, "{\"code\":6,\"reason\":\"no space left on device\"}");
	assert_int_equal(replayer->record.phase, STEP_SUCCEEDED);
}

static void a_proxy_that_clients_had_is_never_given_up(void **state)
{
	struct fixture *f = *state;
	struct engine_step *proxy = take_up_running(f, PLAN_CAPTURE);

	for (unsigned death = 1; death <= 12; death++)
		dies(f, proxy, "{\"code\":6,\"reason\":\"no space left on device\"}");
	assert_int_equal(proxy->record.phase, STEP_SUCCEEDED);
	assert_non_null(strstr(proxy->record.message.ptr, "(attempt 12)"));
}

static int64_t submit(struct fixture *f, const char *text, enum workflow_phase phase)
{
	int64_t id;

	assert_int_equal(workflow_run_submit(f->engine.state, "w", str_from(text), 1, &id, &f->err),
			 0);
	assert_int_equal(workflow_run_set(f->engine.state, id, phase, STR(""), 2, &f->err), 0);
	return id;
}

/* Of a run that is over: its step was done. */
static void put_done(struct fixture *f, int64_t run)
{
	const struct workflow_step step = {.run = run,
					   .name = STR("captureproxy.front"),
					   .group = STR("front"),
					   .title = STR("Capture Proxy"),
					   .resource = STR("captureproxy.front"),
					   .position = 1,
					   .phase = STEP_SUCCEEDED,
					   .attempt = 1,
					   .message = STR("running"),
					   .progress = STR(""),
					   .log = STR(""),
					   .child = STR("")};

	assert_int_equal(workflow_step_put(f->engine.state, &step, &f->err), 0);
}

static void a_pilot_leaves_nobody_unwatched(void **state)
{
	struct fixture *f = *state;
	int64_t whole, pilot;
	bool busy;

	take_up(f, PROXY);
	release(&f->engine.run);
	f->engine.run = (struct engine_run){0};
	whole = submit(f, PROXY, WORKFLOW_SUCCEEDED);
	put_done(f, whole);
	pilot = submit(f, PILOT, WORKFLOW_RUNNING);
	assert_int_equal(engine_run_look(&f->engine, &busy, &f->err), 0);
	assert_true(busy);
	assert_int_equal(f->engine.run.record.id, pilot);
	assert_int_equal(f->engine.beside.record.id, whole);
	assert_true(proxy_of(&f->engine.beside)->service.looked);
	/* The next whole one takes them over. */
	whole = submit(f, PROXY, WORKFLOW_RUNNING);
	assert_int_equal(engine_run_look(&f->engine, &busy, &f->err), 0);
	assert_int_equal(f->engine.run.record.id, whole);
	assert_int_equal(f->engine.beside.record.id, 0);
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_log_that_is_too_long_goes_aside_once),
		T(what_is_being_reset_is_not_started_again),
		T(what_never_ran_is_given_up_after_ten_deaths),
		T(a_replayer_that_cannot_go_on_is_given_up_after_ten_deaths),
		T(what_may_find_its_target_again_is_not_given_up),
		T(a_proxy_that_clients_had_is_never_given_up),
		T(a_pilot_leaves_nobody_unwatched),
	};

	/* What the engine starts is this very file: it ends at once. */
	if (argc > 1 && strcmp(argv[1], "capture") == 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
