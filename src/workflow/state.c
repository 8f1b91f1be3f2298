#include "workflow/state.h"

#include "base/state_dir.h"
#include "workflow/state_internal.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_MS 30000

static const struct database_kind state_kind = {
	.noun = "the workflow's records",
	.other_place = "give another --state-dir",
	.lost = "what was configured must be configured again, and steps find what they did before",
	.application_id = 0x53685766, /* "ShWf" */
	.version = WORKFLOW_STATE_VERSION,
	.tables = "CREATE TABLE config (session TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;"
		  "CREATE TABLE run (id INTEGER PRIMARY KEY, workflow TEXT NOT NULL,"
		  "  config TEXT NOT NULL, phase INTEGER NOT NULL DEFAULT 0,"
		  "  started_ms INTEGER NOT NULL DEFAULT 0, finished_ms INTEGER NOT NULL DEFAULT 0,"
		  "  message TEXT) STRICT;"
		  "CREATE TABLE resource (kind TEXT NOT NULL, name TEXT NOT NULL,"
		  "  uid TEXT NOT NULL, spec TEXT NOT NULL, depends_on TEXT NOT NULL,"
		  "  checksum TEXT NOT NULL, converged TEXT NOT NULL, phase TEXT NOT NULL,"
		  "  status TEXT NOT NULL, created_ms INTEGER NOT NULL,"
		  "  updated_ms INTEGER NOT NULL, PRIMARY KEY (kind, name)) STRICT;"
		  "CREATE TABLE step (run INTEGER NOT NULL, name TEXT NOT NULL, grouped TEXT NOT "
		  "NULL,"
		  "  title TEXT NOT NULL, resource TEXT NOT NULL, position INTEGER NOT NULL,"
		  "  phase INTEGER NOT NULL, attempt INTEGER NOT NULL, started_ms INTEGER NOT NULL,"
		  "  finished_ms INTEGER NOT NULL, message TEXT NOT NULL, progress TEXT NOT NULL,"
		  "  log TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (run, name)) STRICT;"
		  "CREATE TABLE gate (workflow TEXT NOT NULL, name TEXT NOT NULL,"
		  "  category INTEGER NOT NULL, status INTEGER NOT NULL, resource TEXT NOT NULL,"
		  "  reason TEXT NOT NULL, prerequisite TEXT NOT NULL, run INTEGER NOT NULL,"
		  "  updated_ms INTEGER NOT NULL, PRIMARY KEY (workflow, name)) STRICT;",
};

static int open_state(const char *state_dir, bool read, struct workflow_state **out,
		      struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct database *db;
	int failed = read ? 0 : directory_make(state_dir, err);

	buf_printf(&path, "%s/state.db", state_dir);
	if (failed == 0)
		failed = buf_check(&path, "the path of the state directory", err);
	if (failed == 0 && read)
		failed = database_open_read(buf_cstr(&path), &state_kind, BUSY_MS, &db, err);
	else if (failed == 0)
		failed = database_open(buf_cstr(&path), &state_kind, BUSY_MS, &db, err);
	if (failed < 0)
		return failed;
	*out = mem_zalloc(sizeof(**out));
	(*out)->db = db;
	return 0;
}

int workflow_state_open(const char *state_dir, struct workflow_state **out, struct err *err)
{
	return open_state(state_dir, false, out, err);
}

int workflow_state_open_read(const char *state_dir, struct workflow_state **out, struct err *err)
{
	return open_state(state_dir, true, out, err);
}

void workflow_state_close(struct workflow_state *state)
{
	if (!state)
		return;
	database_close(state->db);
	free(state);
}

void workflow_state_closep(struct workflow_state **state)
{
	workflow_state_close(*state);
}

struct str state_text(const struct database_statement *row, int column, struct arena *mem)
{
	struct str text = database_text(row, column);

	return arena_str(mem, text.ptr ? text : STR(""));
}

int state_change(struct workflow_state *state, const char *sql,
		 void (*bind)(struct database_statement *statement, const void *record),
		 const void *record, struct err *err)
{
	struct database_statement statement;
	int failed = database_begin(state->db, err);

	if (failed < 0)
		return failed;
	statement = database_prepare(state->db, sql);
	bind(&statement, record);
	failed = database_run(&statement, NULL, err);
	database_finish(&statement);
	return database_end(state->db, failed, err);
}

/* The rows go into a buffer first: how many there are is not known. */
static int read_rows(struct database_statement *query,
		     void (*read)(const struct database_statement *row, struct arena *mem,
				  void *out),
		     size_t size, struct arena *mem, struct buf *rows, struct err *err)
{
	int stepped;
	void *row;

	while ((stepped = database_step(query, err)) > 0) {
		row = buf_reserve(rows, size);
		if (!row)
			break;
		memset(row, 0, size);
		read(query, mem, row);
		rows->len += size;
	}
	return stepped < 0 ? stepped : buf_check(rows, "the workflow's records", err);
}

int state_list(struct workflow_state *state, const char *sql,
	       void (*bind)(struct database_statement *statement, const void *key), const void *key,
	       void (*read)(const struct database_statement *row, struct arena *mem, void *out),
	       size_t size, struct arena *mem, void **out, size_t *count, struct err *err)
{
	cleanup(buf_release) struct buf rows = BUF_INIT(LIMIT_LISTING);
	struct database_statement query;
	int failed;

	pthread_mutex_lock(&state->db->mutex);
	query = database_prepare(state->db, sql);
	if (bind)
		bind(&query, key);
	failed = read_rows(&query, read, size, mem, &rows, err);
	database_finish(&query);
	pthread_mutex_unlock(&state->db->mutex);
	if (failed < 0)
		return failed;
	*count = rows.len / size;
	*out = arena_alloc(mem, rows.len);
	if (!*out || mem->failed)
		return arena_fail(mem, "the workflow's records", err);
	if (rows.len > 0)
		memcpy(*out, rows.ptr, rows.len);
	return 0;
}

int state_first(struct workflow_state *state, const char *sql,
		void (*bind)(struct database_statement *statement, const void *key),
		const void *key,
		void (*read)(const struct database_statement *row, struct arena *mem, void *out),
		struct arena *mem, void *out, struct err *err)
{
	struct database_statement query;
	int stepped;

	pthread_mutex_lock(&state->db->mutex);
	query = database_prepare(state->db, sql);
	if (bind)
		bind(&query, key);
	stepped = database_step(&query, err);
	if (stepped > 0)
		read(&query, mem, out);
	database_finish(&query);
	pthread_mutex_unlock(&state->db->mutex);
	return stepped > 0 && mem->failed ? arena_fail(mem, "the workflow's records", err)
					  : stepped;
}

static void bind_text(struct database_statement *statement, const void *text)
{
	database_bind_text(statement, str_from(text));
}

static void read_text(const struct database_statement *row, struct arena *mem, void *out)
{
	*(struct str *)out = state_text(row, 0, mem);
}

int workflow_config_read(struct workflow_state *state, const char *session, struct arena *mem,
			 struct str *text, struct err *err)
{
	return state_first(state, "SELECT text FROM config WHERE session = ?", bind_text, session,
			   read_text, mem, text, err);
}

struct saved_config {
	const char *session;
	struct str text;
};

static void bind_config(struct database_statement *statement, const void *record)
{
	const struct saved_config *config = record;

	database_bind_text(statement, str_from(config->session));
	database_bind_text(statement, config->text);
}

int workflow_config_write(struct workflow_state *state, const char *session, struct str text,
			  struct err *err)
{
	struct saved_config config = {session, text.ptr ? text : STR("")};

	return state_change(state, "INSERT OR REPLACE INTO config VALUES (?, ?)", bind_config,
			    &config, err);
}

int workflow_config_clear(struct workflow_state *state, const char *session, struct err *err)
{
	return state_change(state, "DELETE FROM config WHERE session = ?", bind_text, session, err);
}
