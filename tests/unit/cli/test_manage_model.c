#include "cli/manage_model.h"
#include "cli/manage_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct workflow_run run = {.id = 1, .phase = WORKFLOW_RUNNING};

#define ONE "datasnapshot.a"
#define TWO "snapshotmigration.b"

static const struct workflow_step steps[] = {
	{.name = STR("approve.begin"), .title = STR("Approve Begin"), .phase = STEP_SUCCEEDED},
	{.name = STR("createsnapshot.a"),
	 .resource = STR(ONE),
	 .title = STR("Create Snapshot"),
	 .phase = STEP_SUCCEEDED},
	{.name = STR("documentbackfill.b"),
	 .resource = STR(TWO),
	 .title = STR("Document Backfill"),
	 .attempt = 2,
	 .phase = STEP_RUNNING},
	{.name = STR("approve.documentbackfill.b"),
	 .resource = STR(TWO),
	 .title = STR("Approve Document Backfill"),
	 .phase = STEP_WAITING},
};

static const struct workflow_progress progress[COUNT_OF(steps)] = {
	[2] = {.percent = 50, .seconds_left = 5, .text = STR("50%")}};

static const struct workflow_gate gates[] = {
	{.name = STR("documentbackfill.b"),
	 .category = GATE_STEP,
	 .status = GATE_WAITING,
	 .resource = STR(TWO),
	 .reason = STR("because")},
	{.name = STR("snapshotmigration.b.vapretry"),
	 .category = GATE_RETRY,
	 .status = GATE_WAITING,
	 .resource = STR(TWO),
	 .reason = STR("it was edited"),
	 .prerequisite = STR("workflow reset b")},
};

static struct manage_look look_of(void)
{
	return (struct manage_look){.run = &run,
				    .steps = steps,
				    .progress = progress,
				    .step_count = COUNT_OF(steps),
				    .gates = gates,
				    .gate_count = COUNT_OF(gates)};
}

struct fixture {
	struct arena mem;
	struct manage_model model;
};

static void look_at(struct fixture *f, const struct manage_look *look)
{
	struct err err = {0};

	arena_reset(&f->mem);
	assert_int_equal(manage_model_take(&f->model, look, &f->mem, &err), 0);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct manage_look look = look_of();

	f->mem = (struct arena)ARENA_INIT(MIB(1));
	manage_model_init(&f->model);
	look_at(f, &look);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	manage_model_release(&f->model);
	arena_release(&f->mem);
	free(f);
	return 0;
}

static void rows_are_steps_below_their_resources(void **state)
{
	const struct manage_model *model = &((struct fixture *)*state)->model;

	assert_int_equal(model->count, 7);
	assert_int_equal(model->rows[0].depth, 0);
	assert_string_equal(model->rows[0].state.ptr, "Approved");
	assert_true(str_is(model->rows[1].title, "Snapshot a"));
	assert_true(str_is(model->rows[1].state, "1/1 steps"));
	assert_string_equal(model->rows[1].mark, "✓");
	assert_int_equal(model->rows[2].depth, 1);
	assert_true(str_is(model->rows[3].state, "0/2 steps"));
	assert_string_equal(model->rows[3].mark, "⟳");
	assert_true(str_is(model->rows[4].state, "Running (attempt 2)"));
	assert_int_equal(model->rows[4].progress->percent, 50);
	assert_true(str_is(model->rows[5].state, "waits for you: a approves"));
	assert_ptr_equal(model->rows[5].gate, &gates[0]);
	assert_ptr_equal(model->rows[6].gate, &gates[1]);
}

static void what_is_folded_stays_folded_and_tells_of_what_runs(void **state)
{
	struct fixture *f = *state;
	struct manage_look look = look_of();

	manage_model_move(&f->model, 4, 10);
	manage_model_fold(&f->model);
	look_at(f, &look);
	look_at(f, &look);
	assert_int_equal(f->model.count, 4);
	assert_int_equal(f->model.selected, 3);
	assert_true(f->model.rows[3].folded);
	assert_int_equal(f->model.rows[3].progress->percent, 50);
	manage_model_unfold(&f->model);
	look_at(f, &look);
	assert_int_equal(f->model.count, 7);
}

static void the_selection_follows_its_row(void **state)
{
	struct fixture *f = *state;
	struct manage_look look = look_of();

	manage_model_move(&f->model, 4, 10);
	look.steps++;
	look.progress++;
	look.step_count--;
	look_at(f, &look);
	assert_true(str_is(manage_model_selected(&f->model)->key, "documentbackfill.b"));
	look.step_count = 0;
	look.gate_count = 0;
	look_at(f, &look);
	assert_null(manage_model_selected(&f->model));
	manage_model_move(&f->model, 1, 10);
	manage_model_fold(&f->model);
	manage_model_unfold(&f->model);
}

static void a_screen_that_is_low_shows_what_is_selected(void **state)
{
	struct fixture *f = *state;

	manage_model_move(&f->model, 100, 3);
	assert_int_equal(f->model.selected, 6);
	assert_int_equal(f->model.top, 4);
	manage_model_move(&f->model, -5, 3);
	assert_int_equal(f->model.top, 1);
	manage_model_move(&f->model, 0, 50);
	assert_int_equal(f->model.top, 0);
}

static void a_gate_tells_what_approving_means(void **state)
{
	struct fixture *f = *state;
	struct str text = manage_gate_text(&gates[0], &f->mem);

	assert_non_null(strstr(text.ptr, "The documents are on the target"));
	assert_non_null(strstr(text.ptr, "because"));
	assert_null(strstr(text.ptr, "Needed before"));
	text = manage_gate_text(&gates[1], &f->mem);
	assert_non_null(strstr(text.ptr, "Needed before: `workflow reset b`"));
}

static void text_is_cut_into_lines_that_fit(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct manage_lines lines;
	struct err err;

	(void)state;
	assert_int_equal(
		manage_text_wrap(STR("one two\n\nabcdefghijk 日本語"), 5, &mem, &lines, &err), 0);
	assert_int_equal(lines.count, 8);
	assert_true(str_is(lines.lines[0], "one"));
	assert_true(str_is(lines.lines[1], "two"));
	assert_true(str_is(lines.lines[2], ""));
	assert_true(str_is(lines.lines[3], "abcde"));
	assert_true(str_is(lines.lines[5], "k"));
	assert_true(str_is(lines.lines[6], "日本"));
	assert_true(str_is(lines.lines[7], "語"));
	assert_int_equal(manage_text_top(&lines, 100, 3), 5);
	assert_int_equal(manage_text_top(&lines, -4, 3), 0);
	assert_int_equal(manage_text_top(&lines, 4, 30), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_steps_below_their_resources, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_folded_stays_folded_and_tells_of_what_runs,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_selection_follows_its_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_screen_that_is_low_shows_what_is_selected, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_gate_tells_what_approving_means, set_up,
						tear_down),
		cmocka_unit_test(text_is_cut_into_lines_that_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
