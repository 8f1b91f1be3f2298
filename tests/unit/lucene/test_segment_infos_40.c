#include "lucene/segment_infos.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct segment_infos read_commit(struct memory_directory *memory, struct arena *mem)
{
	struct segment_infos infos;
	struct err err = {0};

	if (segment_infos_read(&memory->directory, mem, &infos, &err) < 0)
		fail_msg("%s", err.message);
	return infos;
}

static void commits_of_formats_0_to_5_are_read(void **state)
{
	static const struct {
		const char *fixture;
		int32_t format;
		bool id, updates;
	} cases[] = {
		{"4.0.0", 0, false, false}, {"4.1.0", 0, false, false}, {"4.3.1", 0, false, false},
		{"4.6.1", 1, false, true},  {"4.8.1", 2, false, true},  {"4.10.4", 3, false, true},
		{"5.0.0", 4, true, true},   {"5.2.1", 5, true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct memory_directory *memory = memory_directory_new(cases[i].fixture);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct segment_infos infos = read_commit(memory, &mem);
		const struct segment_commit *first = &infos.segments[0];

		assert_int_equal(infos.format, cases[i].format);
		assert_int_equal(infos.count, 2);
		assert_int_equal(infos.created_major, 0);
		assert_true(str_is(first->name, "_0"));
		assert_true(str_is(infos.segments[1].name, "_1"));
		assert_true(str_starts(first->codec, STR("Lucene")));
		assert_int_equal(first->id != NULL, cases[i].id);
		assert_int_equal(first->del_gen, 1);
		assert_int_equal(first->del_count, 2);
		assert_int_equal(first->soft_del_count, 0);
		assert_int_equal(first->field_infos_gen, cases[i].updates ? 1 : -1);
		assert_int_equal(first->doc_values_gen, cases[i].updates ? 1 : -1);
		assert_int_equal(infos.segments[1].del_gen, -1);
		assert_int_equal(infos.segments[1].field_infos_gen, -1);
		memory_directory_free(memory);
	}
}

static int decode(struct str body, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos infos = {0};

	return segment_infos_decode(body, STR("1"), &mem, &infos, err);
}

#define COMMIT(format) "\x3f\xd7\x6c\x17\x08segments\0\0\0" format "\0\0\0\0\0\0\0\1\0\0\0\1"

static void what_a_commit_cannot_hold_is_refused(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(STR(COMMIT("\0") "\0\0\0\0"
						 "\0\0\0\0"),
				&err),
			 0);
	assert_int_equal(decode(STR(COMMIT("\0") "\0\0\0\0"
						 "\0\0\0\0"
						 "x"),
				&err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "1 bytes too many"));
	assert_int_equal(decode(STR(COMMIT("\0") "\x7f\xff\xff\xff"
						 "\0\0\0\0"),
				&err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "cannot hold the 2147483647 segments"));
	assert_int_equal(decode(STR(COMMIT("\0") "\xff\xff\xff\xff"
						 "\0\0\0\0"),
				&err),
			 -ERR_FORMAT);
	/* A name that is a path, and one of a segment with deletes but no generation of them. */
	assert_int_equal(decode(STR(COMMIT("\0") "\0\0\0\1"
						 "\x04_0/a"
						 "\1C"
						 "\0\0\0\0\0\0\0\1"
						 "\0\0\0\1"
						 "\0\0\0\0"),
				&err),
			 -ERR_FORMAT);
	assert_int_equal(decode(STR(COMMIT("\0") "\0\0\0\1"
						 "\x02_0"
						 "\1C"
						 "\xff\xff\xff\xff\xff\xff\xff\xff"
						 "\0\0\0\1"
						 "\0\0\0\0"),
				&err),
			 -ERR_FORMAT);
}

static void commits_of_lucene_3_are_refused_by_name(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(STR("\xff\xff\xff\xf5\0\0\0\0\0\0\0\0"), &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "Lucene 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_of_formats_0_to_5_are_read),
		cmocka_unit_test(what_a_commit_cannot_hold_is_refused),
		cmocka_unit_test(commits_of_lucene_3_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
