/* What the commands of `workflow` share. */
#ifndef CLI_WORKFLOW_COMMON_H
#define CLI_WORKFLOW_COMMON_H

#include "cli/command.h"
#include "cli/common_options.h"
#include "workflow/plan.h"
#include "workflow/state.h"

/* Each command's struct starts with these. */
struct workflow_fields {
	struct general_fields general;
	const char *workflow, *session;
	const char *namespace, *argo_server, *token; /* of Kubernetes: accepted, without effect */
	bool insecure;
};
extern const struct opt workflow_options[];
#define WORKFLOW_PARTS {workflow_options, 0}, {general_options, 0}

struct workflow_session {
	const struct workflow_fields *fields;
	const char *state_dir;
	struct workflow_state *state; /* NULL: nothing was ever configured */
	struct arena *mem;
};
/* For cleanup(). */
void workflow_session_close(struct workflow_session *session);
/* Opens what is there, to look only if `write` is false. */
int workflow_session_open(struct workflow_session *session, struct cli *cli,
			  const struct workflow_fields *fields, bool write, struct err *err);
/* The configuration, checked; its problems are an error. */
int workflow_read_configuration(struct workflow_session *session, struct config_value **root,
				struct str *text, struct err *err);
/* The same, narrowed to the indices of a pattern where one is given (workflow/pilot.h). */
int workflow_read_pilot(struct workflow_session *session, const char *pattern,
			struct config_value **root, struct str *text, struct err *err);
/* The newest run; ERR_NOT_FOUND without one. */
int workflow_read_run(struct workflow_session *session, struct workflow_run *out, struct err *err);
/* Approves a gate. ERR_BLOCKED: what it is about must be reset first. */
int workflow_grant(struct workflow_session *session, const struct workflow_gate *gate,
		   struct err *err);
/* Whether somebody can be asked. */
bool workflow_can_ask(void);
/* Asks for one, unseen, and keeps it. ERR_USAGE: nothing was given. */
int workflow_ask_secret(const char *state_dir, struct str name, struct err *err);
/* On a terminal: a blank line and what to do next. */
void workflow_hint(const char *text);
/* 'name' matches one of the patterns, as the shell has them, letter case aside. */
bool workflow_name_matches(struct str name, const char *pattern);

#endif
