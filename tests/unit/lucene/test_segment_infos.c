#include "lucene/segment_infos.h"

#include "base/limits.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect_commit(const char *fixture, int32_t format, int32_t created_major)
{
	struct memory_directory *memory = memory_directory_new(fixture);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	const struct segment_commit *first;
	struct segment_infos infos;
	struct err err = {0};

	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err), 0);
	assert_int_equal(infos.format, format);
	assert_int_equal(infos.created_major, created_major);
	assert_int_equal(infos.count, 2);
	first = &infos.segments[0];
	assert_true(str_is(first->name, "_0"));
	assert_true(str_is(infos.segments[1].name, "_1"));
	assert_non_null(first->id);
	assert_int_equal(first->del_gen, 1);
	assert_int_equal(infos.segments[1].del_gen, -1);
	assert_int_equal(first->field_infos_gen, format >= 9 ? 1 : -1);
	assert_int_equal(first->doc_values_gen, format >= 9 ? 1 : -1);
	/* One more document is both hard and soft-deleted; it counts as hard-deleted only. */
	assert_int_equal(first->del_count, 2);
	assert_int_equal(first->soft_del_count, format >= 9 ? 2 : 0);
	memory_directory_free(memory);
}

static void commits_of_formats_6_to_10_are_read(void **state)
{
	(void)state;
	expect_commit("6.6.6", 6, 0);
	expect_commit("7.7.3", 9, 7);
	expect_commit("8.11.3-high", 10, 8);
	expect_commit("9.3.0", 10, 9);
	expect_commit("10.5.0", 10, 10);
}

static void the_highest_generation_in_base_36_is_the_newest(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos infos;
	struct err err = {0};

	(void)state;
	memory_directory_add(memory, "segments_a", STR("newer than segments_4"));
	memory_directory_add(memory, "pending_segments_zz", STR("no commit"));
	memory_directory_add(memory, "segments.gen", STR("of Lucene 4"));
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "'segments_a'"));
	memory_directory_free(memory);
}

static void a_directory_without_commit_is_no_index(void **state)
{
	struct memory_directory *memory = memory_directory_new(NULL);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos infos;
	struct err err = {0};

	(void)state;
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err),
			 -ERR_NOT_FOUND);
	memory_directory_free(memory);
}

static void a_commit_under_another_generation_is_refused(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos infos;
	struct err err = {0};

	(void)state;
	memory_directory_find(memory, "segments_4")->name[9] = '5';
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err), -ERR_FORMAT);
	memory_directory_free(memory);
}

static void other_formats_are_refused_by_name(void **state)
{
	static const struct {
		char format;
		const char *says;
	} cases[] = {{11, "newer than Lucene 10"}, {-1, "format "}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct memory_directory *memory = memory_directory_new("10.5.0");
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct memory_file *file = memory_directory_find(memory, "segments_4");
		struct segment_infos infos;
		struct err err = {0};

		/* The version is the last byte of the plain header: 4 magic, 1 + 8 codec, 4. */
		file->bytes.ptr[16] = cases[i].format;
		memory_file_reseal(file);
		assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err),
				 -ERR_UNSUPPORTED);
		assert_non_null(strstr(err.message, cases[i].says));
		assert_non_null(strstr(err.message, "with shardlift copy"));
		memory_directory_free(memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_of_formats_6_to_10_are_read),
		cmocka_unit_test(the_highest_generation_in_base_36_is_the_newest),
		cmocka_unit_test(a_directory_without_commit_is_no_index),
		cmocka_unit_test(a_commit_under_another_generation_is_refused),
		cmocka_unit_test(other_formats_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
