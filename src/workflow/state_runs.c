#include "workflow/state_internal.h"

#define RUN_COLUMNS "id, workflow, config, phase, started_ms, finished_ms, message"

const char *workflow_phase_name(enum workflow_phase phase)
{
	static const char *const names[] = {
		[WORKFLOW_PENDING] = "Pending",
		[WORKFLOW_RUNNING] = "Running",
		[WORKFLOW_SUCCEEDED] = "Succeeded",
		[WORKFLOW_COMPLETED_WITH_ERRORS] = "CompletedWithErrors",
		[WORKFLOW_FAILED] = "Failed",
		[WORKFLOW_STOPPED] = "Stopped"};

	return names[phase];
}

struct run_key {
	const char *workflow;
	int64_t id;
};

static void bind_key(struct database_statement *statement, const void *record)
{
	const struct run_key *key = record;
	struct str workflow = str_from(key->workflow);

	database_bind_text(statement, workflow);
	database_bind_int(statement, key->id);
}

static void read_run(const struct database_statement *row, struct arena *mem, void *out)
{
	*(struct workflow_run *)out =
		(struct workflow_run){.id = database_int(row, 0),
				      .workflow = state_text(row, 1, mem),
				      .config = state_text(row, 2, mem),
				      .phase = (enum workflow_phase)database_int(row, 3),
				      .started_ms = database_int(row, 4),
				      .finished_ms = database_int(row, 5),
				      .message = state_text(row, 6, mem)};
}

int workflow_run_read(struct workflow_state *state, const char *workflow, int64_t id,
		      struct arena *mem, struct workflow_run *out, struct err *err)
{
	struct run_key key = {workflow, id};

	return state_first(state,
			   "SELECT " RUN_COLUMNS " FROM run WHERE workflow = ?1 AND (?2 = 0 OR id "
			   "= ?2) ORDER BY id DESC LIMIT 1",
			   bind_key, &key, read_run, mem, out, err);
}

int workflow_run_list(struct workflow_state *state, const char *workflow, struct arena *mem,
		      struct workflow_run **out, size_t *count, struct err *err)
{
	struct run_key key = {workflow, 0};
	void *runs = NULL;
	int failed = state_list(state,
				"SELECT " RUN_COLUMNS " FROM run WHERE (?1 IS NULL OR workflow = "
				"?1) AND ?2 = 0 ORDER BY id DESC",
				bind_key, &key, read_run, sizeof(**out), mem, &runs, count, err);

	*out = runs;
	return failed;
}

static int stop_others(struct workflow_state *state, const char *workflow, int64_t now_ms,
		       struct err *err)
{
	cleanup(database_finish) struct database_statement statement = database_prepare(
		state->db, "UPDATE run SET phase = ?, finished_ms = ? WHERE workflow = ? AND phase "
			   "IN (?, ?)");

	database_bind_int(&statement, WORKFLOW_STOPPED);
	database_bind_int(&statement, now_ms);
	database_bind_text(&statement, str_from(workflow));
	database_bind_int(&statement, WORKFLOW_PENDING);
	database_bind_int(&statement, WORKFLOW_RUNNING);
	return database_run(&statement, NULL, err);
}

/* The milliseconds of now, or the next that no run has. */
static int insert_run(struct workflow_state *state, const char *workflow, struct str config,
		      int64_t now_ms, int64_t *id, struct err *err)
{
	cleanup(database_finish) struct database_statement statement = database_prepare(
		state->db, "INSERT INTO run (id, workflow, config) VALUES (max(?, (SELECT "
			   "ifnull(max(id), 0) + 1 FROM run)), ?, ?) RETURNING id");
	int stepped;

	database_bind_int(&statement, now_ms);
	database_bind_text(&statement, str_from(workflow));
	database_bind_text(&statement, config.ptr ? config : STR(""));
	stepped = database_step(&statement, err);
	if (stepped <= 0)
		return stepped;
	*id = database_int(&statement, 0);
	return database_run(&statement, NULL, err);
}

int workflow_run_submit(struct workflow_state *state, const char *workflow, struct str config,
			int64_t now_ms, int64_t *id, struct err *err)
{
	int failed = database_begin(state->db, err);

	if (failed < 0)
		return failed;
	failed = stop_others(state, workflow, now_ms, err);
	if (failed == 0)
		failed = insert_run(state, workflow, config, now_ms, id, err);
	return database_end(state->db, failed, err);
}

static bool is_finished(enum workflow_phase phase)
{
	return phase != WORKFLOW_PENDING && phase != WORKFLOW_RUNNING;
}

static void bind_phase(struct database_statement *statement, const void *record)
{
	const struct workflow_run *run = record;

	database_bind_int(statement, run->id);
	database_bind_int(statement, run->phase);
	database_bind_text(statement, run->message);
	database_bind_int(statement, run->started_ms);
	database_bind_int(statement, run->finished_ms);
	database_bind_int(statement, WORKFLOW_STOPPED);
}

int workflow_run_set(struct workflow_state *state, int64_t id, enum workflow_phase phase,
		     struct str message, int64_t now_ms, struct err *err)
{
	struct workflow_run run = {.id = id,
				   .phase = phase,
				   .message = message,
				   .started_ms = now_ms,
				   .finished_ms = is_finished(phase) ? now_ms : 0};

	return state_change(
		state,
		"UPDATE run SET phase = ?2, message = ?3, finished_ms = ?5, started_ms = "
		"CASE WHEN started_ms = 0 AND ?2 <> 0 THEN ?4 ELSE started_ms END WHERE "
		"id = ?1 AND phase <> ?6",
		bind_phase, &run, err);
}
