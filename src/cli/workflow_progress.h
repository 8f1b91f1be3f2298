/* How far the steps and resources of a workflow are, read from what their processes leave in the
 * state directory: no engine is needed, and nothing is changed.
 *
 * A backfill: its work items, <state>/work/<session>.db; where they are kept in the target by pods,
 * <state>/run/<session>.work, as `backfill status --json` told it last. A snapshot: what the step
 * noted last. A verify: <state>/run/verify.<pid>.progress (progress_file.h). A replayer:
 * <state>/run/<name>.status. A proxy is asked on its control socket, <state>/run/<name>.sock. */
#ifndef CLI_WORKFLOW_PROGRESS_H
#define CLI_WORKFLOW_PROGRESS_H

#include "base/json.h"
#include "workflow/state.h"

struct workflow_progress {
	int percent;          /* -1: not to be told */
	int64_t seconds_left; /* at the pace since the step began; -1: not to be told */
	struct str text;      /* "42%, 1.2 GiB of 3.4 GiB, 1200 documents, …, ETA 1:20" */
	struct json *json;    /* the same for machines: "percent", "eta_ms", and what there is */
};

/* Where to look. Borrowed. */
struct workflow_place {
	const char *state_dir;
	const struct workflow_resource *resources;
	size_t resource_count;
	int64_t now_ms; /* since 1970 */
};

/* False: nothing is known, because it has not begun, its kind has no progress, or what is there
 * cannot be read. */
bool workflow_progress_of_step(const struct workflow_place *place, const struct workflow_step *step,
			       struct arena *mem, struct workflow_progress *out);
/* Of what goes on while no step runs: proxies and replayers. */
bool workflow_progress_of_resource(const struct workflow_place *place,
				   const struct workflow_resource *resource, struct arena *mem,
				   struct workflow_progress *out);

#endif
