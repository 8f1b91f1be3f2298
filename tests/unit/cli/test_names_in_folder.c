#include "cli/names_in_folder.h"

#include "base/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define FILES 1001

static char *path_of(const char *folder, int number)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%d", folder, number);
	return path;
}

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void all_names_are_told_however_many_there_are(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	char folder[] = "/tmp/namesXXXXXX";
	struct err err = {0};
	struct str *names;
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < FILES; i++)
		make(path_of(folder, i));
	assert_int_equal(names_in_folder(folder, 10, &mem, &names, &count, &err), 0);
	assert_int_equal(count, 10);
	assert_int_equal(all_names_in_folder(folder, &mem, &names, &count, &err), 0);
	assert_int_equal(count, FILES);
	assert_true(str_is(names[0], "0"));
	assert_true(str_is(names[FILES - 1], "999"));
	for (int i = 0; i < FILES; i++)
		assert_int_equal(unlink(path_of(folder, i)), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(all_names_in_folder(folder, &mem, &names, &count, &err), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_names_are_told_however_many_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
