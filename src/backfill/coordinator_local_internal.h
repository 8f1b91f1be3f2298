/* What the files of the SQLite coordinator share. */
#ifndef BACKFILL_COORDINATOR_LOCAL_INTERNAL_H
#define BACKFILL_COORDINATOR_LOCAL_INTERNAL_H

#include "backfill/coordinator_internal.h"
#include "base/process_identity.h"

#include <pthread.h>
#include <sqlite3.h>

/* Values of work_items.state are those of enum work_state. */
struct local_coordinator {
	struct coordinator base;
	struct coordinator_options options; /* strings are those below */
	struct coordinator_clock clock;
	char session[COORDINATOR_SESSION_MAX + 1];
	char worker[COORDINATOR_WORKER_SIZE];
	char holder[COORDINATOR_TOKEN_SIZE]; /* random: the leases of this coordinator */
	struct process_identity process;
	char *path;
	int64_t busy_ms;       /* how long to wait for other processes */
	pthread_mutex_t mutex; /* of db */
	sqlite3 *db;
};

/* As coordinator_local_open, for tests. */
int coordinator_local_open_with(const char *state_dir, const struct coordinator_options *options,
				const struct coordinator_clock *clock, int64_t busy_ms,
				struct coordinator **out, struct err *err);

static inline struct local_coordinator *local_of(struct coordinator *c)
{
	return (struct local_coordinator *)c;
}

/* coordinator_local_schema.c: opens the file and makes or checks its tables. */
int local_open_database(struct local_coordinator *local, struct err *err);

/* coordinator_local_sql.c */

/* The error of what SQLite said last, in words of ours. */
int local_sql_error(const struct local_coordinator *local, int code, struct err *err);
/* A change, durable once local_end returns 0. Holds the mutex in between. */
int local_begin(struct local_coordinator *local, struct err *err);
/* Commits if `failed` is 0, else takes all back; returns `failed`, or what the commit said. */
int local_end(struct local_coordinator *local, int failed, struct err *err);

/* One statement; parameters are bound in the order of the calls. */
struct local_statement {
	struct local_coordinator *local;
	sqlite3_stmt *handle;
	int bound;    /* parameters so far */
	int prepared; /* what preparing brought; told by the first step */
};
struct local_statement local_prepare(struct local_coordinator *local, const char *sql);
void local_finish(struct local_statement *statement);
void local_bind_int(struct local_statement *statement, int64_t value);
void local_bind_text(struct local_statement *statement, struct str text); /* ptr NULL: NULL */
/* 1: a row, 0: done. */
int local_step(struct local_statement *statement, struct err *err);
/* Steps to the end; *changed (may be NULL): rows. */
int local_run(struct local_statement *statement, size_t *changed, struct err *err);
/* Runs text without parameters. */
int local_exec(struct local_coordinator *local, const char *sql, struct err *err);
/* Of the row: valid until the next step. ptr NULL for NULL. */
struct str local_text(const struct local_statement *statement, int column);
static inline int64_t local_int(const struct local_statement *statement, int column)
{
	return sqlite3_column_int64(statement->handle, column);
}

/* The columns that local_read_item and local_read_progress take, in this order. */
#define LOCAL_ITEM_COLUMNS "index_name, shard, first_doc, end_doc, bytes"
#define LOCAL_PROGRESS_COLUMNS \
	"next_doc, documents, sent, failed, superseded, source_bytes, pipeline_state"
#define LOCAL_PROCESS_COLUMNS "boot_id, pid_namespace, pid, start_ticks"
#define LOCAL_ITEM_COUNT 5
#define LOCAL_PROGRESS_COUNT 7
struct work_item local_read_item(const struct local_statement *statement, int column);
struct work_progress local_read_progress(const struct local_statement *statement, int column);
struct process_identity local_read_process(const struct local_statement *statement, int column);
void local_bind_item(struct local_statement *statement, const struct work_item *item);

/* coordinator_local_claim.c, _progress.c, _list.c: the operations. */
int local_claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		int64_t *wait_ms, struct err *err);
int local_checkpoint(struct coordinator *c, struct work_claim *claim,
		     const struct work_progress *progress, struct err *err);
int local_divide(struct coordinator *c, struct work_claim *claim, const struct work_item *ranges,
		 size_t count, struct err *err);
int local_complete(struct coordinator *c, struct work_claim *claim,
		   const struct work_progress *progress, struct err *err);
int local_release(struct coordinator *c, struct work_claim *claim, struct err *err);
int local_fail(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
	       struct err *err);
int local_list(struct coordinator *c, struct arena *mem, struct work_status **out, size_t *count,
	       struct err *err);
int local_unpark(struct coordinator *c, size_t *count, struct err *err);

#endif
