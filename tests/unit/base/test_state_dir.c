#include "base/state_dir.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const char *path_for(struct arena *mem, const char *flag)
{
	const char *path = NULL;
	struct err err = {0};

	if (state_dir_path(flag, mem, &path, &err) < 0)
		fail_msg("%s", err.message);
	return path;
}

static void the_flag_beats_the_variable_beats_the_users_own_place(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct err err = {0};
	const char *path;

	(void)state;
	setenv("SHARDLIFT_HOME", "/home-variable", 1);
	setenv("XDG_STATE_HOME", "/xdg", 1);
	setenv("HOME", "/home/u", 1);
	assert_string_equal(path_for(&mem, "/flag"), "/flag");
	assert_string_equal(path_for(&mem, NULL), "/home-variable");
	assert_string_equal(path_for(&mem, ""), "/home-variable");
	setenv("SHARDLIFT_HOME", "", 1);
	if (geteuid() == 0) {
		assert_string_equal(path_for(&mem, NULL), "/var/lib/shardlift");
		return;
	}
	assert_string_equal(path_for(&mem, NULL), "/xdg/shardlift");
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_string_equal(path_for(&mem, NULL), "/home/u/.local/state/shardlift");
	unsetenv("HOME");
	assert_int_equal(state_dir_path(NULL, &mem, &path, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, "--state-dir"));
}

static void new_directories_are_for_their_owner_only(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	char root[] = "/tmp/test-state-XXXXXX";
	struct str deep, middle;
	struct stat status;
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	middle = arena_printf(&mem, "%s/a", root);
	deep = arena_printf(&mem, "%s/a//b/", root);
	assert_int_equal(directory_make(deep.ptr, &err), 0);
	assert_int_equal(directory_make(deep.ptr, &err), 0);
	assert_int_equal(stat(deep.ptr, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(stat(middle.ptr, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(stat(root, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0755);
	rmdir(deep.ptr);
	rmdir(middle.ptr);
	rmdir(root);
}

static void what_stands_in_the_way_is_named(void **state)
{
	char file[] = "/tmp/test-state-XXXXXX", below[64], message[128];
	int fd = mkstemp(file);
	struct err err = {0};

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(below, sizeof(below), "%s/a/b", file);
	snprintf(message, sizeof(message), "'%s' is in the way: it is no directory", file);
	assert_int_equal(directory_make(below, &err), -ERR_IO);
	assert_string_equal(err.message, message);
	unlink(file);
	assert_int_equal(directory_make("/proc/nothing/here", &err), -ERR_IO);
	assert_non_null(strstr(err.message, "cannot make the directory '/proc/nothing'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_flag_beats_the_variable_beats_the_users_own_place),
		cmocka_unit_test(new_directories_are_for_their_owner_only),
		cmocka_unit_test(what_stands_in_the_way_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
