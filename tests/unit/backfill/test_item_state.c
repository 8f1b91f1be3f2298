#include "backfill/item_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void what_is_written_comes_back(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf text = BUF_INIT(ITEM_STATE_MAX);
	struct doc_range ranges[] = {{5, 9}, {20, INT64_MAX}};
	struct checksum_part parts[] = {
		{.segment = STR("_a"),
		 .offset = 0,
		 .length = 7,
		 .crc = UINT32_MAX,
		 .file_length = 9},
		{.segment = STR("_\"b"),
		 .offset = (uint64_t)1 << 40,
		 .length = 1,
		 .expected = 3,
		 .at_end = true},
	};
	struct item_state given = {ranges, 2, parts, 2}, back;
	struct err err = {0};

	(void)state;
	item_state_write(&text, &given);
	assert_int_equal(item_state_parse(buf_str(&text), &mem, &back, &err), 0);
	assert_int_equal(back.acknowledged_count, 2);
	assert_int_equal(back.acknowledged[1].first, 20);
	assert_true(back.acknowledged[1].end == INT64_MAX);
	assert_int_equal(back.part_count, 2);
	assert_true(back.parts[0].crc == UINT32_MAX && !back.parts[0].at_end);
	assert_int_equal(back.parts[0].file_length, 9);
	assert_true(str_is(back.parts[1].segment, "_\"b") && back.parts[1].at_end);
	assert_true(back.parts[1].offset == (uint64_t)1 << 40);
	assert_int_equal(back.parts[1].expected, 3);
}

static void no_state_is_an_empty_one(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct item_state back;

	(void)state;
	assert_int_equal(item_state_parse(STR_NONE, &mem, &back, NULL), 0);
	assert_int_equal(back.acknowledged_count + back.part_count, 0);
	assert_int_equal(item_state_parse(STR("{}"), &mem, &back, NULL), 0);
	assert_int_equal(back.acknowledged_count + back.part_count, 0);
}

static void a_damaged_state_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{\"acknowledged\":[",
		"{\"acknowledged\":[5]}",
		"{\"acknowledged\":[[5]]}",
		"{\"acknowledged\":[[9,5]]}",
		"{\"acknowledged\":[[-1,5]]}",
		"{\"parts\":[1]}",
		"{\"parts\":[{\"segment\":\"_0\"}]}",
		"{\"parts\":[{\"segment\":\"_0\",\"offset\":0,\"length\":1,\"crc\":4294967296,"
		"\"file_length\":1,\"expected\":0}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct item_state back;
		struct err err = {0};

		assert_int_equal(item_state_parse(str_from(texts[i]), &mem, &back, &err),
				 -ERR_FORMAT);
		assert_non_null(strstr(err.message, "--restart"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(no_state_is_an_empty_one),
		cmocka_unit_test(a_damaged_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
