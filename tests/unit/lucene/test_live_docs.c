#include "lucene/live_docs.h"

#include "base/crc32.h"
#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect_hard_deletes(const char *fixture)
{
	struct memory_directory *memory = memory_directory_new(fixture);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos commit;
	struct live_docs live;
	struct err err = {0};

	assert_int_equal(segment_infos_read(&memory->directory, &mem, &commit, &err), 0);
	assert_int_equal(
		live_docs_read(&memory->directory, &commit.segments[0], 9, &mem, &live, &err), 0);
	assert_int_equal(live.live_count, 7);
	assert_false(live_docs_is_live(&live, 3));
	assert_false(live_docs_is_live(&live, 4));
	assert_true(live_docs_is_live(&live, 5));
	assert_false(live_docs_any(&live, 3, 2));
	assert_true(live_docs_any(&live, 2, 2));

	assert_int_equal(
		live_docs_read(&memory->directory, &commit.segments[1], 6, &mem, &live, &err), 0);
	assert_null(live.words);
	assert_int_equal(live.live_count, 6);
	memory_directory_free(memory);
}

static void hard_deletes_of_both_byte_orders_are_read(void **state)
{
	(void)state;
	expect_hard_deletes("6.6.6");
	expect_hard_deletes("7.7.3");
	expect_hard_deletes("9.3.0");
	expect_hard_deletes("10.5.0");
}

static void another_number_of_deletes_than_the_commit_says_is_refused(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct segment_infos commit;
	struct live_docs live;
	struct err err = {0};

	(void)state;
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &commit, &err), 0);
	commit.segments[0].del_count = 3;
	assert_int_equal(
		live_docs_read(&memory->directory, &commit.segments[0], 9, &mem, &live, &err),
		-ERR_FORMAT);
	assert_string_equal(err.message,
			    "'_0_1.liv' in 'memory': has 2 dead documents, and the commit says 3");
	commit.segments[0].del_count = 2;
	assert_int_equal(
		live_docs_read(&memory->directory, &commit.segments[0], 65, &mem, &live, &err),
		-ERR_FORMAT);
	/* Eight documents fill one word too, and the ninth's bit is then one too many. */
	assert_int_equal(
		live_docs_read(&memory->directory, &commit.segments[0], 8, &mem, &live, &err),
		-ERR_FORMAT);
	memory_directory_free(memory);
}

static struct str huge_file;

static int huge_open(struct lucene_directory *dir, struct str name, struct bytes_source **out,
		     struct err *err)
{
	(void)dir, (void)err;
	*out = memory_source_new(huge_file, name);
	return 0;
}

/* A .liv in which all documents are dead. */
static char *huge_live_docs(int32_t max_doc)
{
	static const char header[] = "\x3f\xd7\x6c\x17\x10Lucene90LiveDocs\0\0\0\0"
				     "0123456789abcdef\1"
				     "1";
	static const char footer[] = "\xc0\x28\x93\xe8\0\0\0\0\0\0\0";
	size_t bits = ((size_t)max_doc + 63) / 64 * 8, at = sizeof(header) - 1 + bits;
	char *bytes = mem_zalloc(at + CODEC_FOOTER_LENGTH);
	uint32_t crc;

	memcpy(bytes, header, sizeof(header) - 1);
	memcpy(bytes + at, footer, sizeof(footer));
	crc = __builtin_bswap32(crc32_update(0, bytes, at + CODEC_FOOTER_CRC_LENGTH));
	memcpy(bytes + at + sizeof(footer), &crc, sizeof(crc));
	huge_file = str_of(bytes, at + CODEC_FOOTER_LENGTH);
	return bytes;
}

static void deletes_of_a_very_large_segment_are_read(void **state)
{
	static const struct lucene_directory_ops ops = {.open = huge_open};
	static char name[] = "huge";
	const int32_t max_doc = 540000000;
	struct lucene_directory dir = {&ops, name};
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	cleanup(mem_freep) char *bytes = huge_live_docs(max_doc);
	struct segment_commit commit = {.name = STR("_0"),
					.id = (const uint8_t *)"0123456789abcdef",
					.del_gen = 1,
					.del_count = max_doc};
	struct live_docs live;
	struct err err = {0};
	int rc = live_docs_read(&dir, &commit, max_doc, &mem, &live, &err);

	(void)state;
	assert_string_equal(err.message, "");
	assert_int_equal(rc, 0);
	assert_int_equal(live.live_count, 0);
	assert_false(live_docs_is_live(&live, max_doc - 1));
}

static void any_asks_for_exactly_the_range(void **state)
{
	uint64_t words[3] = {0, (uint64_t)1 << 5, 0};
	struct live_docs live = {words, 192, 1}, all = {NULL, 192, 192};

	(void)state;
	for (int32_t first = 0; first < 192; first++)
		for (int32_t count = 0; first + count <= 192; count++)
			assert_int_equal(live_docs_any(&live, first, count),
					 first <= 69 && first + count > 69);
	assert_true(live_docs_any(&all, 7, 1));
	assert_false(live_docs_any(&all, 7, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hard_deletes_of_both_byte_orders_are_read),
		cmocka_unit_test(another_number_of_deletes_than_the_commit_says_is_refused),
		cmocka_unit_test(deletes_of_a_very_large_segment_are_read),
		cmocka_unit_test(any_asks_for_exactly_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
