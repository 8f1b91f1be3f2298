#include "workflow/engine_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"
#include "base/state_dir.h"
#include "workflow/config_check.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SNAPSHOT_PAUSE_MS 1000
#define RUN_ARENA MIB(512)
#define STEP_ARENA MIB(16)
#define IMPERFECT "completed with errors" /* begins a step's message */

/* Where tests want the engine to die, to see that it goes on: "STEP:POINT", POINT one of started,
 * effect, marked, done. */
static void point(const struct engine_step *step, const char *name)
{
	const char *wanted = getenv("SHARDLIFT_ENGINE_DIES_AT");
	char here[512];

	snprintf(here, sizeof(here), STR_FMT ":%s", STR_ARG(step->plan->name), name);
	if (wanted && strcmp(wanted, here) == 0)
		kill(getpid(), SIGKILL);
}

static bool is_done(const struct engine_step *step)
{
	return step->record.phase == STEP_SUCCEEDED || step->record.phase == STEP_SKIPPED;
}

static int save(struct engine *engine, struct engine_step *step, struct err *err)
{
	if (engine->run.look.failed)
		return arena_fail(&engine->run.look, "the record of a step", err);
	return workflow_step_put(engine->state, &step->record, err);
}

/* What the record was given in this look outlives it. */
static int keep_strings(struct engine_step *step, struct err *err)
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

static int set_phase(struct engine *engine, struct engine_step *step,
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
	return save(engine, step, err);
}

/* The effect is there: first its mark, then what the user sees. */
static int finish(struct engine *engine, struct engine_step *step, struct str message,
		  struct err *err)
{
	point(step, "effect");
	if (engine_step_mark_done(engine, step, err) < 0)
		return -(int)err->kind;
	point(step, "marked");
	if (set_phase(engine, step, STEP_SUCCEEDED, message, err) < 0)
		return -(int)err->kind;
	point(step, "done");
	return 0;
}

/* --- Gates --- */

static int put_gate(struct engine *engine, struct engine_step *step,
		    enum workflow_gate_status status, struct err *err)
{
	const struct workflow_gate gate = {.workflow = engine->run.record.workflow,
					   .name = step->plan->gate,
					   .category = GATE_STEP,
					   .status = status,
					   .resource = step->record.resource,
					   .reason = step->plan->title,
					   .prerequisite = STR(""),
					   .run = engine->run.record.id,
					   .updated_ms = clock_wall_ms()};

	return workflow_gate_put(engine->state, &gate, err);
}

static int gate_status(struct engine *engine, struct str name, enum workflow_gate_status *out,
		       struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct workflow_gate *gates;
	size_t count;

	*out = GATE_PENDING;
	if (workflow_gate_list(engine->state, engine->run.record.workflow.ptr, &mem, &gates, &count,
			       err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (str_eq(gates[i].name, name) && gates[i].run == engine->run.record.id)
			*out = gates[i].status;
	return 0;
}

static int look_at_gate(struct engine *engine, struct engine_step *step, struct err *err)
{
	enum workflow_gate_status status;

	if (gate_status(engine, step->plan->gate, &status, err) < 0)
		return -(int)err->kind;
	if (status == GATE_APPROVED)
		return finish(engine, step, STR("Approved"), err);
	if (status == GATE_PENDING && put_gate(engine, step, GATE_WAITING, err) < 0)
		return -(int)err->kind;
	return set_phase(engine, step, STEP_WAITING,
			 arena_printf(&engine->run.look, "waiting for approval: " STR_FMT,
				      STR_ARG(step->plan->gate)),
			 err);
}

/* --- Children --- */

static struct str output_path(struct engine *engine, const struct engine_step *step)
{
	const struct workflow_resource *resource = &engine->run.resources[step->plan->resource];

	return arena_printf(&engine->run.look, "%s/outputs/" STR_FMT "/" STR_FMT "/" STR_FMT "/%s",
			    engine->options->state_dir, STR_ARG(resource->kind),
			    STR_ARG(resource->name), STR_ARG(resource->uid), step->plan->name.ptr);
}

static int make_folder_of(const char *path, struct arena *mem, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct str folder = arena_str(mem, str_of(path, (size_t)(slash - path)));

	return folder.ptr ? directory_make(folder.ptr, err) : arena_fail(mem, "a folder", err);
}

static struct str child_text(struct engine *engine, const struct process_identity *child)
{
	return arena_printf(&engine->run.look,
			    "{\"pid\":%" PRId64 ",\"start\":\"%" PRIu64 "\",\"boot\":\"%s\","
			    "\"namespace\":\"%" PRIu64 "\"}",
			    child->pid, child->start_ticks, child->boot_id, child->pid_namespace);
}

static int start(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct arena *mem = &engine->run.look;
	struct str output = output_path(engine, step), log;
	struct engine_command command;

	step->record.log = arena_printf(mem, "logs/%" PRId64 "/" STR_FMT ".%" PRId64 ".log",
					engine->run.record.id, STR_ARG(step->plan->name),
					step->record.attempt);
	log = arena_printf(mem, "%s/" STR_FMT, engine->options->state_dir,
			   STR_ARG(step->record.log));
	if (mem->failed)
		return arena_fail(mem, "the paths of a step", err);
	if (make_folder_of(output.ptr, mem, err) < 0 || make_folder_of(log.ptr, mem, err) < 0 ||
	    engine_command_make(engine, step, &command, err) < 0 ||
	    engine_child_start(engine, &command, log.ptr, output.ptr, &step->child, err) < 0)
		return -(int)err->kind;
	step->record.child = child_text(engine, &step->child.identity);
	step->record.phase = STEP_RUNNING;
	step->record.message = STR("");
	step->record.started_ms =
		step->record.started_ms ? step->record.started_ms : clock_wall_ms();
	if (save(engine, step, err) < 0)
		return -(int)err->kind;
	point(step, "started");
	engine_child_go(&step->child);
	return 0;
}

/* The last line of a log is what the program said when it ended. */
static struct str last_words(struct engine *engine, const struct engine_step *step)
{
	cleanup(buf_release) struct buf text = BUF_INIT(ENGINE_LOG_MAX + KIB(64));
	struct str path = arena_printf(&engine->run.look, "%s/" STR_FMT, engine->options->state_dir,
				       STR_ARG(step->record.log));
	struct str rest, line = STR_NONE, last = STR_NONE;
	struct err err;

	if (!path.ptr || small_file_read(path.ptr, &text, &err) <= 0)
		return STR("");
	rest = buf_str(&text);
	while (rest.len > 0) {
		if (!str_split(rest, '\n', &line, &rest))
			rest = STR_NONE;
		if (str_trim(line).len > 0)
			last = line;
	}
	str_split(last, ' ', &line, &last);
	last.len = MIN(last.len, (size_t)600);
	return arena_str(&engine->run.look, last);
}

static int64_t retry_delay(int64_t attempt)
{
	int64_t delay = ENGINE_RETRY_MS;

	for (int64_t i = 1; i < attempt && delay < ENGINE_RETRY_MAX_MS; i++)
		delay *= 2;
	return MIN(delay, ENGINE_RETRY_MAX_MS);
}

static int failed(struct engine *engine, struct engine_step *step, bool again, struct str reason,
		  struct err *err)
{
	struct arena *mem = &engine->run.look;
	int64_t delay = retry_delay(step->record.attempt);

	if (!again || step->record.attempt >= ENGINE_TRIES)
		return set_phase(engine, step, STEP_FAILED,
				 arena_printf(mem,
					      STR_FMT " (try %" PRId64
						      "); `workflow log resource " STR_FMT
						      "` tells more, `workflow submit` tries again",
					      STR_ARG(reason), step->record.attempt,
					      STR_ARG(step->record.resource)),
				 err);
	step->not_before_ms = clock_monotonic_ms() + delay;
	return set_phase(engine, step, STEP_PENDING,
			 arena_printf(mem, STR_FMT "; tried again in %" PRId64 " s",
				      STR_ARG(reason), delay / 1000),
			 err);
}

static int snapshot_state(struct engine *engine, struct engine_step *step, struct str *out,
			  struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct json *answer;

	if (small_file_read(output_path(engine, step).ptr, &text, err) < 0)
		return -(int)err->kind;
	if (json_parse(arena_str(&engine->run.look, buf_str(&text)), &engine->run.look, &answer,
		       err) < 0)
		return err_wrap(err, "the status of a snapshot");
	*out = json_string(json_get(answer, "state"));
	step->record.progress = arena_str(&engine->run.look, str_trim(buf_str(&text)));
	return 0;
}

static int next_stage(struct engine_step *step, enum engine_stage stage, int64_t pause_ms)
{
	step->stage = stage;
	step->not_before_ms = clock_monotonic_ms() + pause_ms;
	return 0;
}

/* A snapshot is looked for before it is taken: an engine before us may have begun it. */
static int snapshot_ended(struct engine *engine, struct engine_step *step, int code,
			  struct err *err)
{
	struct str state = STR_NONE;

	if (step->stage == STAGE_LOOK && code == EXIT_CODE_SOURCE_UNREADABLE)
		return next_stage(step, STAGE_REGISTER, 0);
	if (step->stage == STAGE_REGISTER && code == EXIT_CODE_OK)
		return next_stage(step, STAGE_CREATE, 0);
	if (step->stage == STAGE_CREATE && code == EXIT_CODE_OK) {
		point(step, "created");
		return next_stage(step, STAGE_LOOK, 0);
	}
	if (code != EXIT_CODE_OK) {
		enum engine_stage stage = step->stage;

		step->stage = STAGE_LOOK;
		return failed(engine, step,
			      code == EXIT_CODE_UNREACHABLE || stage == STAGE_CREATE || code < 0 ||
				      code == EXIT_CODE_TIMEOUT,
			      last_words(engine, step), err);
	}
	if (snapshot_state(engine, step, &state, err) < 0)
		return -(int)err->kind;
	if (str_is(state, "SUCCESS"))
		return finish(engine, step, STR(""), err);
	if (str_is(state, "FAILED") || str_is(state, "PARTIAL"))
		return failed(engine, step, false,
			      arena_printf(&engine->run.look,
					   "the snapshot is " STR_FMT
					   "; delete it, `workflow reset` it",
					   STR_ARG(state)),
			      err);
	return next_stage(step, STAGE_LOOK, SNAPSHOT_PAUSE_MS);
}

static struct str death(struct engine *engine, int status)
{
	return arena_printf(&engine->run.look, "its process was ended by signal %d",
			    WTERMSIG(status));
}

static int child_ended(struct engine *engine, struct engine_step *step, int status, struct err *err)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code < 0)
		return failed(engine, step, true, death(engine, status), err);
	if (step->plan->action == PLAN_SNAPSHOT_CREATE)
		return snapshot_ended(engine, step, code, err);
	if (code == EXIT_CODE_OK)
		return finish(engine, step, STR(""), err);
	if (code == EXIT_CODE_COMPLETED_WITH_ERRORS && step->plan->action != PLAN_VERIFY) {
		step->imperfect = true;
		return finish(engine, step,
			      arena_printf(&engine->run.look, IMPERFECT ": " STR_FMT,
					   STR_ARG(last_words(engine, step))),
			      err);
	}
	if (code == EXIT_CODE_COMPLETED_WITH_ERRORS)
		return failed(engine, step, false,
			      STR("source and target differ; `workflow show` has the report"), err);
	return failed(engine, step,
		      code == EXIT_CODE_UNREACHABLE || code == EXIT_CODE_TIMEOUT ||
			      code == EXIT_CODE_INTERRUPTED,
		      last_words(engine, step), err);
}

/* --- Steps --- */

static bool may_begin(const struct engine *engine, const struct engine_step *step)
{
	for (size_t i = 0; i < step->plan->after_count; i++)
		if (!is_done(&engine->run.steps[step->plan->after[i]]))
			return false;
	return true;
}

static int wait_for_change(struct engine *engine, struct engine_step *step, struct err *err)
{
	return set_phase(engine, step, STEP_WAITING,
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
	return set_phase(engine, step, STEP_SKIPPED,
			 step->imperfect ? STR(IMPERFECT ", before") : STR("done before"), err);
}

static int begin(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct err why = {0};

	if (engine_step_is_done(engine, step))
		return skip(engine, step, err);
	if (step->plan->action == PLAN_GATE)
		return look_at_gate(engine, step, err);
	if (step->plan->action != PLAN_SNAPSHOT_CREATE || step->record.phase != STEP_RUNNING)
		step->record.attempt++;
	if (start(engine, step, &why) == 0)
		return 0;
	return failed(engine, step, why.kind == ERR_IO,
		      arena_str(&engine->run.look, str_from(why.message)), err);
}

static int look_at_step(struct engine *engine, struct engine_step *step, bool *busy,
			struct err *err)
{
	size_t resource = step->plan->resource;
	int status;

	if (is_done(step) || step->record.phase == STEP_FAILED)
		return 0;
	if (step->child.pid != 0) {
		*busy = true;
		return engine_child_ended(&step->child, &status)
			       ? child_ended(engine, step, status, err)
			       : 0;
	}
	if (!may_begin(engine, step))
		return 0;
	*busy = true;
	if (step->former.pid != 0 && !process_is_gone(&step->former, &engine->self))
		return 0; /* it dies with its engine, but not within no time */
	step->former.pid = 0;
	if (clock_monotonic_ms() < step->not_before_ms)
		return 0;
	if (resource != PLAN_NO_RESOURCE && !engine->run.admitted[resource]) {
		if (engine_resource_admit(engine, resource, err) < 0)
			return -(int)err->kind;
		if (!engine->run.admitted[resource])
			return wait_for_change(engine, step, err);
	}
	return begin(engine, step, err);
}

/* --- Runs --- */

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
			step->imperfect = str_starts(known[i].message, STR(IMPERFECT));
			read_former(step, &run->mem);
			if (step->record.phase == STEP_RUNNING)
				step->record.phase = STEP_PENDING;
		}
	if (plan->action == PLAN_GATE && step->record.phase == STEP_PENDING &&
	    put_gate(engine, step, GATE_PENDING, err) < 0)
		return -(int)err->kind;
	return save(engine, step, err) < 0 ? -(int)err->kind : keep_strings(step, err);
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

static int take_up(struct engine *engine, const struct workflow_run *record, struct err *err)
{
	struct engine_run *run = &engine->run;
	struct workflow_step *known;
	size_t known_count;
	struct err why = {0};

	arena_reset(&run->mem);
	*run = (struct engine_run){.mem = run->mem, .look = run->look, .record = *record};
	run->record.workflow = arena_str(&run->mem, record->workflow);
	run->record.config = arena_str(&run->mem, record->config);
	if (make_plan(run, &why) < 0) {
		run->record.id = 0;
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
	return workflow_run_set(engine->state, record->id, WORKFLOW_RUNNING, STR_NONE,
				clock_wall_ms(), err);
}

void engine_run_leave(struct engine *engine)
{
	struct engine_run *run = &engine->run;

	for (size_t i = 0; run->steps && i < run->plan.step_count; i++) {
		engine_child_stop(&run->steps[i].child);
		arena_release(&run->steps[i].mem);
	}
	run->steps = NULL;
	run->record.id = 0;
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
	engine_run_leave(engine);
	return workflow_run_set(engine->state, id, phase, message, clock_wall_ms(), err);
}

/* The newest run of all that are not finished: one engine, one run at a time. */
static int choose(struct engine *engine, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(RUN_ARENA);
	struct workflow_run *runs, *chosen = NULL;
	size_t count;

	if (workflow_run_list(engine->state, NULL, &mem, &runs, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		if (runs[i].phase != WORKFLOW_PENDING && runs[i].phase != WORKFLOW_RUNNING)
			continue;
		if (runs[i].id == engine->run.record.id)
			return 0;
		if (!chosen)
			chosen = &runs[i];
	}
	engine_run_leave(engine);
	return chosen ? take_up(engine, chosen, err) : 0;
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

		if (step->plan->resource != index || step->child.pid != 0)
			continue;
		step->imperfect = false;
		step->record.attempt = 0;
		if (set_phase(engine, step, STEP_PENDING, STR(""), err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

int engine_run_look(struct engine *engine, bool *busy, struct err *err)
{
	struct engine_run *run = &engine->run;

	*busy = false;
	if (run->mem.limit == 0) {
		run->mem = ARENA_INIT(RUN_ARENA);
		run->look = ARENA_INIT(RUN_ARENA);
	}
	arena_reset(&run->look);
	if (choose(engine, err) < 0)
		return -(int)err->kind;
	if (run->record.id == 0)
		return 0;
	for (size_t i = 0; i < run->plan.resource_count; i++)
		if (look_at_resource(engine, i, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < run->plan.step_count; i++)
		if (look_at_step(engine, &run->steps[i], busy, err) < 0 ||
		    keep_strings(&run->steps[i], err) < 0)
			return -(int)err->kind;
	if (*busy)
		return 0;
	*busy = true; /* there may be another run */
	return end_run(engine, err);
}
