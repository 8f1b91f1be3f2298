/* A SQLite file that survives kills and power cuts, and that several processes share.
 *
 * WAL, synchronous FULL: what database_end committed is durable. A change is everything between
 * database_begin and database_end, which hold the database's lock in this process and, once
 * something was written, in all others; they wait for one another up to busy_ms. Reading without
 * begin is allowed and sees one state per statement. Thread-safe between begin and end. */
#ifndef BASE_DATABASE_H
#define BASE_DATABASE_H

#include "base/err.h"
#include "base/str.h"

#include <pthread.h>
#include <sqlite3.h>

/* What a file should hold. Strings are borrowed for as long as the database is open. */
struct database_kind {
	const char *noun;        /* "the work items", for messages */
	const char *other_place; /* how to take another file: "give another --state-dir" */
	const char *lost;        /* what moving a damaged file away costs: "the documents are then
				    sent anew" */
	int32_t application_id;
	int32_t version;    /* of the tables; a file of a newer one is refused */
	const char *tables; /* SQL that makes them */
};

struct database {
	const struct database_kind *kind;
	char *path;
	int64_t busy_ms;
	pthread_mutex_t mutex; /* of handle */
	sqlite3 *handle;
};

/* Opens the file, and makes it and its tables when it is not there. ERR_USAGE: a database of
 * something else, or of a newer version; ERR_IO: damaged, locked for longer than busy_ms, not to be
 * written. */
int database_open(const char *path, const struct database_kind *kind, int64_t busy_ms,
		  struct database **out, struct err *err);
/* As database_open for reading only, next to writers; ERR_NOT_FOUND when it is not there. */
int database_open_read(const char *path, const struct database_kind *kind, int64_t busy_ms,
		       struct database **out, struct err *err);
/* Accepts NULL. */
void database_close(struct database *db);
/* For cleanup(). */
void database_closep(struct database **db);

/* A change, durable once database_end returns 0. */
int database_begin(struct database *db, struct err *err);
/* Reads one state of the file over several statements, without keeping writers out; ended by
 * database_end too. */
int database_begin_read(struct database *db, struct err *err);
/* Commits if `failed` is 0, else takes all back; returns `failed`, or what the commit said. */
int database_end(struct database *db, int failed, struct err *err);

/* One statement; parameters are bound in the order of the calls. Finish it by
 * cleanup(database_finish). */
struct database_statement {
	struct database *db;
	sqlite3_stmt *handle;
	int bound;    /* parameters so far */
	int prepared; /* what preparing brought; told by the first step */
};

struct database_statement database_prepare(struct database *db, const char *sql);
void database_finish(struct database_statement *statement);
void database_bind_int(struct database_statement *statement, int64_t value);
/* Borrowed until the statement is finished. ptr NULL: NULL. */
void database_bind_text(struct database_statement *statement, struct str text);
/* 1: a row, 0: done. */
int database_step(struct database_statement *statement, struct err *err);
/* Steps to the end; *changed (may be NULL): rows. */
int database_run(struct database_statement *statement, size_t *changed, struct err *err);
/* Of the row: valid until the next step. ptr NULL for NULL. */
struct str database_text(const struct database_statement *statement, int column);
static inline int64_t database_int(const struct database_statement *statement, int column)
{
	return sqlite3_column_int64(statement->handle, column);
}

#endif
