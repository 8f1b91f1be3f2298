/* What the files that make a plan share. */
#ifndef WORKFLOW_PLAN_INTERNAL_H
#define WORKFLOW_PLAN_INTERNAL_H

#include "workflow/plan.h"

#define PLAN_STEPS_MAX 4096

struct planner {
	const struct config_value *root;
	struct arena *mem;
	struct plan *plan;
	size_t begin; /* the check or gate before all; SIZE_MAX: none */
	bool full;
};

/* What steps wait for: collected, then copied. */
struct plan_waits {
	size_t list[PLAN_AFTER_MAX];
	size_t count;
};

/* --- plan_parts.c --- */
/* The text of a member; none: STR_NONE. */
struct str plan_text_of(const struct config_value *map, const char *key);
struct str plan_lower(struct planner *p, struct str text);
/* Whether the gate behind a step is left out: its own flag, else its entry's, else the root's. */
bool plan_skips(const struct config_value *step, const char *flag, const struct config_value *entry,
		const struct config_value *root);

/* Members of a spec. plan_set takes no NULL for one. */
void plan_set(struct json *object, const char *key, struct json *value);
void plan_set_text(struct planner *p, struct json *object, const char *key, struct str value);
/* Members of a cluster that its resources keep. */
struct json *plan_side(struct planner *p, const struct config_value *cluster);
/* Resolved by the schema at `path`; NULL for NULL. */
struct json *plan_section(struct planner *p, const char *path, const struct config_value *value);

/* PLAN_NO_RESOURCE: none. */
size_t plan_find_resource(const struct planner *p, const char *kind, struct str name);
/* Its spec takes in what it sees of those it depends on. PLAN_NO_RESOURCE: the plan is full. */
size_t plan_add_resource(struct planner *p, const char *kind, struct str name, struct json *spec,
			 const size_t *depends_on, size_t depends_on_count);

/* SIZE_MAX is nothing to wait for. */
void plan_wait_for(struct planner *p, struct plan_waits *waits, size_t step);
/* SIZE_MAX: the plan is full. */
size_t plan_add_step(struct planner *p, struct plan_step step, const struct plan_waits *waits);
/* A gate behind `step`; returns what later steps wait for. */
size_t plan_add_gate(struct planner *p, struct str gate, const char *title, size_t resource,
		     struct str inputs, size_t step);
/* The last step of a resource: its gate if it has one; SIZE_MAX: none. */
size_t plan_last_step_of(const struct planner *p, size_t resource);

/* --- plan_pods.c --- */
/* ERR_UNSUPPORTED: traffic that pods cannot carry. */
int plan_check_pods(const struct plan *plan, struct err *err);

/* --- plan_check.c --- */
/* A step for each source and target that have to do with one another, one after the other. */
void plan_checks(struct planner *p);

/* --- plan_traffic.c --- */
size_t plan_topic(struct planner *p, const struct config_value *producer);
void plan_proxy(struct planner *p, const struct config_value *proxy);
void plan_replayer(struct planner *p, const struct config_value *replayer);
/* Whether live traffic of the source is replayed to the target: both send versions then. */
bool plan_is_replayed(const struct planner *p, struct str source, struct str target);

#endif
