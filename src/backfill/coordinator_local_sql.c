#include "backfill/coordinator_local_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

int local_sql_error(const struct local_coordinator *local, int code, struct err *err)
{
	const char *path = local->path, *said = sqlite3_errmsg(local->db);

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_set(err, ERR_IO,
			"the work items in '%s' were locked by another program for %" PRId64
			" ms: end what holds the file (fuser shows it), and start again",
			path, local->busy_ms);
		if (err)
			err->retry = true;
		return -ERR_IO;
	case SQLITE_FULL:
		return err_set(err, ERR_IO,
			       "no space is left for the work items in '%s': free some and start "
			       "again; what was acknowledged until now is kept",
			       path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_IO,
			       "the work items in '%s' are damaged (%s): move the file away and "
			       "start again; the documents are then sent anew",
			       path, said);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return err_set(err, ERR_IO,
			       "cannot write the work items in '%s' (%s): check the permissions "
			       "of the file and its folder, or give another --state-dir",
			       path, said);
	case SQLITE_IOERR:
		return err_set_errno(err, ERR_IO, sqlite3_system_errno(local->db),
				     "the work items in '%s' (%s): check the disk and start again",
				     path, said);
	case SQLITE_NOMEM:
		return err_set(err, ERR_NOMEM, "no memory for the work items in '%s'", path);
	default:
		return err_set(err, ERR_IO, "the work items in '%s': %s (SQLite code %d)", path,
			       said, code);
	}
}

int local_exec(struct local_coordinator *local, const char *sql, struct err *err)
{
	int code = sqlite3_exec(local->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : local_sql_error(local, code, err);
}

int local_begin(struct local_coordinator *local, struct err *err)
{
	int failed;

	pthread_mutex_lock(&local->mutex);
	failed = local_exec(local, "BEGIN IMMEDIATE", err);
	if (failed < 0)
		pthread_mutex_unlock(&local->mutex);
	return failed;
}

int local_end(struct local_coordinator *local, int failed, struct err *err)
{
	if (failed == 0)
		failed = local_exec(local, "COMMIT", err);
	/* Some errors have ended the transaction already. */
	if (failed != 0 && !sqlite3_get_autocommit(local->db))
		sqlite3_exec(local->db, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&local->mutex);
	return failed;
}

struct local_statement local_prepare(struct local_coordinator *local, const char *sql)
{
	struct local_statement statement = {.local = local};

	statement.prepared = sqlite3_prepare_v2(local->db, sql, -1, &statement.handle, NULL);
	return statement;
}

void local_finish(struct local_statement *statement)
{
	sqlite3_finalize(statement->handle);
	statement->handle = NULL;
}

static void bound(struct local_statement *statement, int code)
{
	if (statement->prepared == SQLITE_OK)
		statement->prepared = code;
}

void local_bind_int(struct local_statement *statement, int64_t value)
{
	if (statement->handle)
		bound(statement, sqlite3_bind_int64(statement->handle, ++statement->bound, value));
}

void local_bind_text(struct local_statement *statement, struct str text)
{
	if (statement->handle)
		bound(statement,
		      sqlite3_bind_text64(statement->handle, ++statement->bound, text.ptr, text.len,
					  SQLITE_STATIC, SQLITE_UTF8));
}

int local_step(struct local_statement *statement, struct err *err)
{
	int code = statement->prepared;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement->handle);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : local_sql_error(statement->local, code, err);
}

int local_run(struct local_statement *statement, size_t *changed, struct err *err)
{
	int stepped;

	do
		stepped = local_step(statement, err);
	while (stepped > 0);
	if (stepped == 0 && changed)
		*changed = (size_t)sqlite3_changes64(statement->local->db);
	return stepped;
}

struct str local_text(const struct local_statement *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement->handle, column);

	return str_of(text, (size_t)sqlite3_column_bytes(statement->handle, column));
}

struct work_item local_read_item(const struct local_statement *statement, int column)
{
	return (struct work_item){
		.index = local_text(statement, column),
		.shard = (int32_t)local_int(statement, column + 1),
		.first_doc = local_int(statement, column + 2),
		.end_doc = local_int(statement, column + 3),
		.bytes = (uint64_t)local_int(statement, column + 4),
	};
}

struct work_progress local_read_progress(const struct local_statement *statement, int column)
{
	return (struct work_progress){
		.next_doc = local_int(statement, column),
		.documents = (uint64_t)local_int(statement, column + 1),
		.sent = (uint64_t)local_int(statement, column + 2),
		.failed = (uint64_t)local_int(statement, column + 3),
		.superseded = (uint64_t)local_int(statement, column + 4),
		.source_bytes = (uint64_t)local_int(statement, column + 5),
		.state = local_text(statement, column + 6),
	};
}

struct process_identity local_read_process(const struct local_statement *statement, int column)
{
	struct process_identity process = {
		.pid_namespace = (uint64_t)local_int(statement, column + 1),
		.pid = local_int(statement, column + 2),
		.start_ticks = (uint64_t)local_int(statement, column + 3),
	};

	snprintf(process.boot_id, sizeof(process.boot_id), STR_FMT,
		 STR_ARG(local_text(statement, column)));
	return process;
}

void local_bind_item(struct local_statement *statement, const struct work_item *item)
{
	local_bind_text(statement, item->index);
	local_bind_int(statement, item->shard);
	local_bind_int(statement, item->first_doc);
	local_bind_int(statement, item->end_doc);
	local_bind_int(statement, (int64_t)MIN(item->bytes, (uint64_t)INT64_MAX));
}
