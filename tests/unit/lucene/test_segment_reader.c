#include "lucene/segment_reader.h"

#include "base/limits.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static const char *const fixtures[] = {"6.6.6", "7.7.3", "8.11.3-high", "9.3.0", "10.5.0"};

/* Opens all segments; live documents of each into live[]. 0, or the error. */
static int open_all(struct memory_directory *memory, int32_t live[2], struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct segment_reader *segment;
	struct segment_infos infos;

	if (segment_infos_read(&memory->directory, &mem, &infos, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < infos.count; i++) {
		if (segment_reader_open(&memory->directory, &infos.segments[i], &segment, err) < 0)
			return -(int)err->kind;
		if (i < 2)
			live[i] = segment->live.live_count;
		segment_reader_close(segment);
	}
	return 0;
}

static void hard_and_soft_deletes_are_joined(void **state)
{
	static const int32_t expected[][2] = {{7, 6}, {5, 6}, {5, 3}, {5, 6}, {5, 6}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		struct err err = {0};
		int32_t live[2];

		assert_int_equal(open_all(memory, live, &err), 0);
		assert_int_equal(live[0], expected[i][0]);
		assert_int_equal(live[1], expected[i][1]);
		memory_directory_free(memory);
	}
}

/* The files whose every byte is under a checksum that opening a segment looks at. */
static bool is_read_whole(const char *name)
{
	static const char *const ends[] = {".si",
					   ".cfe",
					   ".fnm",
					   ".liv",
					   "_1_Lucene70_0.dvd",
					   "_1_Lucene80_0.dvd",
					   "_1_Lucene90_0.dvd",
					   ".dvm"};

	if (str_starts(str_from(name), STR("segments_")))
		return true;
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (str_ends(str_from(name), str_from(ends[i])))
			return true;
	return false;
}

/* Flips a bit of every byte, or of some (one of `step`), and opens the segments again. */
static void flip_bytes(struct memory_directory *memory, struct memory_file *file, int step,
		       bool reseal)
{
	cleanup(buf_release) struct buf original = BUF_INIT(MIB(16));

	buf_append_str(&original, buf_str(&file->bytes));
	for (size_t i = (size_t)(rand() % step); i < original.len; i += (size_t)step) {
		struct err err = {0};
		int32_t live[2];

		file->bytes.ptr[i] ^= (char)(1 << rand() % 8);
		if (reseal)
			memory_file_reseal(file);
		if (open_all(memory, live, &err) == 0 && !reseal)
			fail_msg("byte %zu of '%s' flipped, and nothing was noticed", i,
				 file->name);
		memcpy(file->bytes.ptr, original.ptr, original.len);
	}
}

static void flip_fixture(const char *fixture, int step, bool reseal)
{
	struct memory_directory *memory = memory_directory_new(fixture);

	for (size_t i = 0; i < memory->count; i++) {
		struct memory_file *file = &memory->files[i];

		if (is_read_whole(file->name) ||
		    (reseal && str_ends(str_from(file->name), STR(".cfs"))))
			flip_bytes(memory, file, step, reseal);
	}
	memory_directory_free(memory);
}

static void a_flipped_bit_in_a_file_read_whole_is_always_noticed(void **state)
{
	(void)state;
	/* 6.6.6 has no soft deletes, and so nobody reads its doc values. */
	for (size_t i = 1; i < COUNT_OF(fixtures); i++)
		flip_fixture(fixtures[i], 1, false);
}

static void a_flipped_bit_under_a_right_checksum_breaks_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++)
		flip_fixture(fixtures[i], 9, true);
}

static void every_missing_file_is_named(void **state)
{
	static const char *const files[] = {"_0.si",
					    "_0.cfe",
					    "_0.cfs",
					    "_1.fnm",
					    "_0_1.fnm",
					    "_0_1.liv",
					    "_1.fdt",
					    "_0_1_Lucene90_0.dvm",
					    "_0_1_Lucene90_0.dvd"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct memory_directory *memory = memory_directory_new("10.5.0");
		struct err err = {0};
		int32_t live[2];

		memory_directory_remove(memory, files[i]);
		assert_int_equal(open_all(memory, live, &err), -ERR_NOT_FOUND);
		assert_non_null(strstr(err.message, files[i]));
		memory_directory_free(memory);
	}
}

static int open_first(struct memory_directory *memory, void (*change)(struct segment_commit *),
		      struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct segment_reader *segment = NULL;
	struct segment_infos infos;
	int result;

	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, err), 0);
	change(&infos.segments[0]);
	result = segment_reader_open(&memory->directory, &infos.segments[0], &segment, err);
	segment_reader_close(segment);
	return result;
}

static void more_soft_deletes(struct segment_commit *commit)
{
	commit->soft_del_count++;
}

static void more_deletes_than_documents(struct segment_commit *commit)
{
	commit->soft_del_count = 8;
}

static void files_of_the_other_segment(struct segment_commit *commit)
{
	static const uint8_t other[16] = "another segment";

	commit->id = other;
}

static void counts_and_ids_must_agree_with_the_commit(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct err err = {0};

	(void)state;
	assert_int_equal(open_first(memory, more_soft_deletes, &err), -ERR_FORMAT);
	assert_string_equal(err.message, "segment '_0' has 2 soft-deleted documents, and the "
					 "commit says 3");
	assert_int_equal(open_first(memory, more_deletes_than_documents, &err), -ERR_FORMAT);
	assert_int_equal(open_first(memory, files_of_the_other_segment, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "its id is not that of the commit"));
	memory_directory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hard_and_soft_deletes_are_joined),
		cmocka_unit_test(a_flipped_bit_in_a_file_read_whole_is_always_noticed),
		cmocka_unit_test(a_flipped_bit_under_a_right_checksum_breaks_nothing_else),
		cmocka_unit_test(every_missing_file_is_named),
		cmocka_unit_test(counts_and_ids_must_agree_with_the_commit),
	};
	unsigned seed = (unsigned)time(NULL);

	printf("seed %u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
