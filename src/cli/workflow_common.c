#include "cli/workflow_common.h"

#include "workflow/engine.h"

#include "base/clock.h"
#include "base/state_dir.h"
#include "cli/index_pattern.h"
#include "workflow/config_check.h"
#include "workflow/pilot.h"

#include <fnmatch.h>
#include <stdio.h>
#include <unistd.h>

#define WORKFLOW(member) OPT_FIELD(struct workflow_fields, member), .category = "Workflow"

const struct opt workflow_options[] = {
	{.name = "workflow-name",
	 .type = OPT_STRING,
	 WORKFLOW(workflow),
	 .metavar = "NAME",
	 .fallback = WORKFLOW_NAME_DEFAULT,
	 .help = "Which workflow, where there are several in a state directory."},
	{.name = "session",
	 .type = OPT_STRING,
	 WORKFLOW(session),
	 .metavar = "NAME",
	 .fallback = WORKFLOW_SESSION_DEFAULT,
	 .help = "Which configuration, where there are several."},
	{.name = "namespace",
	 .type = OPT_STRING,
	 WORKFLOW(namespace),
	 .metavar = "NAME",
	 .help = "Of Kubernetes; without effect on one machine."},
	{.name = "argo-server",
	 .type = OPT_STRING,
	 WORKFLOW(argo_server),
	 .metavar = "URL",
	 .help = "Of Kubernetes; without effect on one machine."},
	{.name = "token",
	 .type = OPT_STRING,
	 WORKFLOW(token),
	 .metavar = "TOKEN",
	 .help = "Of Kubernetes; without effect on one machine."},
	{.name = "insecure",
	 .type = OPT_BOOL,
	 WORKFLOW(insecure),
	 .help = "Of Kubernetes; without effect on one machine."},
	{0},
};

void workflow_session_close(struct workflow_session *session)
{
	workflow_state_close(session->state);
}

int workflow_session_open(struct workflow_session *session, struct cli *cli,
			  const struct workflow_fields *fields, bool write, struct err *err)
{
	struct err why = {0};
	int rc;

	session->fields = fields;
	session->mem = cli->mem;
	if (state_dir_path(fields->general.state_dir, cli->mem, &session->state_dir, err) < 0)
		return -(int)err->kind;
	if (write)
		return workflow_state_open(session->state_dir, &session->state, err);
	rc = workflow_state_open_read(session->state_dir, &session->state, &why);
	if (rc < 0 && why.kind != ERR_NOT_FOUND) {
		*err = why;
		return rc;
	}
	return 0;
}

int workflow_read_configuration(struct workflow_session *session, struct config_value **root,
				struct str *text, struct err *err)
{
	cleanup(buf_release) struct buf report = BUF_INIT(MIB(1));
	struct config_problems problems;
	int rc = 0;

	if (session->state)
		rc = workflow_config_read(session->state, session->fields->session, session->mem,
					  text, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_USAGE,
			       "session '%s' has no configuration; `workflow configure sample "
			       "--load`, then `workflow configure edit`",
			       session->fields->session);
	if (config_parse(*text, session->mem, root, err) < 0 ||
	    config_check(*root, session->mem, &problems, err) < 0)
		return err_wrap(err, "the configuration");
	config_problems_write(&report, &problems);
	if (report.len > 0)
		fputs(buf_cstr(&report), stderr);
	if (problems.errors == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%zu problems in the configuration; `workflow configure edit` mends them",
		       problems.errors);
}

int workflow_read_pilot(struct workflow_session *session, const char *pattern,
			struct config_value **root, struct str *text, struct err *err)
{
	const char *entry;

	if (workflow_read_configuration(session, root, text, err) < 0)
		return -(int)err->kind;
	if (!pattern)
		return 0;
	entry = index_pattern_entry(pattern, session->mem);
	if (!*pattern || !entry)
		return err_set(
			err, ERR_USAGE,
			"--pilot wants a name or a pattern of indices, such as 'logs-2026*'");
	if (pilot_configuration(*root, pattern, entry, session->mem, text, err) < 0)
		return -(int)err->kind;
	return config_parse(*text, session->mem, root, err);
}

int workflow_read_run(struct workflow_session *session, struct workflow_run *out, struct err *err)
{
	int rc = 0;

	if (session->state)
		rc = workflow_run_read(session->state, session->fields->workflow, 0, session->mem,
				       out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return err_set(err, ERR_NOT_FOUND,
		       "there is no workflow '%s' in '%s'; `workflow submit` starts one",
		       session->fields->workflow, session->state_dir);
}

int workflow_grant(struct workflow_session *session, const struct workflow_gate *gate,
		   struct err *err)
{
	struct workflow_resource resource;
	struct str kind, name;
	int rc = 0;

	/* An edit that cannot be applied to what is there waits until that is gone. */
	if (gate->category == GATE_RETRY && str_split(gate->resource, '.', &kind, &name))
		rc = workflow_resource_read(session->state, arena_str(session->mem, kind).ptr, name,
					    session->mem, &resource, err);
	if (rc < 0)
		return rc;
	if (rc > 0)
		return err_set(err, ERR_BLOCKED,
			       STR_FMT " is there still; run `" STR_FMT
				       "` first, then approve again",
			       STR_ARG(gate->resource), STR_ARG(gate->prerequisite));
	if (workflow_gate_approve(session->state, session->fields->workflow, gate->name,
				  clock_wall_ms(), err) < 0)
		return -(int)err->kind;
	workflow_engine_wake(session->state_dir);
	return 0;
}

bool workflow_can_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

void workflow_hint(const char *text)
{
	printf("\nHint: %s\n", text);
}

bool workflow_name_matches(struct str name, const char *pattern)
{
	char text[1024];

	if (name.len >= sizeof(text))
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}
