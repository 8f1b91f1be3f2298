#include "cli/workflow_common.h"

#include <stdio.h>

struct approve_fields {
	struct workflow_fields common;
	bool list, all, pre_approve;
	const char *output;
};

struct approval {
	const struct approve_fields *fields;
	struct workflow_session *session;
	struct workflow_gate *gates;
	size_t count;
	const char *category; /* NULL: any */
	const char **patterns;
	size_t pattern_count;
};

/* What users see and type: the suffix of an edit's gate is left out. */
static struct str shown(const struct workflow_gate *gate)
{
	struct str name = gate->name;

	if (str_ends(name, STR(".vapretry")))
		name.len -= strlen(".vapretry");
	return name;
}

static bool is_category(struct str text)
{
	return str_is(text, "step") || str_is(text, "change") || str_is(text, "retry");
}

static bool concerns(const struct approval *a, const struct workflow_gate *gate)
{
	if (a->category && strcmp(a->category, workflow_gate_category_name(gate->category)) != 0)
		return false;
	return gate->status != GATE_PENDING || a->fields->pre_approve || a->fields->list;
}

static bool is_meant(const struct approval *a, const struct workflow_gate *gate)
{
	for (size_t i = 0; i < a->pattern_count; i++)
		if (workflow_name_matches(shown(gate), a->patterns[i]) ||
		    workflow_name_matches(gate->name, a->patterns[i]))
			return true;
	return a->fields->all;
}

static struct json *gate_json(const struct workflow_gate *gate, struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT), *before = json_new(mem, JSON_OBJECT);
	struct str kind, name;

	str_split(gate->resource, '.', &kind, &name);
	json_set(out, STR("name"), json_new_string(mem, gate->name));
	json_set(out, STR("displayName"), json_new_string(mem, shown(gate)));
	json_set(out, STR("category"),
		 json_new_string(mem, str_from(workflow_gate_category_name(gate->category))));
	json_set(out, STR("status"),
		 json_new_string(mem, str_from(workflow_gate_status_name(gate->status))));
	json_set(out, STR("resourceKind"), json_new_string(mem, kind));
	json_set(out, STR("resourceName"), json_new_string(mem, name));
	json_set(out, STR("labels"), json_new(mem, JSON_OBJECT));
	json_set(out, STR("reason"), json_new_string(mem, gate->reason));
	if (gate->prerequisite.len > 0) {
		json_set(before, STR("description"), json_new_string(mem, gate->reason));
		json_set(before, STR("command"), json_new_string(mem, gate->prerequisite));
		json_set(out, STR("prerequisite"), before);
	}
	return out;
}

static int print_json(const struct approval *a, bool meant, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(64));
	struct arena *mem = a->session->mem;
	struct json *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < a->count; i++)
		if (concerns(a, &a->gates[i]) && (!meant || is_meant(a, &a->gates[i])))
			json_append(list, gate_json(&a->gates[i], mem));
	if (mem->failed)
		return arena_fail(mem, "the list of gates", err);
	json_write_pretty(&text, list);
	puts(buf_cstr(&text));
	return 0;
}

static int print_list(const struct approval *a, FILE *out)
{
	size_t shown_count = 0;

	for (size_t i = 0; i < a->count; i++) {
		const struct workflow_gate *gate = &a->gates[i];

		if (!concerns(a, gate))
			continue;
		shown_count++;
		fprintf(out, "%-6s  %-8s  " STR_FMT "  " STR_FMT "\n",
			workflow_gate_category_name(gate->category),
			workflow_gate_status_name(gate->status), STR_ARG(shown(gate)),
			STR_ARG(gate->reason));
	}
	if (shown_count == 0)
		fputs("nothing waits for an approval\n", out);
	return 0;
}

static int approve(const struct approval *a, const struct workflow_gate *gate, size_t *approved,
		   struct err *err)
{
	bool text = strcmp(a->fields->output, "text") == 0;

	if (gate->status == GATE_APPROVED) {
		if (text)
			printf(STR_FMT " is approved already\n", STR_ARG(shown(gate)));
		return 0;
	}
	if (workflow_grant(a->session, gate, err) < 0)
		return -(int)err->kind;
	if (text)
		printf("✓ Approved " STR_FMT "\n", STR_ARG(shown(gate)));
	(*approved)++;
	return 0;
}

static int approve_those_meant(struct approval *a, struct err *err)
{
	size_t approved = 0, meant = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct workflow_gate *gate = &a->gates[i];

		if (!concerns(a, gate) || !is_meant(a, gate))
			continue;
		meant++;
		if (approve(a, gate, &approved, err) < 0)
			return -(int)err->kind;
		gate->status = GATE_APPROVED;
	}
	if (meant == 0 && !a->fields->all) {
		print_list(a, stderr);
		return err_set(err, ERR_LIMIT,
			       "nothing that waits is called '%s'; gates not reached yet take "
			       "--pre-approve",
			       a->patterns[0]);
	}
	if (strcmp(a->fields->output, "json") == 0)
		return print_json(a, true, err);
	printf("%zu approved\n", approved);
	workflow_hint("`workflow status` tells how far it is");
	return 0;
}

static int check_arguments(const struct approval *a, struct err *err)
{
	int chosen = a->fields->list + a->fields->all + (a->pattern_count > 0);

	if (chosen != 1)
		return err_set(err, ERR_LIMIT, "what is approved? Give names, --all, or --list");
	return 0;
}

/* Gates of earlier runs ask nobody any more. */
static int leave_out_former(struct approval *a, struct err *err)
{
	struct workflow_run latest;
	size_t kept = 0;

	if (workflow_read_run(a->session, &latest, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < a->count; i++)
		if (a->gates[i].run == latest.id)
			a->gates[kept++] = a->gates[i];
	a->count = kept;
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct approve_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct approval a = {.fields = f,
			     .session = &session,
			     .patterns = cli->parsed->positionals,
			     .pattern_count = cli->parsed->positional_count};

	if (a.pattern_count > 0 && is_category(str_from(a.patterns[0]))) {
		a.category = *a.patterns++;
		a.pattern_count--;
	}
	if (check_arguments(&a, err) < 0 ||
	    workflow_session_open(&session, cli, &f->common, !f->list, err) < 0)
		return -(int)err->kind;
	if (session.state && workflow_gate_list(session.state, f->common.workflow, cli->mem,
						&a.gates, &a.count, err) < 0)
		return -(int)err->kind;
	if (leave_out_former(&a, err) < 0)
		return -(int)err->kind;
	if (!f->list)
		return approve_those_meant(&a, err);
	return strcmp(f->output, "json") == 0 ? print_json(&a, false, err) : print_list(&a, stdout);
}

#define FIELD(member) OPT_FIELD(struct approve_fields, member), .category = "Approval"

static const struct opt approve_options[] = {
	{.name = "list", .type = OPT_BOOL, FIELD(list), .help = "Only tell what there is."},
	{.name = "all", .type = OPT_BOOL, FIELD(all), .help = "All that wait."},
	{.name = "pre-approve",
	 .type = OPT_BOOL,
	 FIELD(pre_approve),
	 .help = "Gates that the run has not come to yet, too."},
	{.name = "output",
	 .type = OPT_CHOICE,
	 FIELD(output),
	 .choices = "text|json",
	 .fallback = "text",
	 .help = "How it is told."},
	{0},
};

static const struct opt_part parts[] = {{approve_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_approve = {
	.options = {.name = "workflow approve",
		    .summary = "Let the workflow pass a gate, or apply an edit",
		    .arguments = "[step|change|retry] [NAME]...",
		    .parts = parts,
		    .details = "Names may hold * ? and [], as in a shell.\n\nExit codes: 0; 1 "
			       "nothing of that name waits; 4 a reset is needed first; 5 no such "
			       "workflow.\n\n"
			       "Examples:\n  workflow approve 'migratemetadata.*'\n  workflow "
			       "approve change --all",
		    .max_positionals = 1000},
	.fields_size = sizeof(struct approve_fields),
	.run = run,
};
