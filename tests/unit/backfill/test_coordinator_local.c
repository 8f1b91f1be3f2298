#include "backfill/coordinator_local_internal.h"
#include "coordinator_suite.h"
#include "temporary_folder.h"

#include "base/small_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct coordinator_options usual = {.session = "nightly",
						 .worker = "me",
						 .lease_ms = 60000,
						 .max_lease_ms = 60000,
						 .max_failures = 3};
static const struct coordinator_clock wall = {0};

static int open_below(void *folder, const struct coordinator_options *options,
		      const struct coordinator_clock *clock, struct coordinator **out,
		      struct err *err)
{
	return coordinator_local_open_with(folder, options, clock, 60000, out, err);
}

/* Expects that the session cannot be opened, with a line that has both words. */
static void assert_refused(const char *folder, int kind, const char *word, const char *next)
{
	struct coordinator *c = NULL;
	struct err err = {0};
	int code = coordinator_local_open_with(folder, &usual, &wall, 1, &c, &err);

	assert_int_equal(code, -kind);
	assert_non_null(strstr(err.message, "nightly.db"));
	if (!strstr(err.message, word) || !strstr(err.message, next))
		fail_msg("not told as expected: %s", err.message);
}

static struct coordinator *open_usual(const char *folder)
{
	struct coordinator *c = NULL;
	struct err err = {0};

	if (coordinator_local_open(folder, &usual, &c, &err) < 0)
		fail_msg("%s", err.message);
	return c;
}

static void make_session(const char *folder, size_t count)
{
	struct work_item *items = mem_zalloc(count * sizeof(*items));
	struct coordinator *c = open_usual(folder);
	struct err err = {0};
	bool created;

	for (size_t i = 0; i < count; i++)
		items[i] = (struct work_item){STR("logs"), (int32_t)i, 0, WORK_TO_END, 1};
	assert_int_equal(c->ops->create(c, STR("f"), items, count, &created, &err), 0);
	c->ops->close(c);
	free(items);
}

static void database_path(const char *folder, char path[static 256])
{
	snprintf(path, 256, "%s/work/nightly.db", folder);
}

static void overwrite(const char *folder, long at, size_t bytes)
{
	char path[256], garbage[4096];
	FILE *file;

	memset(garbage, 0xa5, sizeof(garbage));
	database_path(folder, path);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_equal(fwrite(garbage, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

static void a_damaged_database_is_told_in_one_line(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	make_session(folder, 500);
	overwrite(folder, 4096 * 3, 4096);
	assert_refused(folder, ERR_IO, "damaged", "move the file away");
	overwrite(folder, 0, 100);
	assert_refused(folder, ERR_IO, "damaged", "move the file away");
}

/* SQLite itself takes it for a new database, and removes the WAL. */
static void an_emptied_database_whose_wal_is_there_is_told(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char path[256], wal[264];
	struct err err = {0};

	(void)state;
	make_session(folder, 5);
	database_path(folder, path);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(small_file_replace(wal, STR("what a kill left"), &err), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_refused(folder, ERR_IO, "empty", "move the file away");
	assert_refused(folder, ERR_IO, "empty", "move the file away");
	/* As it says. */
	assert_int_equal(remove(path), 0);
	make_session(folder, 5);
}

static void run_sql(const char *folder, const char *sql)
{
	char path[256];
	sqlite3 *db;

	database_path(folder, path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_database_of_a_newer_version_is_left_alone(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	make_session(folder, 1);
	run_sql(folder, "PRAGMA user_version = 99");
	assert_refused(folder, ERR_USAGE, "newer Shardlift", "--session-name");
}

static void a_database_of_something_else_is_left_alone(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/work", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	run_sql(folder, "CREATE TABLE photographs (name)");
	assert_refused(folder, ERR_USAGE, "something else", "--state-dir");
}

static void a_database_locked_by_something_else_is_told_after_a_while(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char path[256];
	sqlite3 *db;

	(void)state;
	make_session(folder, 1);
	database_path(folder, path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;"
				      "INSERT INTO session VALUES ('x')",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_refused(folder, ERR_IO, "locked by another program", "fuser");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	make_session(folder, 1);
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char *text = mem_alloc(KIB(256));
	struct work_progress progress = {.next_doc = 5, .state = {text, KIB(256)}};
	struct local_coordinator *local;
	enum claim_outcome outcome;
	struct work_claim claim;
	struct err err = {0};
	int64_t wait_ms;

	(void)state;
	memset(text, 'x', KIB(256));
	make_session(folder, 1);
	local = local_of(open_usual(folder));
	work_claim_init(&claim);
	assert_int_equal(local_claim(&local->base, &claim, &outcome, &wait_ms, &err), 0);
	/* SQLite says the same for a file that may not grow as for a disk without space. */
	assert_int_equal(
		sqlite3_exec(local->db->handle, "PRAGMA max_page_count = 12", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(local_checkpoint(&local->base, &claim, &progress, &err), -ERR_IO);
	assert_non_null(strstr(err.message, "no space is left"));
	assert_int_equal(claim.progress.next_doc, 0);
	progress.state = STR_NONE;
	assert_int_equal(local_checkpoint(&local->base, &claim, &progress, &err), 0);
	work_claim_release(&claim);
	local->base.ops->close(&local->base);
	free(text);
}

static void bad_options_are_refused(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct coordinator_options options = usual;
	struct coordinator *c = NULL;
	struct err err = {0};

	(void)state;
	options.session = "../escape";
	assert_int_equal(coordinator_local_open(folder, &options, &c, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, "'../escape'"));
	options.session = "";
	assert_int_equal(coordinator_local_open(folder, &options, &c, &err), -ERR_USAGE);
	options = usual;
	options.max_lease_ms = options.lease_ms - 1;
	assert_int_equal(coordinator_local_open(folder, &options, &c, &err), -ERR_USAGE);
}

static void a_clock_set_back_does_not_lengthen_leases(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct coordinator *c;
	enum claim_outcome outcome;
	struct work_claim claim;
	struct err err = {0};
	int64_t wait_ms;

	(void)state;
	make_session(folder, 1);
	c = open_usual(folder);
	work_claim_init(&claim);
	assert_int_equal(c->ops->claim(c, &claim, &outcome, &wait_ms, &err), 0);
	/* Taken when the clock was a year ahead. */
	run_sql(folder, "UPDATE work_items SET lease_until_ms = lease_until_ms + 31536000000");
	assert_int_equal(c->ops->claim(c, &claim, &outcome, &wait_ms, &err), 0);
	assert_int_equal(outcome, CLAIM_LATER);
	run_sql(folder, "UPDATE work_items SET lease_until_ms = lease_until_ms - 60001");
	assert_int_equal(c->ops->claim(c, &claim, &outcome, &wait_ms, &err), 0);
	assert_int_equal(outcome, CLAIM_TAKEN);
	work_claim_release(&claim);
	c->ops->close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_damaged_database_is_told_in_one_line),
		cmocka_unit_test(an_emptied_database_whose_wal_is_there_is_told),
		cmocka_unit_test(a_database_of_a_newer_version_is_left_alone),
		cmocka_unit_test(a_database_of_something_else_is_left_alone),
		cmocka_unit_test(a_database_locked_by_something_else_is_told_after_a_while),
		cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(a_clock_set_back_does_not_lengthen_leases),
	};
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct coordinator_suite suite = {
		.name = "coordinator_local",
		.open = open_below,
		.user = folder,
		.frees_dead = true,
		.processes = 4,
		.items = 60,
	};
	int failed = coordinator_suite_run(&suite);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
