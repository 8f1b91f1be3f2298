/* What a configuration means: the resources that shall be there, and the steps that lead to them.
 *
 * Names are Migration Assistant's: snapshot SOURCE-SNAPSHOT, migration
 * SOURCE-TARGET-SNAPSHOT-LABEL, replay CAPTURED-TARGET-REPLAYER, topic PROXY-topic; gates in lower
 * case, such as evaluatemetadata.MIGRATION. */
#ifndef WORKFLOW_PLAN_H
#define WORKFLOW_PLAN_H

#include "base/json.h"
#include "workflow/config_value.h"

enum plan_action {
	PLAN_GATE,  /* waits until somebody approves */
	PLAN_CHECK, /* connects, as the steps will */
	PLAN_SNAPSHOT_CREATE,
	PLAN_SNAPSHOT_EXTERNAL, /* looks whether it is there */
	PLAN_METADATA_EVALUATE,
	PLAN_METADATA_MIGRATE,
	PLAN_BACKFILL,
	PLAN_VERIFY,
	PLAN_CAPTURE,
	PLAN_REPLAY,
	PLAN_CUT_OVER,
};

struct plan_resource {
	struct str kind; /* kafkacluster capturedtraffic captureproxy datasnapshot
			    snapshotmigration trafficreplay */
	struct str name;
	struct json *spec; /* resolved, see plan_spec.h */
	struct str checksum;
	struct str identity;    /* checksum of what dependents see of it */
	struct str session;     /* checksum of what work on it must have in common to go on */
	struct str *depends_on; /* "kind.name" */
	size_t depends_on_count;
};

#define PLAN_NO_RESOURCE SIZE_MAX
#define PLAN_AFTER_MAX 64

struct plan_step {
	enum plan_action action;
	struct str name;   /* "migratemetadata.MIGRATION"; of a gate "approve.GATE" */
	struct str title;  /* "Migrate Metadata" */
	struct str gate;   /* name of the gate; "" for other steps */
	size_t resource;   /* index, or PLAN_NO_RESOURCE */
	struct json *spec; /* of a check, which has no resource: source, target, repository */
	struct str
		inputs; /* checksum of what the step depends on: once done with it, it stays done */
	const size_t *after; /* indices of steps that must be done before */
	size_t after_count;
};

struct plan {
	struct plan_resource *resources; /* those that others depend on first */
	size_t resource_count;
	struct plan_step *steps; /* each behind those it waits for */
	size_t step_count;
};

/* Of a configuration that config_check found no errors in; borrows it. All lives in `mem`.
 * ERR_LIMIT: too many steps, or the arena is full. */
int plan_make(const struct config_value *root, struct arena *mem, struct plan *out,
	      struct err *err);
/* "kind.name" of a step's resource; "" without one. */
struct str plan_resource_label(const struct plan *plan, size_t resource, struct arena *mem);
/* The resource with this "kind.name"; NULL: there is none. */
const struct plan_resource *plan_resource_of(const struct plan *plan, struct str label);
/* Refuses by name what this program cannot carry out: ERR_UNSUPPORTED. */
int plan_check_supported(const struct config_value *root, const struct plan *plan, struct err *err);

#endif
