#include "base/small_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct place {
	char folder[64], inner[80], path[100];
};

static void begin(struct place *place)
{
	snprintf(place->folder, sizeof(place->folder), "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->inner, sizeof(place->inner), "%s/inner", place->folder);
	snprintf(place->path, sizeof(place->path), "%s/file", place->inner);
}

static void end(struct place *place)
{
	unlink(place->path);
	rmdir(place->inner);
	/* Fails, and shows here, when something was left behind. */
	if (rmdir(place->folder) < 0)
		BUG("a file was left behind");
}

static void expect(const struct place *place, const char *content)
{
	cleanup(buf_release) struct buf read = BUF_INIT(KIB(64));
	struct err err = {0};

	if (small_file_read(place->path, &read, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(read.len, strlen(content));
	assert_memory_equal(buf_cstr(&read), content, read.len + 1);
}

static void a_file_is_made_with_its_folder_and_replaced(void **state)
{
	cleanup(end) struct place place;
	struct err err = {0};

	(void)state;
	begin(&place);
	assert_int_equal(small_file_replace(place.path, STR("old and longer"), &err), 0);
	expect(&place, "old and longer");
	assert_int_equal(small_file_replace(place.path, STR("new"), &err), 0);
	expect(&place, "new");
}

static void one_that_is_not_there_is_none_and_may_be_removed(void **state)
{
	cleanup(end) struct place place;
	cleanup(buf_release) struct buf read = BUF_INIT(KIB(64));
	struct err err = {0};

	(void)state;
	begin(&place);
	assert_int_equal(small_file_read(place.path, &read, &err), 0);
	assert_int_equal(small_file_remove(place.path, &err), 0);
	assert_int_equal(small_file_replace(place.path, STR("x"), &err), 0);
	assert_int_equal(small_file_read(place.path, &read, &err), 1);
	assert_int_equal(small_file_remove(place.path, &err), 0);
	assert_int_equal(small_file_read(place.path, &read, &err), 0);
}

static void one_that_is_too_long_is_refused(void **state)
{
	cleanup(end) struct place place;
	cleanup(buf_release) struct buf read = BUF_INIT(KIB(8));
	cleanup(buf_release) struct buf content = BUF_INIT(KIB(64));
	struct err err = {0};

	(void)state;
	begin(&place);
	for (int i = 0; i < 9000; i++)
		buf_append_byte(&content, 'x');
	assert_int_equal(small_file_replace(place.path, buf_str(&content), &err), 0);
	assert_int_equal(small_file_read(place.path, &read, &err), -ERR_LIMIT);
}

static void a_failure_names_the_path(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(small_file_replace("/proc/nothing/file", STR("x"), &err), -ERR_IO);
	assert_non_null(strstr(err.message, "/proc/nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_made_with_its_folder_and_replaced),
		cmocka_unit_test(one_that_is_not_there_is_none_and_may_be_removed),
		cmocka_unit_test(one_that_is_too_long_is_refused),
		cmocka_unit_test(a_failure_names_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
