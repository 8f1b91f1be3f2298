#include "lucene/segment_info.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void segments_of_lucene_4_and_5_tell_their_size_and_shape(void **state)
{
	static const struct {
		const char *fixture, *format;
		struct lucene_version version;
	} cases[] = {
		{"4.0.0", "Lucene40SegmentInfo", {4, 0, 0}},
		{"4.1.0", "Lucene40SegmentInfo", {4, 1, 0}},
		{"4.3.1", "Lucene40SegmentInfo", {4, 3, 1}},
		{"4.6.1", "Lucene46SegmentInfo", {4, 6, 0}},
		{"4.8.1", "Lucene46SegmentInfo", {4, 8, 0}},
		{"4.10.4", "Lucene46SegmentInfo", {4, 10, 4}},
		{"5.0.0", "Lucene50SegmentInfo", {5, 0, 0}},
		{"5.2.1", "Lucene50SegmentInfo", {5, 2, 1}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct memory_directory *memory = memory_directory_new(cases[i].fixture);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct segment_info first, second;
		struct err err = {0};

		assert_int_equal(
			segment_info_read(&memory->directory, STR("_0"), NULL, &mem, &first, &err),
			0);
		assert_int_equal(
			segment_info_read(&memory->directory, STR("_1"), NULL, &mem, &second, &err),
			0);
		assert_true(str_is(first.format, cases[i].format));
		assert_int_equal(first.version.major, cases[i].version.major);
		assert_int_equal(first.version.minor, cases[i].version.minor);
		assert_int_equal(first.version.bugfix, cases[i].version.bugfix);
		assert_int_equal(first.max_doc, 10);
		assert_true(first.compound);
		assert_int_equal(second.max_doc, 4);
		assert_false(second.compound);
		memory_directory_free(memory);
	}
}

#define HEADER                 \
	"\x3f\xd7\x6c\x17\x13" \
	"Lucene46SegmentInfo\0\0\0\1"

static int decode(struct str body, struct segment_info *info, struct err *err)
{
	return segment_info_decode(body, NULL, info, err);
}

static void a_version_that_is_no_number_is_no_reason_to_stop(void **state)
{
	struct segment_info info = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(STR(HEADER "\3"
					   "4.x"
					   "\0\0\0\5"
					   "\1"
					   "\0\0\0\0\0\0\0\0"),
				&info, &err),
			 0);
	assert_int_equal(info.version.major, 4);
	assert_int_equal(info.version.minor, 0);
	assert_int_equal(info.max_doc, 5);
}

static void impossible_segments_are_refused(void **state)
{
	struct segment_info info = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(STR(HEADER "\1"
					   "4"
					   "\xff\xff\xff\xff"
					   "\1"
					   "\0\0\0\0\0\0\0\0"),
				&info, &err),
			 -ERR_FORMAT);
	assert_int_equal(decode(STR(HEADER "\1"
					   "4"
					   "\0\0\0\5"
					   "\2"
					   "\0\0\0\0\0\0\0\0"),
				&info, &err),
			 -ERR_FORMAT);
	/* One byte too many, and a map of more than there is. */
	assert_int_equal(decode(STR(HEADER "\1"
					   "4"
					   "\0\0\0\5"
					   "\1"
					   "\0\0\0\0\0\0\0\0\0"),
				&info, &err),
			 -ERR_FORMAT);
	assert_int_equal(decode(STR(HEADER "\1"
					   "4"
					   "\0\0\0\5"
					   "\1"
					   "\x7f\0\0\0\0\0\0\0"),
				&info, &err),
			 -ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_lucene_4_and_5_tell_their_size_and_shape),
		cmocka_unit_test(a_version_that_is_no_number_is_no_reason_to_stop),
		cmocka_unit_test(impossible_segments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
