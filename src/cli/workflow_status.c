#include "cli/workflow_common.h"

#include "base/clock.h"

#include <stdio.h>

struct status_fields {
	struct workflow_fields common;
	bool all, live, resource_view, step_view, all_workflows;
};

static const char *run_mark(enum workflow_phase phase)
{
	static const char *const marks[] = {
		[WORKFLOW_PENDING] = ">",   [WORKFLOW_RUNNING] = "*",
		[WORKFLOW_SUCCEEDED] = "+", [WORKFLOW_COMPLETED_WITH_ERRORS] = "+",
		[WORKFLOW_FAILED] = "-",    [WORKFLOW_STOPPED] = "X"};

	return (size_t)phase < COUNT_OF(marks) ? marks[phase] : "?";
}

static const char *step_mark(enum workflow_step_phase phase)
{
	static const char *const marks[] = {
		[STEP_PENDING] = "○",   [STEP_WAITING] = "⟳", [STEP_RUNNING] = "▶",
		[STEP_SUCCEEDED] = "✓", [STEP_SKIPPED] = "~", [STEP_FAILED] = "✗"};

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

	printf("  Phase: %s\n", workflow_phase_name(run->phase));
	if (run->started_ms)
		printf("  Started: %s\n", time_text(run->started_ms, text));
	if (run->finished_ms)
		printf("  Finished: %s\n", time_text(run->finished_ms, text));
	if (run->message.len > 0)
		printf("  Message: " STR_FMT "\n", STR_ARG(run->message));
}

static void print_progress(const struct workflow_step *step, struct arena *mem)
{
	struct json *progress = NULL;

	if (step->progress.len == 0 || json_parse(step->progress, mem, &progress, NULL) < 0)
		return;
	printf(" [shards %lld/%lld, failed %lld]",
	       (long long)json_i64_or(json_get(progress, "shards_done"), 0),
	       (long long)json_i64_or(json_get(progress, "shards_total"), 0),
	       (long long)json_i64_or(json_get(progress, "shards_failed"), 0));
}

static void print_step(const struct workflow_step *step, const char *branch, struct arena *mem)
{
	int64_t at = step->finished_ms ? step->finished_ms : step->started_ms;
	char text[26];

	printf("%s %s ", branch, step_mark(step->phase));
	if (at)
		printf("%s: ", time_text(at, text));
	printf(STR_FMT, STR_ARG(step->title));
	if (step->group.len > 0)
		printf(": " STR_FMT, STR_ARG(step->group));
	printf(" (%s)", workflow_step_phase_name(step->phase));
	if (step->attempt > 1)
		printf(" (attempt %lld)", (long long)step->attempt);
	print_progress(step, mem);
	if (step->message.len > 0)
		printf(" - " STR_FMT, STR_ARG(step->message));
	putchar('\n');
}

static int print_steps(struct workflow_session *session, const struct workflow_run *run,
		       struct err *err)
{
	struct workflow_step *steps;
	size_t count;

	if (workflow_step_list(session->state, run->id, session->mem, &steps, &count, err) < 0)
		return -(int)err->kind;
	puts("Workflow Steps");
	for (size_t i = 0; i < count; i++)
		print_step(&steps[i], i + 1 < count ? "├──" : "└──", session->mem);
	return 0;
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

static const char *resource_mark(struct str phase)
{
	if (str_is(phase, "Completed") || str_is(phase, "Ready"))
		return "✓";
	return str_is(phase, "Error") ? "✗" : str_is(phase, "Created") ? "○" : "▶";
}

static void print_group(const struct group *group, const struct workflow_resource *resources,
			size_t count, const struct workflow_step *steps, size_t step_count,
			struct arena *mem)
{
	size_t found = 0;

	printf("  %s\n", group->title);
	for (size_t i = 0; i < count; i++) {
		struct str label =
			arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(resources[i].kind),
				     STR_ARG(resources[i].name));

		if (!str_is(resources[i].kind, group->kind))
			continue;
		found++;
		printf("    %s " STR_FMT " (" STR_FMT ")\n", resource_mark(resources[i].phase),
		       STR_ARG(resources[i].name), STR_ARG(resources[i].phase));
		print_depends(resources[i].depends_on, mem);
		puts("      Workflow progress:");
		for (size_t j = 0; j < step_count; j++)
			if (str_eq(steps[j].resource, label))
				print_step(&steps[j], "       ", mem);
	}
	if (found == 0)
		puts("    (not configured)");
}

static int print_resources(struct workflow_session *session, const struct workflow_run *run,
			   struct err *err)
{
	struct workflow_resource *resources;
	struct workflow_step *steps;
	size_t count, step_count;

	if (workflow_resource_list(session->state, session->mem, &resources, &count, err) < 0 ||
	    workflow_step_list(session->state, run->id, session->mem, &steps, &step_count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		if (i == 0 || groups[i].section != groups[i - 1].section)
			puts(groups[i].section);
		print_group(&groups[i], resources, count, steps, step_count, session->mem);
	}
	return 0;
}

static void hint(enum workflow_phase phase)
{
	if (phase == WORKFLOW_FAILED)
		workflow_hint("`workflow log all` tells why");
	else if (phase == WORKFLOW_RUNNING || phase == WORKFLOW_PENDING)
		workflow_hint("`workflow approve --list` tells what waits for you, `workflow log "
			      "all -f` what goes on");
	else
		workflow_hint("`workflow log all` tells what was done");
}

static int print_run(struct workflow_session *session, const struct status_fields *f,
		     const struct workflow_run *run, struct err *err)
{
	printf("[%s] Workflow: " STR_FMT "\n", run_mark(run->phase), STR_ARG(run->workflow));
	print_times(run);
	putchar('\n');
	return f->resource_view ? print_resources(session, run, err)
				: print_steps(session, run, err);
}

static int print_all(struct workflow_session *session, const struct status_fields *f,
		     struct err *err)
{
	struct workflow_run *runs;
	size_t count = 0;

	if (session->state &&
	    workflow_run_list(session->state, f->all_workflows ? NULL : f->common.workflow,
			      session->mem, &runs, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (print_run(session, f, &runs[i], err) < 0)
			return -(int)err->kind;
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct status_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct workflow_run latest;

	if (workflow_session_open(&session, cli, &f->common, false, err) < 0)
		return -(int)err->kind;
	if (f->all || f->all_workflows)
		return print_all(&session, f, err);
	if (workflow_read_run(&session, &latest, err) < 0 ||
	    print_run(&session, f, &latest, err) < 0)
		return -(int)err->kind;
	hint(latest.phase);
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
	 .help = "Accepted; progress is always shown."},
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
		    .details = "Exit codes: 0; 5 there is no such workflow."},
	.fields_size = sizeof(struct status_fields),
	.run = run,
};
