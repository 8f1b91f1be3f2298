#include "cli/workflow_progress.h"

#include "backfill/coordinator.h"
#include "base/process_identity.h"
#include "base/small_file.h"
#include "cli/progress_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/progress-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];
	static const char *const files[] = {"work/rfs-1.db",
					    "work/rfs-1.db-wal",
					    "work/rfs-1.db-shm",
					    "work",
					    "run/mirror.status",
					    "run/rfs-1.work",
					    "run/verify.7.progress",
					    "run",
					    ""};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(command, sizeof(command), "%s/%s", folder, files[i]);
		remove(command);
	}
	return 0;
}

static const struct workflow_resource resources[] = {
	{.kind = STR("snapshotmigration"),
	 .name = STR("a-b"),
	 .status = STR("{\"workSession\":\"rfs-1\"}")},
	{.kind = STR("trafficreplay"), .name = STR("mirror"), .status = STR("{}")},
	{.kind = STR("captureproxy"), .name = STR("front"), .status = STR("{}")},
};

static struct workflow_place place_of(void)
{
	return (struct workflow_place){.state_dir = folder,
				       .resources = resources,
				       .resource_count = COUNT_OF(resources),
				       .now_ms = 60000};
}

static struct workflow_step step_of(const char *name, const char *resource)
{
	return (struct workflow_step){.name = str_from(name),
				      .resource = str_from(resource),
				      .phase = STEP_RUNNING,
				      .attempt = 1,
				      .started_ms = 50000};
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/run/%s", folder, name);
	assert_int_equal(small_file_replace(path, str_from(text), &err), 0);
}

/* Two shards of one size, the first of them done. */
static void make_work(void)
{
	const struct coordinator_options options = {
		.session = "rfs-1", .lease_ms = 60000, .max_lease_ms = 60000, .max_failures = 5};
	const struct work_item items[] = {{STR("books"), 0, 0, 100, 4096},
					  {STR("books"), 1, 0, 100, 4096}};
	const struct work_progress progress = {.next_doc = 100, .documents = 90, .sent = 90};
	struct coordinator *coordinator;
	struct work_claim claim;
	enum claim_outcome outcome;
	struct err err = {0};
	int64_t wait_ms;
	bool created;

	assert_int_equal(coordinator_local_open(folder, &options, &coordinator, &err), 0);
	assert_int_equal(
		coordinator->ops->create(coordinator, STR("test"), items, 2, &created, &err), 0);
	work_claim_init(&claim);
	assert_int_equal(coordinator->ops->claim(coordinator, &claim, &outcome, &wait_ms, &err), 0);
	assert_int_equal(coordinator->ops->complete(coordinator, &claim, &progress, &err), 0);
	work_claim_release(&claim);
	coordinator->ops->close(coordinator);
}

static void a_backfill_tells_percent_and_time_left_from_its_work_items(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct workflow_step step = step_of("documentbackfill.a-b", "snapshotmigration.a-b");
	struct workflow_place place = place_of();
	struct workflow_progress progress;

	(void)state;
	assert_false(workflow_progress_of_step(&place, &step, &mem, &progress));
	make_work();
	assert_true(workflow_progress_of_step(&place, &step, &mem, &progress));
	assert_int_equal(progress.percent, 50);
	assert_int_equal(progress.seconds_left, 10); /* as long again as it took so far */
	assert_string_equal(progress.text.ptr,
			    "50%, 4.0 KiB of 8.0 KiB, 90 documents, shards 1/2 done, 0 in "
			    "progress, 1 waiting, ETA 0:10");
	assert_int_equal(json_i64_or(json_get(progress.json, "percent"), 0), 50);
	assert_int_equal(json_i64_or(json_get(progress.json, "eta_ms"), 0), 10000);
	step.attempt = 0;
	assert_false(workflow_progress_of_step(&place, &step, &mem, &progress));
}

static void a_backfill_in_pods_tells_what_was_seen_in_the_target_last(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct workflow_step step = step_of("documentbackfill.a-b", "snapshotmigration.a-b");
	struct workflow_place place = place_of();
	struct workflow_progress progress;

	(void)state;
	write_file("rfs-1.work", "{\"sessions\":[]}");
	assert_false(workflow_progress_of_step(&place, &step, &mem, &progress));
	write_file("rfs-1.work",
		   "{\"sessions\":[{\"session\":\"rfs-1\",\"seconds_left\":null,\"total\":{"
		   "\"items\":{\"waiting\":1,\"leased\":1,\"done\":2,\"parked\":0},"
		   "\"documents\":90,\"sent\":90,\"failed\":3,\"bytes_done\":4096,"
		   "\"bytes_total\":8192}}]}");
	assert_true(workflow_progress_of_step(&place, &step, &mem, &progress));
	assert_string_equal(progress.text.ptr,
			    "50%, 4.0 KiB of 8.0 KiB, 90 documents, shards 2/4 done, 1 in "
			    "progress, 1 waiting, 3 failed, ETA 0:10");
	assert_int_equal(json_i64_or(json_get(progress.json, "seconds_left"), 0), 10);
}

static void a_snapshot_tells_what_its_step_noted(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct workflow_step step = step_of("createsnapshot.a-first", "datasnapshot.a-first");
	struct workflow_place place = place_of();
	struct workflow_progress progress;

	(void)state;
	assert_false(workflow_progress_of_step(&place, &step, &mem, &progress));
	step.progress = STR("{\"shards_total\":4,\"shards_done\":1,\"shards_failed\":0,"
			    "\"bytes_total\":4096,\"bytes_done\":1024,\"elapsed_ms\":2000}");
	assert_true(workflow_progress_of_step(&place, &step, &mem, &progress));
	assert_string_equal(progress.text.ptr, "25%, shards 1/4, failed 0, 1.0 KiB of 4.0 KiB, "
					       "ETA 0:06");
	step.progress = STR("nonsense");
	assert_false(workflow_progress_of_step(&place, &step, &mem, &progress));
}

static void a_replayer_tells_how_far_it_is_behind(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct workflow_place place = place_of();
	struct workflow_progress progress;

	(void)state;
	assert_false(workflow_progress_of_resource(&place, &resources[1], &mem, &progress));
	write_file("mirror.status",
		   "{\"state\":\"running\",\"source_lag_ms\":65000,\"unread_records\":12,"
		   "\"requests\":100,\"answered\":98,\"outstanding\":2,\"retried\":1}");
	assert_true(workflow_progress_of_resource(&place, &resources[1], &mem, &progress));
	assert_string_equal(progress.text.ptr,
			    "running, 1:05 behind, 12 records to read, 100 requests, 98 answered, "
			    "2 outstanding, 1 retried");
	assert_true(json_get(progress.json, "percent")->type == JSON_NULL);
}

static void a_proxy_that_is_not_there_tells_nothing(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct workflow_place place = place_of();
	struct workflow_progress progress;

	(void)state;
	assert_false(workflow_progress_of_resource(&place, &resources[2], &mem, &progress));
	assert_false(workflow_progress_of_resource(&place, &resources[0], &mem, &progress));
}

static void a_comparison_is_that_of_the_process_that_runs(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct workflow_step step = step_of("verify.a-b", "snapshotmigration.a-b");
	struct workflow_place place = place_of();
	struct workflow_progress progress;

	(void)state;
	step.child = STR("{\"pid\":7,\"start\":\"99\"}");
	write_file("verify.7.progress", "{\"pid\":7,\"start\":\"99\",\"bytes_done\":3072,"
					"\"bytes_total\":4096,\"documents\":30}");
	assert_true(workflow_progress_of_step(&place, &step, &mem, &progress));
	assert_string_equal(progress.text.ptr,
			    "75%, 3.0 KiB of 4.0 KiB, 30 documents compared, ETA 0:03");
	step.child = STR("{\"pid\":7,\"start\":\"100\"}"); /* the number was used again */
	assert_false(workflow_progress_of_step(&place, &step, &mem, &progress));
}

static void the_file_of_a_run_goes_when_it_ends(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct progress counters = {.bytes_total = 10};
	struct process_identity self;
	struct err err;
	const char *path;

	(void)state;
	process_identity_self(&self);
	path = progress_file_path(folder, "verify", self.pid, &mem);
	progress_file_stop(progress_file_start(folder, "verify", &counters));
	assert_int_equal(small_file_read(path, &text, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_backfill_tells_percent_and_time_left_from_its_work_items, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			a_backfill_in_pods_tells_what_was_seen_in_the_target_last, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(a_snapshot_tells_what_its_step_noted, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(a_replayer_tells_how_far_it_is_behind, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(a_proxy_that_is_not_there_tells_nothing,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_comparison_is_that_of_the_process_that_runs,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_file_of_a_run_goes_when_it_ends, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
