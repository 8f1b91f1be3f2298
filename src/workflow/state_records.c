#include "workflow/state_internal.h"

#define RESOURCE_COLUMNS                                                                      \
	"kind, name, uid, spec, depends_on, checksum, converged, phase, status, created_ms, " \
	"updated_ms"
#define STEP_COLUMNS                                                                               \
	"run, name, grouped, title, resource, position, phase, attempt, started_ms, finished_ms, " \
	"message, progress, log, child"
#define GATE_COLUMNS \
	"workflow, name, category, status, resource, reason, prerequisite, run, updated_ms"

const char *workflow_step_phase_name(enum workflow_step_phase phase)
{
	static const char *const names[] = {
		[STEP_PENDING] = "Pending", [STEP_WAITING] = "Waiting",
		[STEP_RUNNING] = "Running", [STEP_SUCCEEDED] = "Succeeded",
		[STEP_SKIPPED] = "Skipped", [STEP_FAILED] = "Failed"};

	return names[phase];
}

const char *workflow_gate_category_name(enum workflow_gate_category category)
{
	static const char *const names[] = {
		[GATE_STEP] = "step", [GATE_CHANGE] = "change", [GATE_RETRY] = "retry"};

	return names[category];
}

const char *workflow_gate_status_name(enum workflow_gate_status status)
{
	static const char *const names[] = {[GATE_PENDING] = "pending",
					    [GATE_WAITING] = "waiting",
					    [GATE_APPROVED] = "approved"};

	return names[status];
}

/* Columns that were not given are empty, never NULL. */
static void bind_given(struct database_statement *statement, struct str text)
{
	database_bind_text(statement, text.ptr ? text : STR(""));
}

static void bind_resource(struct database_statement *statement, const void *record)
{
	const struct workflow_resource *resource = record;

	bind_given(statement, resource->kind);
	bind_given(statement, resource->name);
	bind_given(statement, resource->uid);
	bind_given(statement, resource->spec);
	bind_given(statement, resource->depends_on);
	bind_given(statement, resource->checksum);
	bind_given(statement, resource->converged);
	bind_given(statement, resource->phase);
	bind_given(statement, resource->status);
	database_bind_int(statement, resource->created_ms);
	database_bind_int(statement, resource->updated_ms);
}

static void read_resource(const struct database_statement *row, struct arena *mem, void *out)
{
	*(struct workflow_resource *)out =
		(struct workflow_resource){.kind = state_text(row, 0, mem),
					   .name = state_text(row, 1, mem),
					   .uid = state_text(row, 2, mem),
					   .spec = state_text(row, 3, mem),
					   .depends_on = state_text(row, 4, mem),
					   .checksum = state_text(row, 5, mem),
					   .converged = state_text(row, 6, mem),
					   .phase = state_text(row, 7, mem),
					   .status = state_text(row, 8, mem),
					   .created_ms = database_int(row, 9),
					   .updated_ms = database_int(row, 10)};
}

int workflow_resource_put(struct workflow_state *state, const struct workflow_resource *resource,
			  struct err *err)
{
	return state_change(state,
			    "INSERT OR REPLACE INTO resource (" RESOURCE_COLUMNS
			    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			    bind_resource, resource, err);
}

int workflow_resource_update(struct workflow_state *state, const struct workflow_resource *resource,
			     struct err *err)
{
	return state_change(state,
			    "UPDATE resource SET spec = ?4, depends_on = ?5, checksum = ?6, "
			    "converged = ?7, phase = ?8, status = ?9, created_ms = ?10, "
			    "updated_ms = ?11 WHERE kind = ?1 AND name = ?2 AND uid = ?3 AND "
			    "phase <> 'Deleting'",
			    bind_resource, resource, err);
}

struct name_key {
	const char *outer; /* kind, or workflow */
	struct str name;
	int64_t now_ms;
};

static void bind_name(struct database_statement *statement, const void *record)
{
	const struct name_key *key = record;

	database_bind_text(statement, str_from(key->outer));
	database_bind_text(statement, key->name);
}

int workflow_resource_read(struct workflow_state *state, const char *kind, struct str name,
			   struct arena *mem, struct workflow_resource *out, struct err *err)
{
	struct name_key key = {kind, name, 0};

	return state_first(state,
			   "SELECT " RESOURCE_COLUMNS " FROM resource WHERE kind = ? AND name = ?",
			   bind_name, &key, read_resource, mem, out, err);
}

int workflow_resource_list(struct workflow_state *state, struct arena *mem,
			   struct workflow_resource **out, size_t *count, struct err *err)
{
	void *resources = NULL;
	int failed = state_list(
		state, "SELECT " RESOURCE_COLUMNS " FROM resource ORDER BY created_ms, kind, name",
		NULL, NULL, read_resource, sizeof(**out), mem, &resources, count, err);

	*out = resources;
	return failed;
}

int workflow_resource_remove(struct workflow_state *state, const char *kind, struct str name,
			     struct err *err)
{
	struct name_key key = {kind, name, 0};

	return state_change(state, "DELETE FROM resource WHERE kind = ? AND name = ?", bind_name,
			    &key, err);
}

static void bind_step(struct database_statement *statement, const void *record)
{
	const struct workflow_step *step = record;

	database_bind_int(statement, step->run);
	bind_given(statement, step->name);
	bind_given(statement, step->group);
	bind_given(statement, step->title);
	bind_given(statement, step->resource);
	database_bind_int(statement, step->position);
	database_bind_int(statement, step->phase);
	database_bind_int(statement, step->attempt);
	database_bind_int(statement, step->started_ms);
	database_bind_int(statement, step->finished_ms);
	bind_given(statement, step->message);
	bind_given(statement, step->progress);
	bind_given(statement, step->log);
	bind_given(statement, step->child);
}

static void read_step(const struct database_statement *row, struct arena *mem, void *out)
{
	*(struct workflow_step *)out =
		(struct workflow_step){.run = database_int(row, 0),
				       .name = state_text(row, 1, mem),
				       .group = state_text(row, 2, mem),
				       .title = state_text(row, 3, mem),
				       .resource = state_text(row, 4, mem),
				       .position = database_int(row, 5),
				       .phase = (enum workflow_step_phase)database_int(row, 6),
				       .attempt = database_int(row, 7),
				       .started_ms = database_int(row, 8),
				       .finished_ms = database_int(row, 9),
				       .message = state_text(row, 10, mem),
				       .progress = state_text(row, 11, mem),
				       .log = state_text(row, 12, mem),
				       .child = state_text(row, 13, mem)};
}

int workflow_step_put(struct workflow_state *state, const struct workflow_step *step,
		      struct err *err)
{
	return state_change(state,
			    "INSERT OR REPLACE INTO step (" STEP_COLUMNS
			    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			    bind_step, step, err);
}

static void bind_run(struct database_statement *statement, const void *run)
{
	database_bind_int(statement, *(const int64_t *)run);
}

int workflow_step_list(struct workflow_state *state, int64_t run, struct arena *mem,
		       struct workflow_step **out, size_t *count, struct err *err)
{
	void *steps = NULL;
	int failed = state_list(
		state, "SELECT " STEP_COLUMNS " FROM step WHERE run = ? ORDER BY position, name",
		bind_run, &run, read_step, sizeof(**out), mem, &steps, count, err);

	*out = steps;
	return failed;
}

static void bind_gate(struct database_statement *statement, const void *record)
{
	const struct workflow_gate *gate = record;

	bind_given(statement, gate->workflow);
	bind_given(statement, gate->name);
	database_bind_int(statement, gate->category);
	database_bind_int(statement, gate->status);
	bind_given(statement, gate->resource);
	bind_given(statement, gate->reason);
	bind_given(statement, gate->prerequisite);
	database_bind_int(statement, gate->run);
	database_bind_int(statement, gate->updated_ms);
}

static void read_gate(const struct database_statement *row, struct arena *mem, void *out)
{
	*(struct workflow_gate *)out = (struct workflow_gate){
		.workflow = state_text(row, 0, mem),
		.name = state_text(row, 1, mem),
		.category = (enum workflow_gate_category)database_int(row, 2),
		.status = (enum workflow_gate_status)database_int(row, 3),
		.resource = state_text(row, 4, mem),
		.reason = state_text(row, 5, mem),
		.prerequisite = state_text(row, 6, mem),
		.run = database_int(row, 7),
		.updated_ms = database_int(row, 8)};
}

int workflow_gate_put(struct workflow_state *state, const struct workflow_gate *gate,
		      struct err *err)
{
	return state_change(
		state,
		"INSERT INTO gate (" GATE_COLUMNS
		") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "
		"(workflow, name) DO UPDATE SET category = excluded.category, resource = "
		"excluded.resource, reason = excluded.reason, prerequisite = "
		"excluded.prerequisite, "
		"updated_ms = excluded.updated_ms, status = CASE WHEN gate.status = 2 AND gate.run "
		"= "
		"excluded.run THEN gate.status ELSE excluded.status END, run = excluded.run",
		bind_gate, gate, err);
}

static void bind_outer(struct database_statement *statement, const void *workflow)
{
	database_bind_text(statement, str_from(workflow));
}

int workflow_gate_list(struct workflow_state *state, const char *workflow, struct arena *mem,
		       struct workflow_gate **out, size_t *count, struct err *err)
{
	void *gates = NULL;
	int failed = state_list(
		state, "SELECT " GATE_COLUMNS " FROM gate WHERE workflow = ? ORDER BY name",
		bind_outer, workflow, read_gate, sizeof(**out), mem, &gates, count, err);

	*out = gates;
	return failed;
}

static int approve(struct workflow_state *state, const struct name_key *key, struct err *err)
{
	cleanup(database_finish) struct database_statement statement = database_prepare(
		state->db,
		"UPDATE gate SET status = 2, updated_ms = ?3 WHERE workflow = ?1 AND name = ?2");
	size_t changed = 0;
	int failed;

	bind_name(&statement, key);
	database_bind_int(&statement, key->now_ms);
	failed = database_run(&statement, &changed, err);
	if (failed < 0 || changed > 0)
		return failed;
	return err_set(err, ERR_NOT_FOUND,
		       "no gate is called '" STR_FMT "'; 'workflow approve --list' shows them",
		       STR_ARG(key->name));
}

int workflow_gate_approve(struct workflow_state *state, const char *workflow, struct str name,
			  int64_t now_ms, struct err *err)
{
	struct name_key key = {workflow, name, now_ms};
	int failed = database_begin(state->db, err);

	if (failed < 0)
		return failed;
	return database_end(state->db, approve(state, &key, err), err);
}

int workflow_gate_remove(struct workflow_state *state, const char *workflow, struct str name,
			 struct err *err)
{
	struct name_key key = {workflow, name, 0};

	return state_change(state, "DELETE FROM gate WHERE workflow = ? AND name = ?", bind_name,
			    &key, err);
}
