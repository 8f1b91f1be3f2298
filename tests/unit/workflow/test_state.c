#include "workflow/state.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char folder[64];
	struct arena mem;
	struct workflow_state *state;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	strcpy(f->folder, "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->mem = ARENA_INIT(MIB(4));
	if (workflow_state_open(f->folder, &f->state, &f->err) < 0)
		fail_msg("%s", f->err.message);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"/state.db", "/state.db-wal", "/state.db-shm", ""};
	struct fixture *f = *state;
	char path[128];

	workflow_state_close(f->state);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s%s", f->folder, names[i]);
		remove(path);
	}
	arena_release(&f->mem);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	workflow_state_close(f->state);
	assert_int_equal(workflow_state_open(f->folder, &f->state, &f->err), 0);
}

static void a_configuration_is_kept_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct str text;

	assert_int_equal(workflow_config_read(f->state, "default", &f->mem, &text, &f->err), 0);
	assert_int_equal(workflow_config_write(f->state, "default", STR("a: 1 # x\n\n"), &f->err),
			 0);
	reopen(f);
	assert_int_equal(workflow_config_read(f->state, "default", &f->mem, &text, &f->err), 1);
	assert_true(str_is(text, "a: 1 # x\n\n"));
	assert_int_equal(workflow_config_clear(f->state, "default", &f->err), 0);
	assert_int_equal(workflow_config_read(f->state, "default", &f->mem, &text, &f->err), 0);
}

static void a_submit_replaces_the_run_before(void **state)
{
	struct fixture *f = *state;
	struct workflow_run run, *runs;
	int64_t first, second;
	size_t count;

	assert_int_equal(workflow_run_submit(f->state, "w", STR("one"), 1000, &first, &f->err), 0);
	assert_int_equal(
		workflow_run_set(f->state, first, WORKFLOW_RUNNING, STR_NONE, 1001, &f->err), 0);
	assert_int_equal(workflow_run_submit(f->state, "w", STR("two"), 1000, &second, &f->err), 0);
	assert_int_equal(first, 1000);
	assert_int_equal(second, 1001);
	/* What an engine that does not know it yet says of the run before changes nothing. */
	assert_int_equal(
		workflow_run_set(f->state, first, WORKFLOW_SUCCEEDED, STR_NONE, 1002, &f->err), 0);
	assert_int_equal(workflow_run_read(f->state, "w", first, &f->mem, &run, &f->err), 1);
	assert_int_equal(run.phase, WORKFLOW_STOPPED);
	assert_int_equal(run.started_ms, 1001);
	assert_int_equal(workflow_run_read(f->state, "w", 0, &f->mem, &run, &f->err), 1);
	assert_true(str_is(run.config, "two"));
	assert_int_equal(run.phase, WORKFLOW_PENDING);
	assert_int_equal(workflow_run_list(f->state, NULL, &f->mem, &runs, &count, &f->err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(workflow_run_read(f->state, "other", 0, &f->mem, &run, &f->err), 0);
}

static void resources_outlive_what_opened_them(void **state)
{
	struct fixture *f = *state;
	struct workflow_resource put = {.kind = STR("datasnapshot"),
					.name = STR("legacy-first"),
					.spec = STR("{\"a\":1}"),
					.checksum = STR("0123456789abcdef"),
					.created_ms = 5};
	struct workflow_resource got, *all;
	size_t count;

	assert_int_equal(workflow_resource_put(f->state, &put, &f->err), 0);
	put.phase = STR("Ready");
	assert_int_equal(workflow_resource_put(f->state, &put, &f->err), 0);
	reopen(f);
	assert_int_equal(
		workflow_resource_read(f->state, "datasnapshot", put.name, &f->mem, &got, &f->err),
		1);
	assert_true(str_is(got.phase, "Ready"));
	assert_true(str_is(got.converged, ""));
	assert_int_equal(workflow_resource_list(f->state, &f->mem, &all, &count, &f->err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(workflow_resource_remove(f->state, "datasnapshot", put.name, &f->err), 0);
	assert_int_equal(workflow_resource_list(f->state, &f->mem, &all, &count, &f->err), 0);
	assert_int_equal(count, 0);
}

static void steps_come_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct workflow_step step = {.run = 1, .name = STR("b"), .position = 1}, *steps;
	size_t count;

	assert_int_equal(workflow_step_put(f->state, &step, &f->err), 0);
	step = (struct workflow_step){.run = 1, .name = STR("a"), .position = 2};
	assert_int_equal(workflow_step_put(f->state, &step, &f->err), 0);
	step.phase = STEP_RUNNING;
	assert_int_equal(workflow_step_put(f->state, &step, &f->err), 0);
	assert_int_equal(workflow_step_list(f->state, 1, &f->mem, &steps, &count, &f->err), 0);
	assert_int_equal(count, 2);
	assert_true(str_is(steps[0].name, "b"));
	assert_int_equal(steps[1].phase, STEP_RUNNING);
}

static void an_approval_holds_for_its_run_only(void **state)
{
	struct fixture *f = *state;
	struct workflow_gate gate = {
		.workflow = STR("w"), .name = STR("begin"), .status = GATE_WAITING, .run = 7};
	struct workflow_gate *gates;
	size_t count;

	assert_int_equal(workflow_gate_approve(f->state, "w", STR("begin"), 1, &f->err),
			 -ERR_NOT_FOUND);
	assert_int_equal(workflow_gate_put(f->state, &gate, &f->err), 0);
	assert_int_equal(workflow_gate_approve(f->state, "w", STR("begin"), 1, &f->err), 0);
	assert_int_equal(workflow_gate_put(f->state, &gate, &f->err), 0);
	assert_int_equal(workflow_gate_list(f->state, "w", &f->mem, &gates, &count, &f->err), 0);
	assert_int_equal(gates[0].status, GATE_APPROVED);
	gate.run = 8;
	assert_int_equal(workflow_gate_put(f->state, &gate, &f->err), 0);
	assert_int_equal(workflow_gate_list(f->state, "w", &f->mem, &gates, &count, &f->err), 0);
	assert_int_equal(gates[0].status, GATE_WAITING);
	assert_int_equal(workflow_gate_remove(f->state, "w", STR("begin"), &f->err), 0);
}

static void readers_look_while_a_writer_is_at_work(void **state)
{
	struct fixture *f = *state;
	struct workflow_state *reader;
	struct str text;

	assert_int_equal(workflow_config_write(f->state, "default", STR("a: 1"), &f->err), 0);
	assert_int_equal(workflow_state_open_read(f->folder, &reader, &f->err), 0);
	assert_int_equal(workflow_config_read(reader, "default", &f->mem, &text, &f->err), 1);
	workflow_state_close(reader);
	assert_int_equal(workflow_state_open_read("/nowhere", &reader, &f->err), -ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_configuration_is_kept_byte_for_byte),
		TEST(a_submit_replaces_the_run_before),
		TEST(resources_outlive_what_opened_them),
		TEST(steps_come_in_their_order),
		TEST(an_approval_holds_for_its_run_only),
		TEST(readers_look_while_a_writer_is_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
