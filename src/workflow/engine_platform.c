#include "workflow/engine_internal.h"

#include "base/limits.h"

size_t engine_platform_workers(const struct engine *engine, const struct engine_step *step)
{
	int64_t count = 1;

	if (step->plan->action == PLAN_BACKFILL)
		count = json_i64_or(json_path(engine->run.plan.resources[step->plan->resource].spec,
					      "backfill", "podReplicas", NULL),
				    1);
	return (size_t)MIN(MAX(count, (int64_t)1), (int64_t)ENGINE_WORKERS_MAX);
}

size_t engine_platform_processes(const struct engine *engine, size_t workers)
{
	return engine->platform == PLATFORM_LOCAL ? workers : 1;
}

int engine_platform_wrap(struct engine *engine, struct engine_step *step, size_t replicas,
			 struct engine_command *command, struct err *err)
{
	(void)step, (void)replicas, (void)command;
	if (engine->platform == PLATFORM_LOCAL)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, "there is no platform but local");
}
