#include "lucene/live_docs.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void deletes_of_lucene_4_are_read(void **state)
{
	static const char *const fixtures[] = {"4.0.0", "4.1.0",  "4.3.1", "4.6.1",
					       "4.8.1", "4.10.4", "5.0.0", "5.2.1"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct segment_infos commit;
		struct live_docs live;
		struct err err = {0};

		assert_int_equal(segment_infos_read(&memory->directory, &mem, &commit, &err), 0);
		assert_int_equal(live_docs_read(&memory->directory, &commit.segments[0], 10, &mem,
						&live, &err),
				 0);
		assert_int_equal(live.live_count, 8);
		for (int32_t doc = 0; doc < 10; doc++)
			assert_int_equal(live_docs_is_live(&live, doc), doc != 3 && doc != 8);
		memory_directory_free(memory);
	}
}

#define HEADER                                 \
	"\xff\xff\xff\xfe\x3f\xd7\x6c\x17\x09" \
	"BitVector\0\0\0"

static int decode(struct str body, int32_t max_doc, int32_t dead, struct live_docs *live,
		  struct arena *mem, struct err *err)
{
	struct segment_commit commit = {.del_gen = 1, .del_count = dead};

	return live_docs_decode_40(body, &commit, max_doc, mem, live, err);
}

static void sparse_deletes_clear_bits_byte_by_byte(void **state)
{
	/* 20 documents, 17 live: byte 0 without its bit 1, byte 2 with bits 0 and 1 of four. */
	static const char body[] = HEADER "\1"
					  "\xff\xff\xff\xff"
					  "\0\0\0\x14"
					  "\0\0\0\x11"
					  "\0\xfd"
					  "\2\x03";
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct live_docs live;
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(str_of(body, sizeof(body) - 1), 20, 3, &live, &mem, &err), 0);
	assert_int_equal(live.live_count, 17);
	for (int32_t doc = 0; doc < 20; doc++)
		assert_int_equal(live_docs_is_live(&live, doc), doc != 1 && doc != 18 && doc != 19);
}

static void all_documents_can_be_dead_and_none(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct live_docs live;
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(STR(HEADER "\1"
					   "\0\0\0\x09"
					   "\0\0\0\0"
					   "\0\0"),
				9, 9, &live, &mem, &err),
			 0);
	assert_int_equal(live.live_count, 0);
	assert_int_equal(decode(STR(HEADER "\1"
					   "\xff\xff\xff\xff"
					   "\0\0\0\x09"
					   "\0\0\0\x09"),
				9, 0, &live, &mem, &err),
			 0);
	assert_int_equal(live.live_count, 9);
}

static void impossible_deletes_are_refused(void **state)
{
	static const struct {
		struct str body;
		const char *says;
	} cases[] = {
		{STR(HEADER "\1"
			    "\0\0\0\x08"
			    "\0\0\0\x08"
			    "\xff\xff"),
		 "is of 8 documents"},
		{STR(HEADER "\1"
			    "\0\0\0\x09"
			    "\0\0\0\x08"
			    "\xff"),
		 "1 bytes of bits"},
		{STR(HEADER "\1"
			    "\0\0\0\x09"
			    "\0\0\0\x08"
			    "\xff\1x"),
		 "3 bytes of bits"},
		{STR(HEADER "\1"
			    "\0\0\0\x09"
			    "\0\0\0\x08"
			    "\xff\xff"),
		 "beyond the last, 9"},
		{STR(HEADER "\1"
			    "\0\0\0\x09"
			    "\0\0\0\x08"
			    "\xff\1"),
		 "9 live documents, and says 8"},
		{STR(HEADER "\1"
			    "\0\0\0\x09"
			    "\0\0\0\x09"
			    "\xff\1"),
		 "the commit says 1"},
		{STR(HEADER "\1"
			    "\xff\xff\xff\xff"
			    "\0\0\0\x09"
			    "\0\0\0\x08"
			    "\2\0"),
		 "damaged or truncated"},
		{STR(HEADER "\1"
			    "\xff\xff\xff\xff"
			    "\0\0\0\x09"
			    "\0\0\0\x08"
			    "\0"),
		 "damaged or truncated"},
		{STR(HEADER "\1"
			    "\0\0\0\x09"),
		 "damaged or truncated"},
		{STR("\0\0\0\x09\0\0\0\x09\xff\1"), "does not start"},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct live_docs live;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(decode(cases[i].body, 9, 1, &live, &mem, &err), -ERR_FORMAT);
		assert_non_null(strstr(err.message, cases[i].says));
	}
	/* Set meant deleted in version 0. */
	assert_int_equal(decode(STR(HEADER "\0"
					   "\0\0\0\x09"
					   "\0\0\0\x08"
					   "\xff\0"),
				9, 1, &live, &mem, &err),
			 -ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deletes_of_lucene_4_are_read),
		cmocka_unit_test(sparse_deletes_clear_bits_byte_by_byte),
		cmocka_unit_test(all_documents_can_be_dead_and_none),
		cmocka_unit_test(impossible_deletes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
