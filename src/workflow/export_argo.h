/* A plan as a manifest of Argo Workflows, for those who have it: the commands of the steps in pods,
 * gates as suspended nodes.
 *
 * Each command is what the engine would run on Kubernetes; the order, the gates and the number of
 * workers are the plan's. What only the engine does is refused by name: proxies, replayers and
 * cut-overs, which somebody has to watch. Source: Argo Workflows 3.7, argoproj.io/v1alpha1. */
#ifndef WORKFLOW_EXPORT_ARGO_H
#define WORKFLOW_EXPORT_ARGO_H

#include "base/json.h"
#include "workflow/plan.h"

struct export_argo_options {
	const char *name;            /* the workflow's are called NAME-xxxxx */
	const char *namespace;       /* NULL: whichever it is created in */
	const char *service_account; /* of its pods; NULL: the namespace's */
	const char *image;
};

/* In `mem`. ERR_UNSUPPORTED: a step that needs the engine. */
int export_argo(const struct export_argo_options *options, const struct plan *plan,
		struct arena *mem, struct json **out, struct err *err);

#endif
