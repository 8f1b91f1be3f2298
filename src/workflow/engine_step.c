#include "workflow/engine_traffic.h"

#include "base/clock.h"
#include "base/limits.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STEP_ARENA MIB(16)
#define CUT_OVER_TOLD_MS 5000

void engine_point(const struct engine_step *step, const char *name)
{
	const char *wanted = getenv("SHARDLIFT_ENGINE_DIES_AT");
	char here[512];

	snprintf(here, sizeof(here), STR_FMT ":%s", STR_ARG(step->plan->name), name);
	if (wanted && strcmp(wanted, here) == 0)
		kill(getpid(), SIGKILL);
}

bool engine_step_has_ended_well(const struct engine_step *step)
{
	return step->record.phase == STEP_SUCCEEDED || step->record.phase == STEP_SKIPPED;
}

int engine_step_save(struct engine *engine, struct engine_step *step, struct err *err)
{
	if (engine->run.look.failed)
		return arena_fail(&engine->run.look, "the record of a step", err);
	return workflow_step_put(engine->state, &step->record, err);
}

int engine_step_keep_strings(struct engine_step *step, struct err *err)
{
	struct str *const strings[] = {&step->record.message, &step->record.progress,
				       &step->record.log, &step->record.child};
	struct arena mem = ARENA_INIT(STEP_ARENA);

	for (size_t i = 0; i < COUNT_OF(strings); i++)
		*strings[i] = arena_str(&mem, *strings[i]);
	arena_release(&step->mem);
	step->mem = mem;
	return mem.failed ? arena_fail(&mem, "the record of a step", err) : 0;
}

int engine_step_set_phase(struct engine *engine, struct engine_step *step,
			  enum workflow_step_phase phase, struct str message, struct err *err)
{
	struct workflow_step *record = &step->record;

	if (record->phase == phase && str_eq(record->message, message))
		return 0;
	record->phase = phase;
	record->message = message;
	if (phase == STEP_RUNNING || phase == STEP_WAITING)
		record->started_ms = record->started_ms ? record->started_ms : clock_wall_ms();
	if (phase == STEP_SUCCEEDED || phase == STEP_FAILED || phase == STEP_SKIPPED) {
		record->finished_ms = clock_wall_ms();
		record->child = STR("");
	}
	return engine_step_save(engine, step, err);
}

int engine_step_finish(struct engine *engine, struct engine_step *step, struct str message,
		       struct err *err)
{
	engine_point(step, "effect");
	if (engine_step_mark_done(engine, step, err) < 0)
		return -(int)err->kind;
	engine_point(step, "marked");
	if (engine_step_set_phase(engine, step, STEP_SUCCEEDED, message, err) < 0)
		return -(int)err->kind;
	engine_point(step, "done");
	return 0;
}

/* --- Gates --- */

int engine_gate_put(struct engine *engine, struct engine_step *step,
		    enum workflow_gate_status status, struct str reason, struct err *err)
{
	const struct workflow_gate gate = {.workflow = engine->run.record.workflow,
					   .name = step->plan->gate,
					   .category = GATE_STEP,
					   .status = status,
					   .resource = step->record.resource,
					   .reason = reason,
					   .prerequisite = STR(""),
					   .run = engine->run.record.id,
					   .updated_ms = clock_wall_ms()};

	return workflow_gate_put(engine->state, &gate, err);
}

static bool is_of_cut_over(const struct engine_step *step)
{
	return str_starts(step->plan->gate, STR("cutover."));
}

/* How far the replay is changes all the time; it is told now and then. */
static int tell_of_cut_over(struct engine *engine, struct engine_step *step, struct err *err)
{
	int64_t now = clock_monotonic_ms();
	struct str text;

	if (step->cut_over.told_ms && now - step->cut_over.told_ms < CUT_OVER_TOLD_MS)
		return 0;
	step->cut_over.told_ms = now;
	text = engine_cut_over_text(engine, step);
	if (engine_gate_put(engine, step, GATE_WAITING, text, err) < 0)
		return -(int)err->kind;
	return engine_step_set_phase(engine, step, STEP_WAITING, text, err);
}

static int gate_look(struct engine *engine, struct engine_step *step, struct err *err)
{
	enum workflow_gate_status status = GATE_PENDING;

	if (engine_gate_find(engine, step->plan->gate, &status, err) < 0)
		return -(int)err->kind;
	if (status == GATE_APPROVED)
		return engine_step_finish(engine, step, STR("Approved"), err);
	if (is_of_cut_over(step))
		return tell_of_cut_over(engine, step, err);
	if (status == GATE_PENDING &&
	    engine_gate_put(engine, step, GATE_WAITING, step->plan->title, err) < 0)
		return -(int)err->kind;
	return engine_step_set_phase(engine, step, STEP_WAITING,
				     arena_printf(&engine->run.look,
						  "waiting for approval: " STR_FMT,
						  STR_ARG(step->plan->gate)),
				     err);
}

/* --- Looks --- */

static bool is_lasting(const struct engine_step *step)
{
	return step->plan->action == PLAN_CAPTURE || step->plan->action == PLAN_REPLAY;
}

/* What runs as planned is looked after at once: clients need a proxy, and the log a reader,
 * whatever comes of the connection checks of this run. */
static bool may_begin(const struct engine *engine, const struct engine_step *step)
{
	if (is_lasting(step) && engine_step_is_done(engine, step))
		return true;
	for (size_t i = 0; i < step->plan->after_count; i++)
		if (!engine_step_has_ended_well(&engine->run.steps[step->plan->after[i]]))
			return false;
	return true;
}

static int wait_for_change(struct engine *engine, struct engine_step *step, struct err *err)
{
	return engine_step_set_phase(
		engine, step, STEP_WAITING,
		arena_printf(&engine->run.look,
			     "its configuration was edited: `workflow approve --list` "
			     "says what " STR_FMT " waits for",
			     STR_ARG(step->record.resource)),
		err);
}

static int skip(struct engine *engine, struct engine_step *step, struct err *err)
{
	if (step->plan->action == PLAN_GATE &&
	    workflow_gate_remove(engine->state, engine->run.record.workflow.ptr, step->plan->gate,
				 err) < 0)
		return -(int)err->kind;
	step->imperfect = engine_step_was_imperfect(engine, step);
	return engine_step_set_phase(
		engine, step, STEP_SKIPPED,
		step->imperfect ? STR(ENGINE_IMPERFECT ", before") : STR("done before"), err);
}

static int begin(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct err why = {0};

	if (engine_step_is_done(engine, step))
		return skip(engine, step, err);
	if (step->plan->action == PLAN_GATE)
		return gate_look(engine, step, err);
	if (step->plan->action != PLAN_SNAPSHOT_CREATE || step->record.phase != STEP_RUNNING)
		step->record.attempt++;
	if (step->plan->action == PLAN_CUT_OVER)
		return engine_cut_over_look(engine, step, err);
	if (engine_step_start(engine, step, &why) == 0)
		return 0;
	return engine_step_failed(engine, step, why.kind == ERR_IO,
				  arena_str(&engine->run.look, str_from(why.message)), err);
}

/* 1: its resource is as planned; 0: it waits until an edit is approved. */
static int admit(struct engine *engine, struct engine_step *step, struct err *err)
{
	size_t resource = step->plan->resource;

	if (resource == PLAN_NO_RESOURCE)
		return 1;
	if (engine->run.ended)
		return engine->run.admitted[resource];
	if (is_lasting(step))
		return engine_traffic_admit(engine, step, err);
	if (!engine->run.admitted[resource] && engine_resource_admit(engine, resource, err) < 0)
		return -(int)err->kind;
	return engine->run.admitted[resource];
}

/* What is in the way of its pods. */
static int tell_note(struct engine *engine, struct engine_step *step, struct err *err)
{
	return engine_step_set_phase(engine, step, STEP_RUNNING,
				     engine_platform_trouble(engine, step), err);
}

/* What its process or the proxy does; 1: nothing of it is under way. */
static int look_at_work(struct engine *engine, struct engine_step *step, struct err *err)
{
	int status;

	if (engine_workers_are_there(step)) {
		if (engine_workers_have_ended(step, &status))
			return engine_step_child_ended(engine, step, status, err);
		return engine->platform == PLATFORM_LOCAL ? 0 : tell_note(engine, step, err);
	}
	/* It dies with its engine, but not within no time; in another container it did. */
	if (step->former.pid != 0 && !service_is_gone(&step->former, &engine->self))
		return 0;
	step->former.pid = 0;
	return 1;
}

int engine_step_look(struct engine *engine, struct engine_step *step, bool *busy, struct err *err)
{
	bool ended_well = engine_step_has_ended_well(step);
	int rc;

	if (step->record.phase == STEP_FAILED || (ended_well && !is_lasting(step)) ||
	    !may_begin(engine, step))
		return 0;
	*busy |= !ended_well;
	rc = look_at_work(engine, step, err);
	if (rc <= 0)
		return rc;
	if (!is_lasting(step) && clock_monotonic_ms() < step->not_before_ms)
		return 0;
	rc = admit(engine, step, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return ended_well ? 0 : wait_for_change(engine, step, err);
	if (is_lasting(step))
		return engine_traffic_look(engine, step, err);
	if (step->plan->action == PLAN_CUT_OVER && step->record.phase == STEP_RUNNING)
		return engine_cut_over_look(engine, step, err);
	return begin(engine, step, err);
}
