#include "cli/terminal.h"
#include "cli/workflow_common.h"
#include "cli/workflow_progress.h"
#include "cli/workflow_status_json.h"

#include "base/clock.h"

#include <stdio.h>

struct status_fields {
	struct workflow_fields common;
	bool all, live, no_live, resource_view, step_view, all_workflows;
};

static const char *run_mark(enum workflow_phase phase)
{
	static const char *const marks[] = {
		[WORKFLOW_PENDING] = ">",   [WORKFLOW_RUNNING] = "*",
		[WORKFLOW_SUCCEEDED] = "+", [WORKFLOW_COMPLETED_WITH_ERRORS] = "+",
		[WORKFLOW_FAILED] = "-",    [WORKFLOW_STOPPED] = "X"};

	return (size_t)phase < COUNT_OF(marks) ? marks[phase] : "?";
}

/* "2026-11-21 10:24:00" */
static const char *time_text(int64_t wall_ms, char text[static 26])
{
	clock_format_utc(wall_ms, text);
	text[10] = ' ';
	text[19] = '\0';
	return text;
}

static void print_times(const struct workflow_run *run)
{
	char text[26];

	printf("  Phase: ");
	terminal_print_state(stdout, str_from(workflow_phase_name(run->phase)));
	putchar('\n');
	if (run->started_ms)
		printf("  Started: %s\n", time_text(run->started_ms, text));
	if (run->finished_ms)
		printf("  Finished: %s\n", time_text(run->finished_ms, text));
	if (run->message.len > 0)
		printf("  Message: " STR_FMT "\n", STR_ARG(run->message));
}

/* What is shown of one run. */
struct view {
	const struct status_fields *fields;
	struct arena *mem;
	struct workflow_place place;
	struct workflow_resource *resources; /* those of place */
	struct workflow_step *steps;
	size_t step_count;
};

static bool is_live(const struct status_fields *f)
{
	return f->live && !f->no_live;
}

static void print_progress(const struct view *view, const struct workflow_step *step)
{
	struct workflow_progress progress;

	if (is_live(view->fields) &&
	    workflow_progress_of_step(&view->place, step, view->mem, &progress))
		printf(" [" STR_FMT "]", STR_ARG(progress.text));
}

/* In the colour of the phase it stands for. */
static void print_mark(const char *mark, struct str phase)
{
	terminal_print(stdout, colour_of_state(phase), str_from(mark));
	putchar(' ');
}

static void print_step(const struct view *view, const struct workflow_step *step,
		       const char *branch)
{
	int64_t at = step->finished_ms ? step->finished_ms : step->started_ms;
	char text[26];

	printf("%s ", branch);
	print_mark(workflow_step_mark(step->phase),
		   str_from(workflow_step_phase_name(step->phase)));
	if (at)
		printf("%s: ", time_text(at, text));
	printf(STR_FMT, STR_ARG(step->title));
	if (step->group.len > 0)
		printf(": " STR_FMT, STR_ARG(step->group));
	printf(" (%s)", workflow_step_phase_name(step->phase));
	if (step->attempt > 1)
		printf(" (attempt %lld)", (long long)step->attempt);
	print_progress(view, step);
	if (step->message.len > 0)
		printf(" - " STR_FMT, STR_ARG(step->message));
	putchar('\n');
}

static void print_steps(const struct view *view)
{
	puts("Workflow Steps");
	for (size_t i = 0; i < view->step_count; i++)
		print_step(view, &view->steps[i], i + 1 < view->step_count ? "├──" : "└──");
}

static void print_depends(struct str depends_on, struct arena *mem)
{
	struct json *list;
	const char *before = "      Depends on: ";

	if (json_parse(depends_on, mem, &list, NULL) < 0 || list->count == 0)
		return;
	json_each (item, list) {
		printf("%s" STR_FMT, before, STR_ARG(item->text));
		before = ", ";
	}
	putchar('\n');
}

static const struct group {
	const char *section, *title, *kind;
} groups[] = {
	{"Snapshot Migration", "Snapshot", "datasnapshot"},
	{"Snapshot Migration", "Backfill", "snapshotmigration"},
	{"Live Traffic Migration", "Capture", "captureproxy"},
	{"Live Traffic Migration", "Buffer", "kafkacluster"},
	{"Live Traffic Migration", "Replay", "trafficreplay"},
};

static void print_resource(const struct view *view, const struct workflow_resource *resource)
{
	struct str label = arena_printf(view->mem, STR_FMT "." STR_FMT, STR_ARG(resource->kind),
					STR_ARG(resource->name));
	struct workflow_progress progress;

	printf("    ");
	print_mark(workflow_resource_mark(resource->phase), resource->phase);
	printf(STR_FMT " (" STR_FMT ")", STR_ARG(resource->name), STR_ARG(resource->phase));
	if (is_live(view->fields) &&
	    workflow_progress_of_resource(&view->place, resource, view->mem, &progress))
		printf(" [" STR_FMT "]", STR_ARG(progress.text));
	putchar('\n');
	print_depends(resource->depends_on, view->mem);
	puts("      Workflow progress:");
	for (size_t j = 0; j < view->step_count; j++)
		if (str_eq(view->steps[j].resource, label))
			print_step(view, &view->steps[j], "       ");
}

static void print_group(const struct view *view, const struct group *group)
{
	size_t found = 0;

	printf("  %s\n", group->title);
	for (size_t i = 0; i < view->place.resource_count; i++) {
		if (!str_is(view->resources[i].kind, group->kind))
			continue;
		found++;
		print_resource(view, &view->resources[i]);
	}
	if (found == 0)
		puts("    (not configured)");
}

static void print_resources(const struct view *view)
{
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		if (i == 0 || groups[i].section != groups[i - 1].section)
			puts(groups[i].section);
		print_group(view, &groups[i]);
	}
}

/* The gate that the run stands at; STR_NONE: none. */
static struct str gate_that_waits(const struct view *view)
{
	struct str kind, gate;

	for (size_t i = 0; i < view->step_count; i++)
		if (view->steps[i].phase == STEP_WAITING &&
		    str_split(view->steps[i].name, '.', &kind, &gate) && str_is(kind, "approve"))
			return gate;
	return STR_NONE;
}

static void hint(enum workflow_phase phase, struct str gate, struct arena *mem)
{
	struct str approve =
		arena_printf(mem, "`workflow approve " STR_FMT "` lets it go on", STR_ARG(gate));

	if (phase == WORKFLOW_RUNNING && gate.len > 0 && approve.ptr)
		workflow_hint(approve.ptr);
	else if (phase == WORKFLOW_FAILED)
		workflow_hint("`workflow log all` tells why");
	else if (phase == WORKFLOW_RUNNING || phase == WORKFLOW_PENDING)
		workflow_hint("`workflow approve --list` tells what waits for you, `workflow log "
			      "all -f` what goes on");
	else
		workflow_hint("`workflow log all` tells what was done");
}

static int load(struct workflow_session *session, const struct status_fields *f,
		const struct workflow_run *run, struct view *view, struct err *err)
{
	*view = (struct view){
		.fields = f,
		.mem = session->mem,
		.place = {.state_dir = session->state_dir, .now_ms = clock_wall_ms()}};
	if (workflow_resource_list(session->state, session->mem, &view->resources,
				   &view->place.resource_count, err) < 0 ||
	    workflow_step_list(session->state, run->id, session->mem, &view->steps,
			       &view->step_count, err) < 0)
		return -(int)err->kind;
	view->place.resources = view->resources;
	return 0;
}

static int print_run(struct workflow_session *session, const struct status_fields *f,
		     const struct workflow_run *run, struct json *list, struct str *gate,
		     struct err *err)
{
	struct view view;

	if (load(session, f, run, &view, err) < 0)
		return -(int)err->kind;
	if (f->common.general.json) {
		json_append(list, workflow_status_json(run, view.steps, view.step_count,
						       &view.place, session->mem));
		return 0;
	}
	*gate = gate_that_waits(&view);
	printf("[%s] Workflow: " STR_FMT "\n", run_mark(run->phase), STR_ARG(run->workflow));
	print_times(run);
	putchar('\n');
	if (f->resource_view)
		print_resources(&view);
	else
		print_steps(&view);
	return 0;
}

static int print_all(struct workflow_session *session, const struct status_fields *f,
		     struct json *list, struct err *err)
{
	struct workflow_run *runs;
	size_t count = 0;
	struct str gate;

	if (session->state &&
	    workflow_run_list(session->state, f->all_workflows ? NULL : f->common.workflow,
			      session->mem, &runs, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (print_run(session, f, &runs[i], list, &gate, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int print_json(const struct json *value, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(256));

	if (mem->failed)
		return arena_fail(mem, "the status", err);
	json_write_pretty(&text, value);
	if (buf_check(&text, "the status", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct status_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct json *list = json_new(cli->mem, JSON_ARRAY);
	bool all = f->all || f->all_workflows;
	struct str gate = STR_NONE;
	struct workflow_run latest;

	if (workflow_session_open(&session, cli, &f->common, false, err) < 0)
		return -(int)err->kind;
	if (all ? print_all(&session, f, list, err) < 0
		: workflow_read_run(&session, &latest, err) < 0 ||
			    print_run(&session, f, &latest, list, &gate, err) < 0)
		return -(int)err->kind;
	if (f->common.general.json)
		return print_json(all ? list : list->first, cli->mem, err);
	if (!all)
		hint(latest.phase, gate, cli->mem);
	return 0;
}

#define FIELD(member) OPT_FIELD(struct status_fields, member), .category = "Status"

static const struct opt status_options[] = {
	{.name = "all", .type = OPT_BOOL, FIELD(all), .help = "Earlier runs, too."},
	{.name = "all-workflows", .type = OPT_BOOL, FIELD(all_workflows), .help = "All of them."},
	{.name = "live-status",
	 .type = OPT_BOOL,
	 FIELD(live),
	 .fallback = "true",
	 .help = "How far running steps are, read from what their processes leave; false: only "
		 "what the engine noted."},
	{.name = "no-live-status",
	 .type = OPT_BOOL,
	 FIELD(no_live),
	 .help = "The same as --live-status false."},
	{.name = "resource-view",
	 .type = OPT_BOOL,
	 FIELD(resource_view),
	 .help = "By what is made, instead of by step."},
	{.name = "step-view", .type = OPT_BOOL, FIELD(step_view), .help = "By step; the default."},
	{0},
};

static const struct opt_part parts[] = {{status_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_status = {
	.options = {.name = "workflow status",
		    .summary = "How far the workflow is, whether or not its engine runs",
		    .parts = parts,
		    .details = "--json: one object with `steps` and `resources`, each with the "
			       "`progress` that is known of it; with --all an array of them.\n\n"
			       "Exit codes: 0; 5 there is no such workflow."},
	.fields_size = sizeof(struct status_fields),
	.run = run,
};
