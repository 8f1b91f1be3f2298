#include "backfill/coordinator_local_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <time.h>

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x53684c77 /* "ShLw", in the header of the file */
#define STRINGIFIED(x) #x
#define STRING_OF(x) STRINGIFIED(x)

static const char schema[] = "PRAGMA application_id = " STRING_OF(
	APPLICATION_ID) ";"
			"PRAGMA user_version = " STRING_OF(
				SCHEMA_VERSION) ";"
						"CREATE TABLE session ("
						"  fingerprint TEXT NOT NULL"
						") STRICT;"
						"CREATE TABLE work_items ("
						"  id INTEGER PRIMARY KEY,"
						"  index_name TEXT NOT NULL,"
						"  shard INTEGER NOT NULL,"
						"  first_doc INTEGER NOT NULL,"
						"  end_doc INTEGER NOT NULL,"
						"  bytes INTEGER NOT NULL,"
						"  divided INTEGER NOT NULL DEFAULT 0," /* a range
											   made by
											   divide */
						"  state INTEGER NOT NULL DEFAULT 0,"   /* enum
											   work_state
											 */
						"  next_doc INTEGER NOT NULL,"
						"  documents INTEGER NOT NULL DEFAULT 0,"
						"  sent INTEGER NOT NULL DEFAULT 0,"
						"  failed INTEGER NOT NULL DEFAULT 0,"
						"  superseded INTEGER NOT NULL DEFAULT 0,"
						"  source_bytes INTEGER NOT NULL DEFAULT 0,"
						"  pipeline_state TEXT,"
						"  lease INTEGER NOT NULL DEFAULT 0," /* how many
											 there were
										       */
						"  lease_ms INTEGER NOT NULL DEFAULT 0,"
						"  lease_until_ms INTEGER NOT NULL DEFAULT 0,"
						"  progressed INTEGER NOT NULL DEFAULT 0," /* since
											      the
											      lease
											      was
											      taken
											    */
						"  exponent INTEGER NOT NULL DEFAULT 0,"
						"  failures INTEGER NOT NULL DEFAULT 0,"
						"  deaths INTEGER NOT NULL DEFAULT 0," /* of
											  processes,
											  without
											  progress
											*/
						"  free_at_ms INTEGER NOT NULL DEFAULT 0,"
						"  reason TEXT,"
						"  worker TEXT,"
						"  holder TEXT,"
						"  boot_id TEXT,"
						"  pid_namespace INTEGER,"
						"  pid INTEGER,"
						"  start_ticks INTEGER,"
						"  UNIQUE (index_name, shard, first_doc)"
						") STRICT;"
						"CREATE INDEX next_item ON work_items (state, "
						"bytes DESC, index_name, shard, first_doc);";

/* A busy handler is not asked when two processes turn the same new file to WAL. */
static int use_wal(struct local_coordinator *local, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + local->busy_ms;
	int code;

	do {
		code = sqlite3_exec(local->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if ((code & 0xff) != SQLITE_BUSY)
			break;
		nanosleep(&pause, NULL);
	} while (clock_monotonic_ms() < until);
	return code == SQLITE_OK ? 0 : local_sql_error(local, code, err);
}

static int read_int(struct local_coordinator *local, const char *sql, int64_t *out, struct err *err)
{
	cleanup(local_finish) struct local_statement query = local_prepare(local, sql);
	int stepped = local_step(&query, err);

	if (stepped < 0)
		return stepped;
	*out = local_int(&query, 0);
	return 0;
}

/* *is_new: nothing is in the file yet. */
static int check_version(struct local_coordinator *local, bool *is_new, struct err *err)
{
	int64_t application, version, tables;
	int failed;

	if ((failed = read_int(local, "PRAGMA application_id", &application, err)) < 0 ||
	    (failed = read_int(local, "PRAGMA user_version", &version, err)) < 0 ||
	    (failed = read_int(local, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
		return failed;
	*is_new = application == 0 && version == 0 && tables == 0;
	if (*is_new)
		return 0;
	if (application != APPLICATION_ID)
		return err_set(err, ERR_USAGE,
			       "'%s' is a database of something else: move it away, or give "
			       "another --state-dir or --session-name",
			       local->path);
	if (version > SCHEMA_VERSION)
		return err_set(err, ERR_USAGE,
			       "the work items in '%s' were made by a newer Shardlift (format "
			       "%" PRId64 ", this one reads up to %d): take that one, or give "
			       "another --session-name",
			       local->path, version, SCHEMA_VERSION);
	return 0;
}

static int check_content(struct local_coordinator *local, struct err *err)
{
	cleanup(local_finish) struct local_statement query =
		local_prepare(local, "PRAGMA quick_check(1)");
	int stepped = local_step(&query, err);
	struct str said;

	if (stepped < 0)
		return stepped;
	said = local_text(&query, 0);
	if (str_is(said, "ok"))
		return 0;
	return err_set(err, ERR_IO,
		       "the work items in '%s' are damaged (" STR_FMT "): move the file away and "
		       "start again; the documents are then sent anew",
		       local->path, STR_ARG(said));
}

static int make_tables(struct local_coordinator *local, struct err *err)
{
	int failed = local_begin(local, err);
	bool is_new;

	if (failed < 0)
		return failed;
	/* Another process may have been faster. */
	failed = check_version(local, &is_new, err);
	if (failed == 0 && is_new)
		failed = local_exec(local, schema, err);
	return local_end(local, failed, err);
}

int local_open_database(struct local_coordinator *local, struct err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int code = sqlite3_open_v2(local->path, &local->db, flags, NULL), failed;
	bool is_new;

	if (code != SQLITE_OK)
		return local_sql_error(local, code, err);
	sqlite3_extended_result_codes(local->db, 1);
	sqlite3_busy_timeout(local->db, (int)local->busy_ms);
	if ((failed = check_version(local, &is_new, err)) < 0 ||
	    (failed = use_wal(local, err)) < 0 ||
	    (failed = local_exec(local, "PRAGMA synchronous = FULL", err)) < 0)
		return failed;
	return is_new ? make_tables(local, err) : check_content(local, err);
}
