#include "workflow/engine_internal.h"
#include "workflow/plan_spec.h"
#include "workflow/widening.h"

#include "base/clock.h"
#include "base/limits.h"

#include <inttypes.h>

#define STATUS_MAX MIB(4)

static struct str to_text(const struct json *value, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(STATUS_MAX);

	if (!value)
		return STR_NONE;
	json_write(&text, value);
	return text.failed ? STR_NONE : arena_str(mem, buf_str(&text));
}

static struct json *status_of(struct engine *engine, size_t index)
{
	struct str text = engine->run.resources[index].status;
	struct json *status = NULL;

	/* Written by us; one that cannot be read is begun anew, and steps are done again. */
	if (text.len == 0 || json_parse(text, &engine->run.look, &status, NULL) < 0)
		status = json_new(&engine->run.look, JSON_OBJECT);
	return status;
}

typedef int write_resource(struct workflow_state *state, const struct workflow_resource *resource,
			   struct err *err);

static int write_record(struct engine *engine, size_t index, write_resource *write, struct err *err)
{
	struct workflow_resource *record = &engine->run.resources[index];

	if (!engine->state)
		return 0;
	if (engine->run.look.failed)
		return arena_fail(&engine->run.look, "the record of a resource", err);
	if (engine->run.mem.failed || !record->status.ptr || !record->spec.ptr)
		return arena_fail(&engine->run.mem, "the record of a resource", err);
	record->updated_ms = clock_wall_ms();
	return write(engine->state, record, err);
}

static int put(struct engine *engine, size_t index, struct err *err)
{
	return write_record(engine, index, workflow_resource_update, err);
}

struct str engine_resource_fact(struct engine *engine, size_t index, const char *name)
{
	return json_string(json_get(status_of(engine, index), name));
}

int engine_resource_set_fact(struct engine *engine, size_t index, const char *name,
			     struct str value, struct err *err)
{
	struct json *status = status_of(engine, index);

	if (status)
		json_set(status, str_from(name), json_new_string(&engine->run.look, value));
	engine->run.resources[index].status = to_text(status, &engine->run.mem);
	return put(engine, index, err);
}

static bool is_converged(const struct engine *engine, size_t index)
{
	return str_eq(engine->run.resources[index].converged,
		      engine->run.plan.resources[index].checksum);
}

/* Whether the member of the resource's status names the step with what it would read now. */
static bool status_names(const struct engine *engine, const char *member,
			 const struct engine_step *step)
{
	struct arena *mem = (struct arena *)(uintptr_t)&engine->run.look;
	struct json *status;

	if (json_parse(engine->run.resources[step->plan->resource].status, mem, &status, NULL) < 0)
		return false;
	return str_eq(json_string(json_get_str(json_get(status, member), step->plan->name)),
		      step->plan->inputs);
}

/* Nobody will connect. */
static bool all_is_done(const struct engine *engine)
{
	for (size_t i = 0; i < engine->run.plan.resource_count; i++)
		if (!is_converged(engine, i))
			return false;
	return true;
}

bool engine_step_is_done(const struct engine *engine, const struct engine_step *step)
{
	size_t index = step->plan->resource;

	if (step->plan->action == PLAN_CHECK)
		return all_is_done(engine);
	if (index == PLAN_NO_RESOURCE)
		return false;
	return is_converged(engine, index) || status_names(engine, "done", step);
}

bool engine_step_was_imperfect(const struct engine *engine, const struct engine_step *step)
{
	return step->plan->resource != PLAN_NO_RESOURCE && status_names(engine, "imperfect", step);
}

static bool phase_is_done(enum workflow_step_phase phase)
{
	return phase == STEP_SUCCEEDED || phase == STEP_SKIPPED;
}

static bool all_done(const struct engine *engine, const struct engine_step *except)
{
	const struct engine_run *run = &engine->run;

	for (size_t i = 0; i < run->plan.step_count; i++)
		if (run->steps[i].plan->resource == except->plan->resource &&
		    &run->steps[i] != except && !phase_is_done(run->steps[i].record.phase))
			return false;
	return true;
}

/* A proxy, and a replayer that no cut-over ends, can be edited where a snapshot cannot. */
static bool goes_on(const struct engine *engine, size_t index)
{
	const struct engine_run *run = &engine->run;
	bool lasts = false;

	for (size_t i = 0; i < run->plan.step_count; i++) {
		const struct plan_step *step = &run->plan.steps[i];

		if (step->resource == index && step->action == PLAN_CUT_OVER)
			return false;
		lasts |= step->resource == index &&
			 (step->action == PLAN_CAPTURE || step->action == PLAN_REPLAY);
	}
	return lasts;
}

static void note(struct engine *engine, struct json *status, const char *member, struct str step,
		 struct str inputs)
{
	struct json *steps = json_get(status, member);

	if (!steps) {
		steps = json_new(&engine->run.look, JSON_OBJECT);
		json_set(status, str_from(member), steps);
	}
	json_set(steps, step, json_new_string(&engine->run.look, inputs));
}

int engine_step_mark_done(struct engine *engine, struct engine_step *step, struct err *err)
{
	size_t index = step->plan->resource;
	struct workflow_resource *record;
	struct json *status;

	if (index == PLAN_NO_RESOURCE)
		return 0;
	record = &engine->run.resources[index];
	status = status_of(engine, index);
	note(engine, status, "imperfect", step->plan->name,
	     step->imperfect ? step->plan->inputs : STR(""));
	note(engine, status, "done", step->plan->name, step->plan->inputs);
	if (step->plan->action == PLAN_BACKFILL)
		widening_cover(status, engine->run.plan.resources[index].session,
			       json_path(engine->run.plan.resources[index].spec, "backfill",
					 "indexAllowlist", NULL),
			       &engine->run.look);
	record->status = to_text(status, &engine->run.mem);
	if (all_done(engine, step)) {
		record->converged = engine->run.plan.resources[index].checksum;
		record->phase = goes_on(engine, index) ? STR("Ready") : STR("Completed");
	} else if (str_is(record->phase, "Created")) {
		record->phase = STR("Pending");
	}
	return put(engine, index, err);
}

struct json *engine_resource_uncovered(struct engine *engine, size_t index)
{
	const struct plan_resource *resource = &engine->run.plan.resources[index];

	return widening_rest(status_of(engine, index), resource->session,
			     json_path(resource->spec, "backfill", "indexAllowlist", NULL),
			     &engine->run.look);
}

int engine_resource_set_ready(struct engine *engine, size_t index, struct err *err)
{
	struct workflow_resource *record = &engine->run.resources[index];

	if (str_is(record->phase, "Ready"))
		return 0;
	record->converged = engine->run.plan.resources[index].checksum;
	record->phase = STR("Ready");
	return put(engine, index, err);
}

static struct str depends_on_text(struct engine *engine, const struct plan_resource *resource)
{
	struct json *list = json_new(&engine->run.look, JSON_ARRAY);

	for (size_t i = 0; i < resource->depends_on_count; i++)
		json_append(list, json_new_string(&engine->run.look, resource->depends_on[i]));
	return to_text(list, &engine->run.mem);
}

static int adopt_spec(struct engine *engine, size_t index, write_resource *write, struct err *err)
{
	const struct plan_resource *wanted = &engine->run.plan.resources[index];
	struct workflow_resource *record = &engine->run.resources[index];

	record->spec = to_text(wanted->spec, &engine->run.mem);
	record->depends_on = depends_on_text(engine, wanted);
	record->checksum = wanted->checksum;
	if (write_record(engine, index, write, err) < 0)
		return -(int)err->kind;
	engine->run.admitted[index] = true;
	return 0;
}

static int create(struct engine *engine, size_t index, struct err *err)
{
	const struct plan_resource *wanted = &engine->run.plan.resources[index];
	int64_t now = clock_wall_ms();

	engine->run.resources[index] = (struct workflow_resource){
		.kind = wanted->kind,
		.name = wanted->name,
		.uid = arena_printf(&engine->run.mem, "%" PRIx64 "-%" PRIx64, (uint64_t)now,
				    (uint64_t)index),
		.phase = STR("Created"),
		.converged = STR(""),
		.status = STR("{}"),
		.created_ms = now};
	return adopt_spec(engine, index, workflow_resource_put, err);
}

int engine_gate_find(struct engine *engine, struct str name, enum workflow_gate_status *out,
		     struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct workflow_gate *gates;
	size_t count;

	if (workflow_gate_list(engine->state, engine->run.record.workflow.ptr, &mem, &gates, &count,
			       err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (str_eq(gates[i].name, name) && gates[i].run == engine->run.record.id) {
			*out = gates[i].status;
			return 1;
		}
	return 0;
}

static struct str edit_gate(struct engine *engine, size_t index)
{
	struct arena *mem = &engine->run.look;

	return arena_printf(mem, STR_FMT ".vapretry",
			    STR_ARG(plan_resource_label(&engine->run.plan, index, mem)));
}

/* After a reset it is made anew once that was approved. 1: it may be made. */
static int may_create(struct engine *engine, size_t index, struct err *err)
{
	enum workflow_gate_status status;
	int rc = engine_gate_find(engine, edit_gate(engine, index), &status, err);

	return rc <= 0 ? rc + (rc == 0) : status == GATE_APPROVED;
}

/* Asks for an edit to be approved. 1: it is. */
static int ask(struct engine *engine, size_t index, const struct plan_change *change,
	       bool impossible, struct err *err)
{
	struct arena *mem = &engine->run.look;
	struct str label = plan_resource_label(&engine->run.plan, index, mem);
	struct workflow_gate gate = {.workflow = engine->run.record.workflow,
				     .name = edit_gate(engine, index),
				     .category = impossible ? GATE_RETRY : GATE_CHANGE,
				     .status = GATE_WAITING,
				     .resource = label,
				     .run = engine->run.record.id,
				     .updated_ms = clock_wall_ms()};
	enum workflow_gate_status status;
	int rc;

	gate.reason =
		arena_printf(mem,
			     impossible ? STR_FMT " cannot change on what is there; reset it first"
					: STR_FMT " changed; approving applies it",
			     STR_ARG(change->paths));
	gate.prerequisite =
		impossible ? arena_printf(mem, "workflow reset --cascade " STR_FMT, STR_ARG(label))
			   : STR("");
	if (mem->failed)
		return arena_fail(mem, "a gate", err);
	rc = engine_gate_find(engine, gate.name, &status, err);
	if (rc != 0)
		return rc < 0 ? rc : status == GATE_APPROVED;
	return workflow_gate_put(engine->state, &gate, err);
}

/* For as long as the run is at work. */
static int keep(struct engine *engine, size_t index, const struct workflow_resource *found,
		struct err *err)
{
	struct workflow_resource *record = &engine->run.resources[index];
	struct str *const strings[] = {&record->kind,      &record->name,     &record->uid,
				       &record->spec,      &record->checksum, &record->depends_on,
				       &record->converged, &record->phase,    &record->status};

	*record = *found;
	for (size_t i = 0; i < COUNT_OF(strings); i++)
		*strings[i] = arena_str(&engine->run.mem, *strings[i]);
	return engine->run.mem.failed
		       ? arena_fail(&engine->run.mem, "the record of a resource", err)
		       : 0;
}

int engine_resource_load(struct engine *engine, size_t index, struct err *err)
{
	const struct plan_resource *wanted = &engine->run.plan.resources[index];
	struct workflow_resource found;
	int rc = workflow_resource_read(engine->state, wanted->kind.ptr, wanted->name,
					&engine->run.look, &found, err);

	return rc <= 0 ? rc : keep(engine, index, &found, err);
}

int engine_resource_lasts(struct engine *engine, size_t index, struct err *err)
{
	const struct plan_resource *wanted = &engine->run.plan.resources[index];
	struct workflow_resource found;
	int rc;

	if (!engine->run.admitted[index])
		return 1;
	rc = workflow_resource_read(engine->state, wanted->kind.ptr, wanted->name,
				    &engine->run.look, &found, err);
	return rc <= 0 ? rc
		       : str_eq(found.uid, engine->run.resources[index].uid) &&
				 !str_is(found.phase, "Deleting");
}

static int adopt_found(struct engine *engine, size_t index, const struct workflow_resource *found,
		       struct err *err)
{
	return keep(engine, index, found, err) < 0
		       ? -(int)err->kind
		       : adopt_spec(engine, index, workflow_resource_update, err);
}

/* What was completed goes on for what is new. */
static bool is_widened(struct engine *engine, size_t index, const struct json *before)
{
	const struct plan_resource *wanted = &engine->run.plan.resources[index];

	return str_is(wanted->kind, "snapshotmigration") &&
	       widening_of_migration(before, wanted->spec, &engine->run.look);
}

int engine_resource_admit(struct engine *engine, size_t index, struct err *err)
{
	const struct plan_resource *wanted = &engine->run.plan.resources[index];
	struct arena *mem = &engine->run.look;
	struct workflow_resource found;
	struct plan_change change = {0};
	struct json *before;
	bool completed;
	int rc = workflow_resource_read(engine->state, wanted->kind.ptr, wanted->name, mem, &found,
					err);

	if (rc < 0)
		return rc;
	if (rc == 0) {
		rc = may_create(engine, index, err);
		return rc > 0 ? create(engine, index, err) : rc;
	}
	if (str_is(found.phase, "Deleting"))
		return 0;
	if (str_eq(found.checksum, wanted->checksum)) {
		engine->run.admitted[index] = true;
		return keep(engine, index, &found, err);
	}
	if (json_parse(found.spec, mem, &before, err) < 0)
		return err_wrap(err, "the record of " STR_FMT, STR_ARG(wanted->name));
	if (is_widened(engine, index, before)) {
		found.phase = STR("Pending");
		return adopt_found(engine, index, &found, err);
	}
	plan_compare(before, wanted->spec, mem, &change);
	completed = str_is(found.phase, "Completed");
	if (change.policy == CHANGE_SAFE && !completed)
		return adopt_found(engine, index, &found, err);
	rc = ask(engine, index, &change, completed || change.policy == CHANGE_IMPOSSIBLE, err);
	if (rc <= 0)
		return rc;
	/* What cannot change waits for the reset, whatever was approved. */
	return completed || change.policy == CHANGE_IMPOSSIBLE
		       ? 0
		       : adopt_found(engine, index, &found, err);
}
