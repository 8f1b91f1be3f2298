/* A run as machines read it, and the marks that people see. */
#ifndef CLI_WORKFLOW_STATUS_JSON_H
#define CLI_WORKFLOW_STATUS_JSON_H

#include "cli/workflow_progress.h"

/* {workflow, run, phase, started, finished, message, steps: […], resources: […]}; times as RFC 3339
 * or null. In `mem`. */
struct json *workflow_status_json(const struct workflow_run *run, const struct workflow_step *steps,
				  size_t step_count, const struct workflow_place *place,
				  struct arena *mem);
/* "✓" done, "▶" running, "○" not begun, "⟳" waiting, "✗" failed, "~" skipped. */
const char *workflow_step_mark(enum workflow_step_phase phase);
const char *workflow_resource_mark(struct str phase);

#endif
