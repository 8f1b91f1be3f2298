#include "cli/workflow_status_json.h"

#include "base/clock.h"

const char *workflow_step_mark(enum workflow_step_phase phase)
{
	static const char *const marks[] = {
		[STEP_PENDING] = "○",   [STEP_WAITING] = "⟳", [STEP_RUNNING] = "▶",
		[STEP_SUCCEEDED] = "✓", [STEP_SKIPPED] = "~", [STEP_FAILED] = "✗"};

	return (size_t)phase < COUNT_OF(marks) ? marks[phase] : "?";
}

const char *workflow_resource_mark(struct str phase)
{
	if (str_is(phase, "Completed") || str_is(phase, "Ready"))
		return "✓";
	return str_is(phase, "Error") ? "✗" : str_is(phase, "Created") ? "○" : "▶";
}

static void set_text(struct json *object, const char *name, struct str value, struct arena *mem)
{
	json_set(object, str_from(name), json_new_string(mem, value));
}

static void set_time(struct json *object, const char *name, int64_t wall_ms, struct arena *mem)
{
	char text[25];

	if (wall_ms == 0) {
		json_set(object, str_from(name), json_new(mem, JSON_NULL));
		return;
	}
	clock_format_utc(wall_ms, text);
	set_text(object, name, arena_str(mem, str_from(text)), mem);
}

static void set_progress(struct json *object, bool known, const struct workflow_progress *progress,
			 struct arena *mem)
{
	if (!known)
		return;
	set_text(progress->json, "text", progress->text, mem);
	json_set(object, STR("progress"), progress->json);
}

static struct json *step_json(const struct workflow_step *step, const struct workflow_place *place,
			      struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT);
	struct workflow_progress progress;

	set_text(out, "name", step->name, mem);
	set_text(out, "title", step->title, mem);
	set_text(out, "resource", step->resource, mem);
	set_text(out, "phase", str_from(workflow_step_phase_name(step->phase)), mem);
	json_set(out, STR("attempt"), json_new_i64(mem, step->attempt));
	set_time(out, "started", step->started_ms, mem);
	set_time(out, "finished", step->finished_ms, mem);
	set_text(out, "message", step->message, mem);
	set_text(out, "log", step->log, mem);
	set_progress(out, workflow_progress_of_step(place, step, mem, &progress), &progress, mem);
	return out;
}

static struct json *resource_json(const struct workflow_resource *resource,
				  const struct workflow_place *place, struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT), *depends_on = NULL;
	struct workflow_progress progress;

	set_text(out, "kind", resource->kind, mem);
	set_text(out, "name", resource->name, mem);
	set_text(out, "phase", resource->phase, mem);
	if (json_parse(resource->depends_on, mem, &depends_on, NULL) == 0)
		json_set(out, STR("dependsOn"), depends_on);
	set_progress(out, workflow_progress_of_resource(place, resource, mem, &progress), &progress,
		     mem);
	return out;
}

struct json *workflow_status_json(const struct workflow_run *run, const struct workflow_step *steps,
				  size_t step_count, const struct workflow_place *place,
				  struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);
	struct json *resources = json_new(mem, JSON_ARRAY);

	set_text(out, "workflow", run->workflow, mem);
	json_set(out, STR("run"), json_new_i64(mem, run->id));
	set_text(out, "phase", str_from(workflow_phase_name(run->phase)), mem);
	set_time(out, "started", run->started_ms, mem);
	set_time(out, "finished", run->finished_ms, mem);
	set_text(out, "message", run->message, mem);
	for (size_t i = 0; i < step_count; i++)
		json_append(list, step_json(&steps[i], place, mem));
	json_set(out, STR("steps"), list);
	for (size_t i = 0; i < place->resource_count; i++)
		json_append(resources, resource_json(&place->resources[i], place, mem));
	json_set(out, STR("resources"), resources);
	return out;
}
