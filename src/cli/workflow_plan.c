#include "cli/workflow_common.h"

#include "workflow/plan_spec.h"
#include "workflow/widening.h"

#include <stdio.h>

struct plan_fields {
	struct workflow_fields common;
	const char *pilot;
};

static const char *widening_text(const struct plan_resource *wanted,
				 const struct workflow_resource *there, const struct json *before,
				 struct arena *mem)
{
	if (str_is(wanted->kind, "snapshotmigration") &&
	    widening_of_migration(before, wanted->spec, mem))
		return "widened: what is new is done, what was migrated stays";
	if (str_is(wanted->kind, "datasnapshot") && str_is(there->phase, "Completed") &&
	    widening_of_snapshot(before, wanted->spec, mem))
		return "widened: submit asks before it takes another snapshot";
	return NULL;
}

/* What a submit would make of a resource that is there, or is not. */
static int print_change(struct workflow_session *session, const struct plan_resource *wanted,
			struct err *err)
{
	struct plan_change change = {0};
	struct workflow_resource there;
	const char *widened;
	struct json *before;
	int rc = 0;

	if (session->state)
		rc = workflow_resource_read(session->state, wanted->kind.ptr, wanted->name,
					    session->mem, &there, err);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		puts("new");
		return 0;
	}
	if (str_eq(there.checksum, wanted->checksum)) {
		puts(str_eq(there.converged, there.checksum) ? "done, nothing to do"
							     : "unchanged, goes on");
		return 0;
	}
	if (json_parse(there.spec, session->mem, &before, err) < 0)
		return -(int)err->kind;
	widened = widening_text(wanted, &there, before, session->mem);
	if (widened) {
		puts(widened);
		return 0;
	}
	plan_compare(before, wanted->spec, session->mem, &change);
	if (str_is(there.phase, "Completed"))
		change.policy = CHANGE_IMPOSSIBLE;
	if (change.policy == CHANGE_SAFE)
		printf("changed (" STR_FMT "): applied by submit\n", STR_ARG(change.paths));
	else if (change.policy == CHANGE_GATED)
		printf("changed (" STR_FMT "): waits for `workflow approve change`\n",
		       STR_ARG(change.paths));
	else
		printf("changed (" STR_FMT "): needs `workflow reset --cascade " STR_FMT "." STR_FMT
		       "`\n",
		       STR_ARG(change.paths), STR_ARG(wanted->kind), STR_ARG(wanted->name));
	return 0;
}

static void print_steps(const struct plan *plan, size_t resource)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].resource == resource)
			printf("  %s " STR_FMT "\n",
			       plan->steps[i].action == PLAN_GATE ? "wait" : "do  ",
			       STR_ARG(plan->steps[i].action == PLAN_GATE ? plan->steps[i].gate
									  : plan->steps[i].name));
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct plan_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct err unsupported = {0};
	struct config_value *root;
	struct plan plan;
	struct str text;

	if (workflow_session_open(&session, cli, &f->common, false, err) < 0 ||
	    workflow_read_pilot(&session, f->pilot, &root, &text, err) < 0 ||
	    plan_make(root, cli->mem, &plan, err) < 0)
		return -(int)err->kind;
	print_steps(&plan, PLAN_NO_RESOURCE);
	for (size_t i = 0; i < plan.resource_count; i++) {
		const struct plan_resource *resource = &plan.resources[i];

		printf(STR_FMT "." STR_FMT ": ", STR_ARG(resource->kind), STR_ARG(resource->name));
		if (print_change(&session, resource, err) < 0)
			return -(int)err->kind;
		for (size_t j = 0; j < resource->depends_on_count; j++)
			printf("  after " STR_FMT "\n", STR_ARG(resource->depends_on[j]));
		print_steps(&plan, i);
	}
	if (plan_check_supported(root, &plan, &unsupported) < 0)
		printf("\nsubmit refuses this: %s\n", unsupported.message);
	else
		workflow_hint("`workflow submit` does it");
	return 0;
}

#define FIELD(member) OPT_FIELD(struct plan_fields, member), .category = "Plan"

static const struct opt plan_options[] = {
	{.name = "pilot",
	 .type = OPT_STRING,
	 FIELD(pilot),
	 .metavar = "PATTERN",
	 .help = "What a pilot would do on the indices of PATTERN, such as 'logs-2026*', as "
		 "`workflow submit --pilot` has it."},
	{0},
};

static const struct opt_part parts[] = {{plan_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_plan = {
	.options = {.name = "workflow plan",
		    .summary = "What submit would do, without doing it",
		    .parts = parts},
	.fields_size = sizeof(struct plan_fields),
	.run = run,
};
