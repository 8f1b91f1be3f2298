#include "workflow/engine_step.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"
#include "base/state_dir.h"

#include <inttypes.h>
#include <sys/wait.h>

#define SNAPSHOT_PAUSE_MS 1000

struct str engine_step_output(struct engine *engine, const struct engine_step *step)
{
	const struct workflow_resource *resource;

	if (step->plan->resource == PLAN_NO_RESOURCE)
		return arena_printf(&engine->run.look, "%s/logs/%" PRId64 "/" STR_FMT ".output",
				    engine->options->state_dir, engine->run.record.id,
				    STR_ARG(step->plan->name));
	resource = &engine->run.resources[step->plan->resource];
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

int engine_step_paths(struct engine *engine, struct engine_step *step, const char **log,
		      const char **output, struct err *err)
{
	struct arena *mem = &engine->run.look;

	step->record.log = arena_printf(mem, "logs/%" PRId64 "/" STR_FMT ".%" PRId64 ".log",
					engine->run.record.id, STR_ARG(step->plan->name),
					step->record.attempt);
	*log = arena_printf(mem, "%s/" STR_FMT, engine->options->state_dir,
			    STR_ARG(step->record.log))
		       .ptr;
	*output = engine_step_output(engine, step).ptr;
	if (mem->failed)
		return arena_fail(mem, "the paths of a step", err);
	return make_folder_of(*output, mem, err) < 0 ? -(int)err->kind
						     : make_folder_of(*log, mem, err);
}

int engine_step_start(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct engine_command command;
	const char *log, *output;

	if (engine_step_paths(engine, step, &log, &output, err) < 0 ||
	    engine_command_make(engine, step, &command, err) < 0 ||
	    engine_platform_wrap(engine, step, engine_platform_workers(engine, step), &command,
				 err) < 0 ||
	    engine_child_start(engine, &command, log, output, &step->child, err) < 0)
		return -(int)err->kind;
	step->record.child = child_text(engine, &step->child.identity);
	step->record.phase = STEP_RUNNING;
	step->record.message = STR("");
	step->record.started_ms =
		step->record.started_ms ? step->record.started_ms : clock_wall_ms();
	if (engine_step_save(engine, step, err) < 0)
		return -(int)err->kind;
	engine_point(step, "started");
	engine_child_go(&step->child);
	return engine_workers_start(engine, step, &command, log, output, err);
}

/* The last line of a log is what the program said when it ended. */
struct str engine_step_last_words(struct engine *engine, const struct engine_step *step)
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

int engine_step_failed(struct engine *engine, struct engine_step *step, bool again,
		       struct str reason, struct err *err)
{
	struct arena *mem = &engine->run.look;
	int64_t delay = retry_delay(step->record.attempt);

	if (!again || step->record.attempt >= ENGINE_TRIES)
		return engine_step_set_phase(
			engine, step, STEP_FAILED,
			arena_printf(mem,
				     STR_FMT " (try %" PRId64 "); `workflow log %s" STR_FMT
					     "` tells more, `workflow submit` tries again",
				     STR_ARG(reason), step->record.attempt,
				     step->record.resource.len > 0 ? "resource " : "all",
				     STR_ARG(step->record.resource)),
			err);
	step->not_before_ms = clock_monotonic_ms() + delay;
	return engine_step_set_phase(engine, step, STEP_PENDING,
				     arena_printf(mem, STR_FMT "; tried again in %" PRId64 " s",
						  STR_ARG(reason), delay / 1000),
				     err);
}

static int snapshot_state(struct engine *engine, struct engine_step *step, struct str *out,
			  struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct json *answer;

	if (small_file_read(engine_step_output(engine, step).ptr, &text, err) < 0)
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
	struct err why = {0};

	if (step->stage == STAGE_LOOK && code == EXIT_CODE_SOURCE_UNREADABLE)
		return next_stage(step, STAGE_REGISTER, 0);
	if (step->stage == STAGE_REGISTER && code == EXIT_CODE_OK)
		return next_stage(step, STAGE_CREATE, 0);
	if (step->stage == STAGE_CREATE && code == EXIT_CODE_OK) {
		engine_point(step, "created");
		return next_stage(step, STAGE_LOOK, 0);
	}
	if (code != EXIT_CODE_OK) {
		enum engine_stage stage = step->stage;

		step->stage = STAGE_LOOK;
		return engine_step_failed(engine, step,
					  code == EXIT_CODE_UNREACHABLE || stage == STAGE_CREATE ||
						  code < 0 || code == EXIT_CODE_TIMEOUT,
					  engine_step_last_words(engine, step), err);
	}
	/* Cut short by a full disk, or the log of a pod that could not be read. */
	if (snapshot_state(engine, step, &state, &why) < 0)
		return engine_step_failed(engine, step, true, str_from(why.message), err);
	if (str_is(state, "SUCCESS"))
		return engine_step_finish(engine, step, STR(""), err);
	if (str_is(state, "FAILED") || str_is(state, "PARTIAL"))
		return engine_step_failed(engine, step, false,
					  arena_printf(&engine->run.look,
						       "the snapshot is " STR_FMT
						       "; delete it, `workflow reset` it",
						       STR_ARG(state)),
					  err);
	return next_stage(step, STAGE_LOOK,
			  engine_platform_pause(engine, SNAPSHOT_PAUSE_MS,
						clock_wall_ms() - step->record.started_ms));
}

static struct str death(struct engine *engine, int status)
{
	return arena_printf(&engine->run.look, "its process was ended by signal %d",
			    WTERMSIG(status));
}

int engine_step_child_ended(struct engine *engine, struct engine_step *step, int status,
			    struct err *err)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code < 0)
		return engine_step_failed(engine, step, true, death(engine, status), err);
	if (step->plan->action == PLAN_CHECK)
		return engine_check_ended(engine, step, code, err);
	if (step->plan->action == PLAN_SNAPSHOT_CREATE)
		return snapshot_ended(engine, step, code, err);
	if (code == EXIT_CODE_OK)
		return engine_step_finish(engine, step, STR(""), err);
	if (code == EXIT_CODE_COMPLETED_WITH_ERRORS && step->plan->action != PLAN_VERIFY) {
		step->imperfect = true;
		return engine_step_finish(
			engine, step,
			arena_printf(&engine->run.look, ENGINE_IMPERFECT ": " STR_FMT,
				     STR_ARG(engine_step_last_words(engine, step))),
			err);
	}
	if (code == EXIT_CODE_COMPLETED_WITH_ERRORS)
		return engine_step_failed(
			engine, step, false,
			STR("source and target differ; `workflow show` has the report"), err);
	return engine_step_failed(engine, step,
				  code == EXIT_CODE_UNREACHABLE || code == EXIT_CODE_TIMEOUT ||
					  code == EXIT_CODE_INTERRUPTED,
				  engine_step_last_words(engine, step), err);
}
