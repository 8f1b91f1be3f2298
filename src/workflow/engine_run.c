#include "workflow/engine_traffic.h"

#include "base/clock.h"
#include "base/limits.h"
#include "workflow/config_check.h"

#include <stdio.h>

#define RUN_ARENA MIB(512)

static void read_former(struct engine_step *step, struct arena *mem)
{
	struct json *child;
	uint64_t start = 0, namespace = 0;

	if (step->record.child.len == 0 || json_parse(step->record.child, mem, &child, NULL) < 0)
		return;
	str_to_u64(json_string(json_get(child, "start")), &start);
	str_to_u64(json_string(json_get(child, "namespace")), &namespace);
	step->former = (struct process_identity){.pid_namespace = namespace,
						 .pid = json_i64_or(json_get(child, "pid"), 0),
						 .start_ticks = start};
	snprintf(step->former.boot_id, sizeof(step->former.boot_id), STR_FMT,
		 STR_ARG(json_string(json_get(child, "boot"))));
}

/* As an engine before us left it, or new. */
static int take_up_step(struct engine *engine, size_t number, const struct workflow_step *known,
			size_t known_count, struct err *err)
{
	struct engine_run *run = &engine->run;
	struct engine_step *step = &run->steps[number];
	const struct plan_step *plan = &run->plan.steps[number];
	size_t resource = plan->resource;

	step->plan = plan;
	step->record = (struct workflow_step){
		.run = run->record.id,
		.name = plan->name,
		.title = plan->title,
		.group =
			resource == PLAN_NO_RESOURCE ? STR("") : run->plan.resources[resource].name,
		.resource = plan_resource_label(&run->plan, resource, &run->mem),
		.position = (int64_t)number,
		.message = STR(""),
		.progress = STR(""),
		.log = STR(""),
		.child = STR("")};
	for (size_t i = 0; i < known_count; i++)
		if (str_eq(known[i].name, plan->name)) {
			step->record = known[i];
			step->imperfect = str_starts(known[i].message, STR(ENGINE_IMPERFECT));
			read_former(step, &run->mem);
			/* That the engine died is no failure of the step. */
			if (step->record.phase == STEP_RUNNING) {
				step->record.phase = STEP_PENDING;
				step->record.attempt = MAX(step->record.attempt - 1, (int64_t)0);
			}
		}
	if (run->ended)
		return engine_step_keep_strings(step, err);
	if (plan->action == PLAN_GATE && step->record.phase == STEP_PENDING &&
	    engine_gate_put(engine, step, GATE_PENDING, plan->title, err) < 0)
		return -(int)err->kind;
	return engine_step_save(engine, step, err) < 0 ? -(int)err->kind
						       : engine_step_keep_strings(step, err);
}

static int make_plan(struct engine_run *run, struct err *err)
{
	struct config_problems problems;
	struct config_value *root;

	if (config_parse(run->record.config, &run->mem, &root, err) < 0 ||
	    config_check(root, &run->mem, &problems, err) < 0)
		return -(int)err->kind;
	if (problems.errors > 0)
		return err_set(err, ERR_USAGE, STR_FMT ": " STR_FMT, STR_ARG(problems.list[0].path),
			       STR_ARG(problems.list[0].message));
	if (plan_make(root, &run->mem, &run->plan, err) < 0)
		return -(int)err->kind;
	return plan_check_supported(root, &run->plan, err);
}

/* `ended`: only to look after what it left running. */
static int take_up(struct engine *engine, const struct workflow_run *record, bool ended,
		   struct err *err)
{
	struct engine_run *run = &engine->run;
	struct workflow_step *known;
	size_t known_count;
	struct err why = {0};

	arena_reset(&run->mem);
	*run = (struct engine_run){
		.mem = run->mem, .look = run->look, .record = *record, .ended = ended};
	run->record.workflow = arena_str(&run->mem, record->workflow);
	run->record.config = arena_str(&run->mem, record->config);
	if (make_plan(run, &why) < 0) {
		run->record.id = 0;
		if (ended)
			return 0;
		return workflow_run_set(engine->state, record->id, WORKFLOW_FAILED,
					str_from(why.message), clock_wall_ms(), err);
	}
	run->steps = arena_zalloc(&run->mem, run->plan.step_count, sizeof(*run->steps));
	run->resources = arena_zalloc(&run->mem, run->plan.resource_count, sizeof(*run->resources));
	run->admitted = arena_zalloc(&run->mem, run->plan.resource_count, sizeof(bool));
	if (workflow_step_list(engine->state, record->id, &run->mem, &known, &known_count, err) < 0)
		return -(int)err->kind;
	if (run->mem.failed)
		return arena_fail(&run->mem, "the run", err);
	for (size_t i = 0; i < run->plan.resource_count; i++)
		if (engine_resource_load(engine, i, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < run->plan.step_count; i++)
		if (take_up_step(engine, i, known, known_count, err) < 0)
			return -(int)err->kind;
	if (ended)
		return 0;
	return workflow_run_set(engine->state, record->id, WORKFLOW_RUNNING, STR_NONE,
				clock_wall_ms(), err);
}

void engine_run_leave(struct engine *engine)
{
	struct engine_run *run = &engine->run;

	for (size_t i = 0; run->steps && i < run->plan.step_count; i++) {
		/* Pods do without an engine; the next one goes on with them. */
		if (engine->platform == PLATFORM_KUBERNETES && *engine->options->stop)
			engine_workers_abandon(&run->steps[i]);
		else
			engine_workers_stop(&run->steps[i]);
		engine_service_drop_listeners(&run->steps[i].service);
		arena_release(&run->steps[i].mem);
	}
	run->steps = NULL;
	run->record.id = 0;
	run->ended = false;
}

static bool is_traffic(const struct engine_step *step)
{
	return step->plan->action == PLAN_CAPTURE || step->plan->action == PLAN_REPLAY;
}

/* Whether a proxy or a replayer goes on, which is looked after once the run is over. */
static bool leaves_something(const struct engine_run *run)
{
	for (size_t i = 0; i < run->plan.step_count; i++)
		if (engine_traffic_lasts(&run->steps[i]))
			return true;
	return false;
}

static int end_run(struct engine *engine, struct err *err)
{
	const struct engine_run *run = &engine->run;
	enum workflow_phase phase = WORKFLOW_SUCCEEDED;
	struct str message = STR_NONE;
	int64_t id = run->record.id;

	for (size_t i = 0; i < run->plan.step_count; i++) {
		const struct engine_step *step = &run->steps[i];

		if (step->record.phase == STEP_FAILED) {
			phase = WORKFLOW_FAILED;
			message = arena_printf(&engine->run.look, STR_FMT ": " STR_FMT,
					       STR_ARG(step->record.name),
					       STR_ARG(step->record.message));
			break;
		}
		if (step->imperfect)
			phase = WORKFLOW_COMPLETED_WITH_ERRORS;
	}
	if (leaves_something(run))
		engine->run.ended = true;
	else
		engine_run_leave(engine);
	return workflow_run_set(engine->state, id, phase, message, clock_wall_ms(), err);
}

/* What a run left running before this engine: only what is still as that run wanted it. */
static int watch(struct engine *engine, const struct workflow_run *record, struct err *err)
{
	struct engine_run *run = &engine->run;

	if (take_up(engine, record, true, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; run->record.id && i < run->plan.resource_count; i++)
		run->admitted[i] =
			run->resources[i].checksum.len > 0 &&
			str_eq(run->resources[i].checksum, run->plan.resources[i].checksum);
	return 0;
}

static int watch_steps(struct engine *engine, bool *busy, struct err *err)
{
	struct engine_run *run = &engine->run;

	for (size_t i = 0; i < run->plan.step_count; i++) {
		struct engine_step *step = &run->steps[i];
		size_t resource = step->plan->resource;

		if (!is_traffic(step) || !engine_step_has_ended_well(step))
			continue;
		if (run->admitted[resource] && engine_resource_lasts(engine, resource, err) == 0)
			run->admitted[resource] = false; /* reset, and not begun anew */
		if (!run->admitted[resource])
			step->service.retired = true;
		if (engine_step_look(engine, step, busy, err) < 0 ||
		    engine_step_keep_strings(step, err) < 0)
			return -(int)err->kind;
	}
	*busy = leaves_something(run);
	if (!*busy)
		engine_run_leave(engine);
	return 0;
}

/* --- Proxies and replayers of a run before this one --- */

#define BESIDE_MAX 20 /* runs that are looked through */

static void swap_beside(struct engine *engine)
{
	struct engine_run run = engine->run;

	engine->run = engine->beside;
	engine->beside = run;
}

static bool has_traffic(const struct engine_run *run, bool admitted)
{
	for (size_t i = 0; run->record.id && i < run->plan.step_count; i++)
		if (is_traffic(&run->steps[i]) &&
		    (!admitted || run->admitted[run->steps[i].plan->resource]))
			return true;
	return false;
}

static void leave_beside(struct engine *engine)
{
	swap_beside(engine);
	engine_run_leave(engine);
	swap_beside(engine);
}

/* The newest before the one that is at work whose proxies or replayers are as it wanted them. */
static int find_beside(struct engine *engine, const struct workflow_run *runs, size_t count,
		       struct err *err)
{
	int64_t now = engine->run.record.id;
	int rc = 0;

	leave_beside(engine);
	if (has_traffic(&engine->run, false))
		return 0;
	swap_beside(engine);
	if (engine->run.mem.limit == 0)
		engine->run.mem = engine->run.look = ARENA_INIT(RUN_ARENA);
	for (size_t i = 0; rc == 0 && i < MIN(count, (size_t)BESIDE_MAX); i++) {
		if (runs[i].id == now || (now && runs[i].id > now))
			continue;
		arena_reset(&engine->run.look);
		rc = watch(engine, &runs[i], err);
		if (rc == 0 && has_traffic(&engine->run, true))
			break;
		engine_run_leave(engine);
	}
	swap_beside(engine);
	return rc;
}

static int look_beside(struct engine *engine, bool *busy, struct err *err)
{
	int rc = 0;

	if (engine->beside.record.id == 0)
		return 0;
	swap_beside(engine);
	arena_reset(&engine->run.look);
	rc = watch_steps(engine, busy, err);
	swap_beside(engine);
	return rc;
}

static bool is_over(const struct workflow_run *run)
{
	return run->phase == WORKFLOW_SUCCEEDED || run->phase == WORKFLOW_COMPLETED_WITH_ERRORS ||
	       run->phase == WORKFLOW_FAILED;
}

/* The newest run of all that are not finished: one engine, one run at a time. NULL: none, or the
 * one that is at work is among them (*goes_on). */
static struct workflow_run *newest_unfinished(struct workflow_run *runs, size_t count, int64_t now,
					      bool *goes_on)
{
	struct workflow_run *chosen = NULL;

	for (size_t i = 0; i < count; i++) {
		if (runs[i].phase != WORKFLOW_PENDING && runs[i].phase != WORKFLOW_RUNNING)
			continue;
		if (runs[i].id == now) {
			*goes_on = true;
			return NULL;
		}
		if (!chosen)
			chosen = &runs[i];
	}
	return chosen;
}

static int choose(struct engine *engine, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(RUN_ARENA);
	struct workflow_run *runs, *chosen;
	bool begun = engine->watched, goes_on = false;
	size_t count;

	if (workflow_run_list(engine->state, NULL, &mem, &runs, &count, err) < 0)
		return -(int)err->kind;
	engine->watched = true;
	chosen = newest_unfinished(runs, count, engine->run.record.id, &goes_on);
	if (goes_on)
		return 0;
	if (!chosen && engine->run.record.id != 0 && engine->run.ended)
		return 0;
	engine_run_leave(engine);
	if (!chosen && begun)
		return 0;
	if (chosen ? take_up(engine, chosen, false, err) < 0
		   : count > 0 && is_over(&runs[0]) && watch(engine, &runs[0], err) < 0)
		return -(int)err->kind;
	return find_beside(engine, runs, count, err);
}

/* Whoever resets a proxy or a replayer wants it gone: this run begins it no more, nor does another
 * engine that takes the run up. */
static int step_was_reset(struct engine *engine, struct engine_step *step, struct err *err)
{
	step->imperfect = false;
	engine_service_drop_listeners(&step->service);
	step->service = (struct engine_service){0};
	step->cut_over = (struct engine_cut_over){0};
	step->record.attempt = 0;
	if (is_traffic(step))
		return engine_step_set_phase(engine, step, STEP_FAILED,
					     STR("was reset; `workflow submit` begins it anew"),
					     err);
	return engine_step_set_phase(engine, step, STEP_PENDING, STR(""), err);
}

/* A reset while the run waits: nothing is done of it any more, and no record may say so. */
static int look_at_resource(struct engine *engine, size_t index, struct err *err)
{
	struct engine_run *run = &engine->run;
	int rc = engine_resource_lasts(engine, index, err);

	if (rc != 0)
		return MIN(rc, 0);
	run->admitted[index] = false;
	run->resources[index] = (struct workflow_resource){0};
	for (size_t i = 0; i < run->plan.step_count; i++) {
		struct engine_step *step = &run->steps[i];

		if (step->plan->resource != index || engine_workers_are_there(step))
			continue;
		if (step_was_reset(engine, step, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* *busy: some step has something to wait for. */
static int look_at_run(struct engine *engine, bool *busy, struct err *err)
{
	struct engine_run *run = &engine->run;

	for (size_t i = 0; i < run->plan.resource_count; i++)
		if (look_at_resource(engine, i, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < run->plan.step_count; i++)
		if (engine_step_look(engine, &run->steps[i], busy, err) < 0 ||
		    engine_step_keep_strings(&run->steps[i], err) < 0)
			return -(int)err->kind;
	return 0;
}

int engine_run_look(struct engine *engine, bool *busy, struct err *err)
{
	struct engine_run *run = &engine->run;
	bool beside = false, own = false;
	int rc = 0;

	if (run->mem.limit == 0) {
		run->mem = ARENA_INIT(RUN_ARENA);
		run->look = ARENA_INIT(RUN_ARENA);
	}
	arena_reset(&run->look);
	if (choose(engine, err) < 0 || look_beside(engine, &beside, err) < 0)
		return -(int)err->kind;
	if (run->record.id != 0 && run->ended)
		rc = watch_steps(engine, &own, err);
	else if (run->record.id != 0)
		rc = look_at_run(engine, &own, err);
	if (rc == 0 && run->record.id != 0 && !run->ended && !own) {
		own = true; /* there may be another run */
		rc = end_run(engine, err);
	}
	*busy = own || beside;
	return rc;
}
