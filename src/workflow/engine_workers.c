#include "workflow/engine_step.h"

#include "base/limits.h"

#include <inttypes.h>
#include <sys/wait.h>

int engine_workers_start(struct engine *engine, struct engine_step *step,
			 const struct engine_command *command, const char *log, const char *output,
			 struct err *err)
{
	struct arena *mem = &engine->run.look;
	size_t count = engine_platform_processes(engine, engine_platform_workers(engine, step)) - 1;

	step->status_known = false;
	for (size_t i = 0; i < count; i++) {
		/* "….1.log": "….1-worker2.log" */
		struct str own =
			arena_printf(mem, "%.*s-worker%zu.log", (int)(strlen(log) - 4), log, i + 2);
		struct str report = arena_printf(mem, "%s-worker%zu", output, i + 2);

		if (mem->failed)
			return arena_fail(mem, "the workers of a step", err);
		if (engine_child_start(engine, command, own.ptr, report.ptr, &step->workers[i],
				       err) < 0)
			return -(int)err->kind;
		engine_child_go(&step->workers[i]);
	}
	return 0;
}

/* One that came to the end came there for all: the others' work was taken over. */
static int rank(int status)
{
	if (!WIFEXITED(status))
		return 0;
	return WEXITSTATUS(status) == EXIT_CODE_COMPLETED_WITH_ERRORS ? 3
	       : WEXITSTATUS(status) == EXIT_CODE_OK                  ? 2
								      : 1;
}

static bool look_at(struct engine_step *step, struct engine_child *child)
{
	int status;

	if (child->pid == 0)
		return true;
	if (!engine_child_ended(child, &status))
		return false;
	if (!step->status_known || rank(status) > rank(step->status))
		step->status = status;
	step->status_known = true;
	return true;
}

bool engine_workers_have_ended(struct engine_step *step, int *status)
{
	bool all = look_at(step, &step->child);

	for (size_t i = 0; i < COUNT_OF(step->workers); i++)
		all &= look_at(step, &step->workers[i]);
	*status = step->status;
	return all;
}

bool engine_workers_are_there(const struct engine_step *step)
{
	bool any = step->child.pid != 0;

	for (size_t i = 0; i < COUNT_OF(step->workers); i++)
		any |= step->workers[i].pid != 0;
	return any;
}

void engine_workers_stop(struct engine_step *step)
{
	engine_child_stop(&step->child);
	for (size_t i = 0; i < COUNT_OF(step->workers); i++)
		engine_child_stop(&step->workers[i]);
}

void engine_workers_abandon(struct engine_step *step)
{
	engine_child_abandon(&step->child);
	for (size_t i = 0; i < COUNT_OF(step->workers); i++)
		engine_child_abandon(&step->workers[i]);
}
