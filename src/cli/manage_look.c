#include "cli/manage_look.h"

#include "base/clock.h"
#include "cli/table.h"

#include <ctype.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SHOWN MIB(1)

static int read_run(struct workflow_state *state, const struct workflow_fields *fields,
		    struct arena *mem, struct manage_look *out, struct err *err)
{
	struct workflow_run *run = arena_zalloc(mem, 1, sizeof(*run));
	struct str text;
	int rc;

	if (!run)
		return arena_fail(mem, "the run", err);
	rc = workflow_config_read(state, fields->session, mem, &text, err);
	if (rc < 0)
		return rc;
	out->configured = rc > 0;
	rc = workflow_run_read(state, fields->workflow, 0, mem, run, err);
	out->run = rc > 0 ? run : NULL;
	return MIN(rc, 0);
}

/* Gates of earlier runs ask nobody any more. */
static int read_gates(struct workflow_state *state, const struct workflow_fields *fields,
		      struct arena *mem, struct manage_look *out, struct err *err)
{
	struct workflow_gate *gates;
	size_t count;

	if (workflow_gate_list(state, fields->workflow, mem, &gates, &count, err) < 0)
		return -(int)err->kind;
	out->gates = gates;
	for (size_t i = 0; i < count; i++)
		if (gates[i].run == out->run->id)
			gates[out->gate_count++] = gates[i];
	return 0;
}

static int read_progress(const char *state_dir, struct arena *mem, struct manage_look *out,
			 struct err *err)
{
	const struct workflow_place place = {.state_dir = state_dir,
					     .resources = out->resources,
					     .resource_count = out->resource_count,
					     .now_ms = clock_wall_ms()};
	struct workflow_progress *progress = arena_zalloc(mem, out->step_count, sizeof(*progress));

	out->progress = progress;
	for (size_t i = 0; progress && i < out->step_count; i++)
		if (out->steps[i].phase != STEP_RUNNING ||
		    !workflow_progress_of_step(&place, &out->steps[i], mem, &progress[i]))
			progress[i].text = STR_NONE;
	return mem->failed ? arena_fail(mem, "the progress of the steps", err) : 0;
}

static int read_all(struct workflow_state *state, const struct workflow_fields *fields,
		    const char *state_dir, struct arena *mem, struct manage_look *out,
		    struct err *err)
{
	struct workflow_resource *resources;
	struct workflow_step *steps;

	if (read_run(state, fields, mem, out, err) < 0)
		return -(int)err->kind;
	if (!out->run)
		return 0;
	if (workflow_step_list(state, out->run->id, mem, &steps, &out->step_count, err) < 0 ||
	    workflow_resource_list(state, mem, &resources, &out->resource_count, err) < 0 ||
	    read_gates(state, fields, mem, out, err) < 0)
		return -(int)err->kind;
	out->steps = steps;
	out->resources = resources;
	return read_progress(state_dir, mem, out, err);
}

int manage_look_read(const struct workflow_fields *fields, const char *state_dir, struct arena *mem,
		     struct manage_look *out, struct err *err)
{
	cleanup(workflow_state_closep) struct workflow_state *state = NULL;
	int rc = workflow_state_open_read(state_dir, &state, err);

	*out = (struct manage_look){0};
	if (rc < 0)
		return err->kind == ERR_NOT_FOUND ? 0 : rc;
	return read_all(state, fields, state_dir, mem, out, err);
}

/* --- Steps and their files --- */

static const struct workflow_step *step_called(const struct manage_look *look, struct str name)
{
	for (size_t i = 0; i < look->step_count; i++) {
		struct str known = look->steps[i].name;

		/* Gates are named in lower case. */
		if (known.len == name.len && strncasecmp(known.ptr, name.ptr, name.len) == 0)
			return &look->steps[i];
	}
	return NULL;
}

static const struct workflow_step *step_of_group(const struct manage_look *look, struct str label)
{
	const struct workflow_step *found = NULL;

	for (size_t i = 0; i < look->step_count; i++) {
		const struct workflow_step *step = &look->steps[i];

		if (!str_eq(step->resource, label) || step->attempt == 0)
			continue;
		if (step->phase == STEP_RUNNING)
			return step;
		if (!found || found->phase != STEP_FAILED)
			found = step;
	}
	return found;
}

const struct workflow_step *manage_step_of(const struct manage_look *look,
					   const struct manage_row *row)
{
	if (row->gate)
		return step_called(look, row->gate->name);
	return row->step ? row->step : step_of_group(look, row->key);
}

const char *manage_log_path(const char *state_dir, const struct workflow_step *step,
			    struct arena *mem)
{
	if (step->log.len == 0)
		return NULL;
	return arena_printf(mem, "%s/" STR_FMT, state_dir, STR_ARG(step->log)).ptr;
}

const char *manage_output_path(const char *state_dir, const struct manage_look *look,
			       const struct workflow_step *step, struct arena *mem)
{
	struct str kind, name;

	if (!str_split(step->resource, '.', &kind, &name))
		return NULL;
	for (size_t i = 0; i < look->resource_count; i++)
		if (str_eq(look->resources[i].kind, kind) && str_eq(look->resources[i].name, name))
			return arena_printf(mem,
					    "%s/outputs/" STR_FMT "/" STR_FMT "/" STR_FMT
					    "/" STR_FMT,
					    state_dir, STR_ARG(kind), STR_ARG(name),
					    STR_ARG(look->resources[i].uid), STR_ARG(step->name))
				.ptr;
	return NULL;
}

struct str manage_printable(struct str text, struct arena *mem)
{
	cleanup(buf_release) struct buf out = BUF_INIT(4 * FILE_SHOWN);
	struct arena scratch = ARENA_INIT(4 * FILE_SHOWN);

	while (text.len > 0) {
		struct str whole = text, line, tab;

		if (!str_split(whole, '\n', &line, &text))
			text = STR_NONE;
		while (str_split(line, '\t', &tab, &line)) {
			buf_append_str(&out, text_printable(tab, &scratch));
			buf_append_str(&out, STR("    "));
		}
		buf_append_str(&out, text_printable(tab, &scratch));
		buf_append_byte(&out, '\n');
		arena_reset(&scratch);
	}
	arena_release(&scratch);
	return arena_str(mem, buf_str(&out));
}

struct str manage_file_text(const char *path, struct arena *mem)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct str text = STR("");
	struct stat about;
	char *bytes = NULL;
	ssize_t got = -1;

	if (fd < 0)
		return text;
	if (fstat(fd, &about) == 0)
		bytes = arena_alloc(mem, FILE_SHOWN);
	if (bytes)
		got = pread(fd, bytes, FILE_SHOWN,
			    MAX(about.st_size - (off_t)FILE_SHOWN, (off_t)0));
	if (got > 0)
		text = manage_printable(str_of(bytes, (size_t)got), mem);
	close(fd);
	return text;
}
