#include "base/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROCESSES = 6, FILES = 20, BUSY_MS = 60000 };

static const struct database_kind kind = {.noun = "the numbers",
					  .other_place = "take another folder",
					  .lost = "they are counted anew",
					  .application_id = 0x53685465,
					  .version = 1,
					  .tables = "CREATE TABLE numbers (n INTEGER)"};

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

static void open_once(const char *path, int begin)
{
	struct database *db = NULL;
	struct err err = {0};
	char byte;

	if (read(begin, &byte, 1) < 0 || database_open(path, &kind, BUSY_MS, &db, &err) < 0)
		fprintf(stderr, "%s\n", err.message);
	_exit(db ? 0 : 1);
}

/* All begin as soon as nobody holds the other end of the pipe. */
static void open_in_processes(const char *path)
{
	pid_t children[PROCESSES];
	int begin[2], status;

	assert_int_equal(pipe(begin), 0);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_int_not_equal(children[i], -1);
		if (children[i] == 0) {
			close(begin[1]);
			open_once(path, begin[0]);
		}
	}
	close(begin[0]);
	close(begin[1]);
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

static void processes_that_open_a_new_file_at_once_all_have_it(void **state)
{
	char folder[] = "/tmp/shardlift-database-XXXXXX", path[64], file[80];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d.db", folder, i);
		open_in_processes(path);
		for (size_t k = 0; k < COUNT_OF(suffixes); k++) {
			snprintf(file, sizeof(file), "%s%s", path, suffixes[k]);
			unlink(file);
		}
	}
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_that_open_a_new_file_at_once_all_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
