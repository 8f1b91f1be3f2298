#include "base/database.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MADE_MS = 1000 };

static int damaged(const struct database *db, struct str said, struct err *err)
{
	return err_set(err, ERR_IO,
		       "%s in '%s' are damaged (" STR_FMT
		       "): move the file away and start again; %s",
		       db->kind->noun, db->path, STR_ARG(said), db->kind->lost);
}

/* The error of what SQLite said last, in words of ours. */
static int database_error(const struct database *db, int code, struct err *err)
{
	const char *said = sqlite3_errmsg(db->handle), *noun = db->kind->noun;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_set(err, ERR_IO,
			"%s in '%s' were locked by another program for %" PRId64
			" ms: end what holds the file (fuser shows it), and start again",
			noun, db->path, db->busy_ms);
		if (err)
			err->retry = true;
		return -ERR_IO;
	case SQLITE_FULL:
		err_set(err, ERR_IO,
			"no space is left for %s in '%s': free some and start again; what "
			"was acknowledged until now is kept",
			noun, db->path);
		if (err)
			err->retry = true;
		return -ERR_IO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return damaged(db, str_from(said), err);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return err_set(err, ERR_IO,
			       "cannot write %s in '%s' (%s): check the permissions of the file "
			       "and its folder, or %s",
			       noun, db->path, said, db->kind->other_place);
	case SQLITE_IOERR:
		return err_set_errno(err, ERR_IO, sqlite3_system_errno(db->handle),
				     "%s in '%s' (%s): check the disk and start again", noun,
				     db->path, said);
	case SQLITE_NOMEM:
		return err_set(err, ERR_NOMEM, "no memory for %s in '%s'", noun, db->path);
	default:
		return err_set(err, ERR_IO, "%s in '%s': %s (SQLite code %d)", noun, db->path, said,
			       code);
	}
}

/* Runs text without parameters. */
static int database_exec(struct database *db, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : database_error(db, code, err);
}

static int begin(struct database *db, const char *sql, struct err *err)
{
	int failed;

	pthread_mutex_lock(&db->mutex);
	failed = database_exec(db, sql, err);
	if (failed < 0)
		pthread_mutex_unlock(&db->mutex);
	return failed;
}

int database_begin(struct database *db, struct err *err)
{
	return begin(db, "BEGIN IMMEDIATE", err);
}

int database_begin_read(struct database *db, struct err *err)
{
	return begin(db, "BEGIN", err);
}

int database_end(struct database *db, int failed, struct err *err)
{
	if (failed == 0)
		failed = database_exec(db, "COMMIT", err);
	/* Some errors have ended the transaction already. */
	if (failed != 0 && !sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&db->mutex);
	return failed;
}

struct database_statement database_prepare(struct database *db, const char *sql)
{
	struct database_statement statement = {.db = db};

	statement.prepared = sqlite3_prepare_v2(db->handle, sql, -1, &statement.handle, NULL);
	return statement;
}

void database_finish(struct database_statement *statement)
{
	sqlite3_finalize(statement->handle);
	statement->handle = NULL;
}

static void bound(struct database_statement *statement, int code)
{
	if (statement->prepared == SQLITE_OK)
		statement->prepared = code;
}

void database_bind_int(struct database_statement *statement, int64_t value)
{
	if (statement->handle)
		bound(statement, sqlite3_bind_int64(statement->handle, ++statement->bound, value));
}

void database_bind_text(struct database_statement *statement, struct str text)
{
	if (statement->handle)
		bound(statement,
		      sqlite3_bind_text64(statement->handle, ++statement->bound, text.ptr, text.len,
					  SQLITE_STATIC, SQLITE_UTF8));
}

int database_step(struct database_statement *statement, struct err *err)
{
	int code = statement->prepared;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement->handle);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : database_error(statement->db, code, err);
}

int database_run(struct database_statement *statement, size_t *changed, struct err *err)
{
	int stepped;

	do
		stepped = database_step(statement, err);
	while (stepped > 0);
	if (stepped == 0 && changed)
		*changed = (size_t)sqlite3_changes64(statement->db->handle);
	return stepped;
}

struct str database_text(const struct database_statement *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement->handle, column);

	return str_of(text, (size_t)sqlite3_column_bytes(statement->handle, column));
}

/* A busy handler is not asked when two processes turn the same new file to WAL. */
static int use_wal(struct database *db, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + db->busy_ms;
	int code;

	do {
		code = sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if ((code & 0xff) != SQLITE_BUSY)
			break;
		nanosleep(&pause, NULL);
	} while (clock_monotonic_ms() < until);
	return code == SQLITE_OK ? 0 : database_error(db, code, err);
}

static int read_int(struct database *db, const char *sql, int64_t *out, struct err *err)
{
	cleanup(database_finish) struct database_statement query = database_prepare(db, sql);
	int stepped = database_step(&query, err);

	if (stepped < 0)
		return stepped;
	*out = database_int(&query, 0);
	return 0;
}

/* *is_new: nothing is in the file yet. The application comes last: another process that makes the
 * tables meanwhile makes all three at once. */
static int check_version(struct database *db, bool *is_new, struct err *err)
{
	const struct database_kind *kind = db->kind;
	int64_t application, version, tables;
	int failed;

	if ((failed = read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0 ||
	    (failed = read_int(db, "PRAGMA user_version", &version, err)) < 0 ||
	    (failed = read_int(db, "PRAGMA application_id", &application, err)) < 0)
		return failed;
	*is_new = application == 0 && version == 0 && tables == 0;
	if (*is_new)
		return 0;
	if (application != kind->application_id)
		return err_set(err, ERR_USAGE,
			       "'%s' is a database of something else: move it away, or %s",
			       db->path, kind->other_place);
	if (version > kind->version)
		return err_set(err, ERR_USAGE,
			       "%s in '%s' were made by a newer Shardlift (format %" PRId64
			       ", this one reads up to %d): take that one, or %s",
			       kind->noun, db->path, version, kind->version, kind->other_place);
	return 0;
}

static int check_content(struct database *db, struct err *err)
{
	cleanup(database_finish) struct database_statement query =
		database_prepare(db, "PRAGMA quick_check(1)");
	int stepped = database_step(&query, err);
	struct str said;

	if (stepped < 0)
		return stepped;
	said = database_text(&query, 0);
	return str_is(said, "ok") ? 0 : damaged(db, said, err);
}

static int make_tables(struct database *db, struct err *err)
{
	char mark[128];
	int failed = database_begin(db, err);
	bool is_new = false;

	if (failed < 0)
		return failed;
	/* Another process may have been faster. */
	failed = check_version(db, &is_new, err);
	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 db->kind->application_id, db->kind->version);
	if (failed == 0 && is_new)
		failed = database_exec(db, mark, err);
	if (failed == 0 && is_new)
		failed = database_exec(db, db->kind->tables, err);
	return database_end(db, failed, err);
}

static bool is_emptied(const char *path, const char *wal)
{
	struct stat file, log;

	/* In this order: while another process makes it, the file is there before its WAL. */
	return stat(wal, &log) == 0 && log.st_size > 0 && stat(path, &file) == 0 &&
	       file.st_size == 0;
}

/* A file is empty while there is something in its WAL only for the moment in which another process
 * makes it beside the WAL of one that was moved away. Else SQLite would take it for a new one, too,
 * and remove the WAL without a word. */
static int check_not_emptied(const struct database *db, struct err *err)
{
	cleanup(buf_release) struct buf wal = BUF_INIT(LIMIT_PATH);
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + MADE_MS;

	buf_printf(&wal, "%s-wal", db->path);
	if (buf_check(&wal, "the path of a database", err) < 0)
		return -(int)err->kind;
	while (is_emptied(db->path, buf_cstr(&wal))) {
		if (clock_monotonic_ms() >= until)
			return damaged(db, STR("it is empty, though its WAL is not"), err);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int open_file(struct database *db, int flags, bool *is_new, struct err *err)
{
	int code = check_not_emptied(db, err);

	if (code < 0)
		return code;
	code = sqlite3_open_v2(db->path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return database_error(db, code, err);
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, (int)db->busy_ms);
	return check_version(db, is_new, err);
}

static struct database *new_database(const char *path, const struct database_kind *kind,
				     int64_t busy_ms)
{
	struct database *db = mem_zalloc(sizeof(*db));

	db->kind = kind;
	db->path = mem_strdup(path);
	db->busy_ms = busy_ms;
	pthread_mutex_init(&db->mutex, NULL);
	return db;
}

int database_open(const char *path, const struct database_kind *kind, int64_t busy_ms,
		  struct database **out, struct err *err)
{
	cleanup(database_closep) struct database *db = new_database(path, kind, busy_ms);
	bool is_new = false;
	int failed;

	if ((failed = open_file(db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &is_new, err)) <
		    0 ||
	    (failed = use_wal(db, err)) < 0 ||
	    (failed = database_exec(db, "PRAGMA synchronous = FULL", err)) < 0)
		return failed;
	failed = is_new ? make_tables(db, err) : check_content(db, err);
	if (failed < 0)
		return failed;
	*out = take(db);
	return 0;
}

int database_open_read(const char *path, const struct database_kind *kind, int64_t busy_ms,
		       struct database **out, struct err *err)
{
	cleanup(database_closep) struct database *db = new_database(path, kind, busy_ms);
	bool is_new = false;
	int failed;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there are no data of %s in '%s'", kind->noun,
			       path);
	/* A reader of a WAL makes its shared memory: it opens the file to write, and does not. */
	failed = open_file(db, SQLITE_OPEN_READWRITE, &is_new, err);
	if (failed < 0)
		return failed;
	if (is_new)
		return err_set(err, ERR_NOT_FOUND, "there are no data of %s in '%s'", kind->noun,
			       path);
	*out = take(db);
	return 0;
}

void database_close(struct database *db)
{
	if (!db)
		return;
	sqlite3_close_v2(db->handle);
	pthread_mutex_destroy(&db->mutex);
	free(db->path);
	free(db);
}

void database_closep(struct database **db)
{
	database_close(*db);
}
