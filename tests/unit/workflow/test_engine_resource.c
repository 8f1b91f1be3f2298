#include "workflow/engine_internal.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define SPEC                                                                   \
	"{\"source\":{\"name\":\"old\"},\"snapshot\":\"first\",\"create\":{}," \
	"\"repository\":{\"name\":\"backups\"}}"

/* One snapshot, and the step that takes it. */
struct fixture {
	char folder[64];
	struct engine_options options;
	struct engine engine;
	struct plan_resource resource;
	struct plan_step plan_step;
	struct engine_step step;
	struct workflow_resource record;
	bool admitted;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct engine_run *run = &f->engine.run;

	strcpy(f->folder, "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->options.state_dir = f->folder;
	f->engine.options = &f->options;
	assert_int_equal(workflow_state_open(f->folder, &f->engine.state, &f->err), 0);
	run->mem = run->look = ARENA_INIT(MIB(4));
	run->record = (struct workflow_run){.id = 1, .workflow = STR("default")};
	f->resource = (struct plan_resource){
		.kind = STR("datasnapshot"), .name = STR("old-first"), .checksum = STR("0123")};
	assert_int_equal(json_parse(STR(SPEC), &run->mem, &f->resource.spec, &f->err), 0);
	f->plan_step = (struct plan_step){.action = PLAN_SNAPSHOT_CREATE,
					  .name = STR("createsnapshot.old-first"),
					  .inputs = STR("4567")};
	f->step.plan = &f->plan_step;
	run->plan = (struct plan){&f->resource, 1, &f->plan_step, 1};
	run->steps = &f->step;
	run->resources = &f->record;
	run->admitted = &f->admitted;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"/state.db", "/state.db-wal", "/state.db-shm", ""};
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

/* What the next engine begins with. */
static void forget(struct fixture *f)
{
	arena_reset(&f->engine.run.look);
	f->record = (struct workflow_resource){0};
	f->admitted = false;
}

static void a_snapshot_that_an_engine_before_took_keeps_its_name(void **state)
{
	struct fixture *f = *state;
	struct str name;
	char before[128];

	assert_int_equal(engine_resource_admit(&f->engine, 0, &f->err), 0);
	assert_true(f->admitted);
	assert_int_equal(engine_snapshot_name(&f->engine, 0, &name, &f->err), 0);
	snprintf(before, sizeof(before), STR_FMT, STR_ARG(name));
	assert_int_equal(engine_step_mark_done(&f->engine, &f->step, &f->err), 0);
	forget(f);
	/* Its step is done: only what depends on it asks for it. */
	assert_int_equal(engine_resource_load(&f->engine, 0, &f->err), 0);
	assert_false(f->admitted);
	assert_int_equal(engine_snapshot_name(&f->engine, 0, &name, &f->err), 0);
	assert_true(str_is(name, before));
}

static void a_step_that_was_done_with_errors_is_known_as_such(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(engine_resource_admit(&f->engine, 0, &f->err), 0);
	f->step.imperfect = true;
	assert_int_equal(engine_step_mark_done(&f->engine, &f->step, &f->err), 0);
	forget(f);
	assert_int_equal(engine_resource_admit(&f->engine, 0, &f->err), 0);
	assert_true(engine_step_is_done(&f->engine, &f->step));
	assert_true(engine_step_was_imperfect(&f->engine, &f->step));
	f->step.imperfect = false;
	assert_int_equal(engine_step_mark_done(&f->engine, &f->step, &f->err), 0);
	assert_false(engine_step_was_imperfect(&f->engine, &f->step));
}

static void a_resource_that_was_reset_is_missed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(engine_resource_lasts(&f->engine, 0, &f->err), 1);
	assert_int_equal(engine_resource_admit(&f->engine, 0, &f->err), 0);
	assert_int_equal(engine_resource_lasts(&f->engine, 0, &f->err), 1);
	assert_int_equal(workflow_resource_remove(f->engine.state, f->resource.kind.ptr,
						  f->resource.name, &f->err),
			 0);
	assert_int_equal(engine_resource_lasts(&f->engine, 0, &f->err), 0);
}

/* For as long as somebody thinks it over. */
static void an_edit_that_waits_takes_no_memory(void **state)
{
	struct fixture *f = *state;
	size_t used;

	assert_int_equal(engine_resource_admit(&f->engine, 0, &f->err), 0);
	assert_int_equal(engine_step_mark_done(&f->engine, &f->step, &f->err), 0);
	forget(f);
	f->resource.checksum = STR("89ab");
	assert_int_equal(engine_resource_load(&f->engine, 0, &f->err), 0);
	used = f->engine.run.mem.used;
	for (size_t i = 0; i < 20; i++) {
		arena_reset(&f->engine.run.look);
		assert_int_equal(engine_resource_admit(&f->engine, 0, &f->err), 0);
		assert_false(f->admitted);
		assert_false(engine_step_is_done(&f->engine, &f->step) &&
			     engine_step_was_imperfect(&f->engine, &f->step));
	}
	assert_int_equal(f->engine.run.mem.used, used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_snapshot_that_an_engine_before_took_keeps_its_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_step_that_was_done_with_errors_is_known_as_such,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_resource_that_was_reset_is_missed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_edit_that_waits_takes_no_memory, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
