#include "lucene/segment_info.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect_info(const char *fixture, const char *segment, const char *format, int32_t major,
			int32_t minor, int32_t max_doc, bool compound)
{
	struct memory_directory *memory = memory_directory_new(fixture);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_info info;
	struct err err = {0};

	assert_int_equal(
		segment_info_read(&memory->directory, str_from(segment), NULL, &mem, &info, &err),
		0);
	assert_true(str_is(info.format, format));
	assert_int_equal(info.version.major, major);
	assert_int_equal(info.version.minor, minor);
	assert_int_equal(info.max_doc, max_doc);
	assert_int_equal(info.compound, compound);
	memory_directory_free(memory);
}

static void segments_of_every_generation_tell_their_size_and_shape(void **state)
{
	(void)state;
	expect_info("6.6.6", "_0", "Lucene62SegmentInfo", 6, 6, 9, true);
	expect_info("6.6.6", "_1", "Lucene62SegmentInfo", 6, 6, 6, false);
	expect_info("7.7.3", "_0", "Lucene70SegmentInfo", 7, 7, 9, true);
	expect_info("8.11.3-high", "_1", "Lucene86SegmentInfo", 8, 11, 4, false);
	/* The last two call themselves the same, and only the later has a byte for blocks. */
	expect_info("9.3.0", "_1", "Lucene90SegmentInfo", 9, 3, 7, false);
	expect_info("10.5.0", "_1", "Lucene90SegmentInfo", 10, 5, 7, false);
}

static void a_segment_info_of_another_segment_is_refused(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos commit;
	struct segment_info info;
	struct err err = {0};

	(void)state;
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &commit, &err), 0);
	assert_int_equal(segment_info_read(&memory->directory, STR("_0"), commit.segments[1].id,
					   &mem, &info, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "'_0.si'"));
	memory_directory_free(memory);
}

static void an_unknown_segment_info_is_refused_by_name(void **state)
{
	static const char body[] = "\x3f\xd7\x6c\x17\x13"
				   "Lucene50SegmentInfo\0\0\0\x02";
	struct segment_info info;
	struct err err = {0};

	(void)state;
	assert_int_equal(segment_info_decode(str_of(body, sizeof(body) - 1), NULL, &info, &err),
			 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'Lucene50SegmentInfo' version 2"));
	assert_non_null(strstr(err.message, "with shardlift copy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_every_generation_tell_their_size_and_shape),
		cmocka_unit_test(a_segment_info_of_another_segment_is_refused),
		cmocka_unit_test(an_unknown_segment_info_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
