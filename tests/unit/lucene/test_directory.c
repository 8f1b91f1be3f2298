#include "lucene/directory.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_folder_lists_and_opens_its_files(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct lucene_directory *dir;
	struct err err = {0};
	struct str *names;
	size_t count;
	bool found = false;

	(void)state;
	assert_int_equal(lucene_folder_open(LUCENE_FIXTURES "/10.5.0", &dir, &err), 0);
	assert_int_equal(lucene_directory_list(dir, &mem, &names, &count, &err), 0);
	for (size_t i = 0; i < count; i++)
		found |= str_is(names[i], "segments_4");
	assert_true(found);
	assert_int_equal(lucene_directory_open(dir, STR("_0.cfs"), &source, &err), 0);
	assert_true(source->size > 1000);
	lucene_directory_close(dir);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct bytes_source *source;
	struct lucene_directory *dir;
	struct err err = {0};

	(void)state;
	assert_int_equal(lucene_folder_open(LUCENE_FIXTURES "/10.5.0", &dir, &err), 0);
	assert_int_equal(lucene_directory_open(dir, STR("_9.fdt"), &source, &err), -ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, "10.5.0/_9.fdt"));
	lucene_directory_close(dir);
	assert_int_equal(lucene_folder_open(LUCENE_FIXTURES "/no such folder", &dir, &err),
			 -ERR_NOT_FOUND);
}

static void no_name_leads_out_of_the_directory(void **state)
{
	static const char *const names[] = {"../7.7.3/segments_4", "..", ".", "",
					    "/etc/passwd",         "a/b"};
	struct bytes_source *source;
	struct lucene_directory *dir;
	struct err err = {0};

	(void)state;
	assert_int_equal(lucene_folder_open(LUCENE_FIXTURES "/10.5.0", &dir, &err), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(lucene_directory_open(dir, str_from(names[i]), &source, &err),
				 -ERR_FORMAT);
	assert_int_equal(lucene_directory_open(dir, STR("_0.si\0x"), &source, &err), -ERR_FORMAT);
	lucene_directory_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_lists_and_opens_its_files),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(no_name_leads_out_of_the_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
