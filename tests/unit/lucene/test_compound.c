#include "lucene/compound.h"

#include "base/limits.h"
#include "lucene/codec_file.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect_compound(const char *fixture)
{
	struct memory_directory *memory = memory_directory_new(fixture);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct lucene_directory *compound;
	struct err err = {0};
	struct str *names, body;
	size_t count;
	bool stored = false;

	assert_int_equal(compound_open(&memory->directory, STR("_0"), NULL, &compound, &err), 0);
	assert_int_equal(lucene_directory_list(compound, &mem, &names, &count, &err), 0);
	for (size_t i = 0; i < count; i++) {
		stored |= str_is(names[i], "_0.fdt");
		/* Each of them is a whole file with a checksum of its own. */
		assert_int_equal(lucene_file_read(compound, names[i], &mem, &body, &err), 0);
	}
	assert_true(stored);
	lucene_directory_close(compound);
	memory_directory_free(memory);
}

static void the_files_of_a_compound_file_have_their_full_names(void **state)
{
	(void)state;
	expect_compound("6.6.6");
	expect_compound("10.5.0");
}

static void a_file_that_the_compound_file_does_not_hold_is_named(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct lucene_directory *compound;
	struct bytes_source *source;
	struct err err = {0};

	(void)state;
	assert_int_equal(compound_open(&memory->directory, STR("_0"), NULL, &compound, &err), 0);
	assert_int_equal(lucene_directory_open(compound, STR("_0.si"), &source, &err),
			 -ERR_NOT_FOUND);
	assert_int_equal(lucene_directory_open(compound, STR("_1.fdt"), &source, &err),
			 -ERR_NOT_FOUND);
	lucene_directory_close(compound);
	memory_directory_free(memory);
}

static void a_truncated_compound_file_is_refused(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct memory_file *data = memory_directory_find(memory, "_0.cfs");
	struct lucene_directory *compound;

	(void)state;
	for (size_t cut = 0; cut < data->bytes.len; cut += 97) {
		size_t whole = data->bytes.len;
		struct err err = {0};

		data->bytes.len = cut;
		assert_int_equal(
			compound_open(&memory->directory, STR("_0"), NULL, &compound, &err),
			-ERR_FORMAT);
		assert_non_null(strstr(err.message, "'_0.cfs'"));
		data->bytes.len = whole;
	}
	memory_directory_free(memory);
}

static void a_compound_file_of_another_length_than_its_entries_make_is_refused(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct memory_file *data = memory_directory_find(memory, "_0.cfs");
	struct lucene_directory *compound;
	struct err err = {0};

	(void)state;
	data->bytes.len--;
	assert_int_equal(compound_open(&memory->directory, STR("_0"), NULL, &compound, &err),
			 -ERR_FORMAT);
	data->bytes.len++;
	buf_append_byte(&data->bytes, 'x');
	assert_int_equal(compound_open(&memory->directory, STR("_0"), NULL, &compound, &err),
			 -ERR_FORMAT);
	memory_directory_free(memory);
}

static void entries_that_lie_beyond_the_data_are_refused(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct memory_file *entries = memory_directory_find(memory, "_0.cfe");
	struct lucene_directory *compound;
	struct err err = {0};

	(void)state;
	/* The last byte before the footer is the highest of the last entry's length. */
	entries->bytes.ptr[entries->bytes.len - 17] = 0x7f;
	memory_file_reseal(entries);
	assert_int_equal(compound_open(&memory->directory, STR("_0"), NULL, &compound, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "'_0.cfs'"));
	memory_directory_free(memory);
}

static void a_file_named_twice_is_refused(void **state)
{
	static const char body[] = "\x3f\xd7\x6c\x17\x17"
				   "Lucene90CompoundEntries\0\0\0\0"
				   "0123456789abcdef\0"
				   "\x02"
				   "\x01x\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x01x\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct compound_entries entries;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		compound_entries_decode(str_of(body, sizeof(body) - 1), NULL, &mem, &entries, &err),
		-ERR_FORMAT);
	assert_string_equal(err.message, "names the file 'x' twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_a_compound_file_have_their_full_names),
		cmocka_unit_test(a_file_that_the_compound_file_does_not_hold_is_named),
		cmocka_unit_test(a_truncated_compound_file_is_refused),
		cmocka_unit_test(
			a_compound_file_of_another_length_than_its_entries_make_is_refused),
		cmocka_unit_test(entries_that_lie_beyond_the_data_are_refused),
		cmocka_unit_test(a_file_named_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
