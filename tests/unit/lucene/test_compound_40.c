#include "lucene/compound.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const fixtures[] = {"4.0.0", "4.1.0",  "4.3.1", "4.6.1",
				       "4.8.1", "4.10.4", "5.0.0", "5.2.1"};

static int open_compound(struct memory_directory *memory, struct err *err)
{
	struct lucene_directory *compound;
	int failed = compound_open(&memory->directory, STR("_0"), NULL, &compound, err);

	if (failed == 0)
		lucene_directory_close(compound);
	return failed;
}

static void the_files_of_an_old_compound_file_have_their_full_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct lucene_directory *compound;
		struct bytes_source *source;
		struct err err = {0};
		struct str body;

		assert_int_equal(
			compound_open(&memory->directory, STR("_0"), NULL, &compound, &err), 0);
		assert_int_equal(lucene_directory_open(compound, STR("_0.fdt"), &source, &err), 0);
		bytes_source_close(source);
		assert_int_equal(lucene_file_read(compound, STR("_0.fnm"), &mem, &body, &err), 0);
		assert_int_equal(lucene_directory_open(compound, STR("_0.si"), &source, &err),
				 -ERR_NOT_FOUND);
		lucene_directory_close(compound);
		memory_directory_free(memory);
	}
}

static void the_data_must_end_where_its_entries_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		struct memory_file *data = memory_directory_find(memory, "_0.cfs");
		struct err err = {0};

		data->bytes.len--;
		assert_int_equal(open_compound(memory, &err), -ERR_FORMAT);
		assert_non_null(strstr(err.message, "'_0.cfs'"));
		data->bytes.len++;
		buf_append_byte(&data->bytes, 'x');
		assert_int_equal(open_compound(memory, &err), -ERR_FORMAT);
		memory_directory_free(memory);
	}
}

static void data_and_entries_must_be_of_one_version(void **state)
{
	struct memory_directory *memory = memory_directory_new("4.10.4");
	struct memory_file *data = memory_directory_find(memory, "_0.cfs");
	struct err err = {0};

	(void)state;
	/* The version is the last byte of the header: 4 magic, 1 + 22 codec, 4. */
	data->bytes.ptr[30] = 0;
	assert_int_equal(open_compound(memory, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "its entries of 'CompoundFileWriterData' version 1"));
	memory_directory_free(memory);
}

static void an_unknown_version_is_refused_by_name(void **state)
{
	static const char body[] = "\x3f\xd7\x6c\x17\x19"
				   "CompoundFileWriterEntries\0\0\0\2"
				   "\0";
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct compound_entries entries;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		compound_entries_decode(str_of(body, sizeof(body) - 1), NULL, &mem, &entries, &err),
		-ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'CompoundFileWriterEntries' version 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_an_old_compound_file_have_their_full_names),
		cmocka_unit_test(the_data_must_end_where_its_entries_end),
		cmocka_unit_test(data_and_entries_must_be_of_one_version),
		cmocka_unit_test(an_unknown_version_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
