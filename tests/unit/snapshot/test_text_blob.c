#include "snapshot/text_blob.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	struct json *root;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(1));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static int decode(struct fixture *f, struct str blob)
{
	return text_blob_decode(blob, &f->mem, &f->root, &f->err);
}

static void assert_names_kimchy(struct fixture *f, struct str blob)
{
	if (decode(f, blob) < 0)
		fail_msg("%s", f->err.message);
	assert_true(str_is(json_string(json_get(f->root, "by")), "kimchy"));
}

static void text_may_be_compact_or_indented(void **state)
{
	assert_names_kimchy(*state, STR("{\"by\":\"kimchy\"}"));
	assert_names_kimchy(*state, STR("{\n  \"by\" : \"kimchy\"\n}\n"));
}

static void compressed_text_is_in_chunks(void **state)
{
	/* Both chunks hold their bytes as they are. */
	assert_names_kimchy(*state, STR("ZV\x00\x00\x08{\"by\":\"kZV\x00\x00\x07imchy\"}"));
}

static void a_copy_within_compressed_text_is_followed(void **state)
{
	struct fixture *f = *state;

	/* {"a":"aaaaaaaaaa"}: 7 bytes as they are, 9 from one byte back, 2 as they are. */
	assert_int_equal(decode(f, STR("ZV\x01\x00\x0e\x00\x12\x06{\"a\":\"a\xe0\x00\x00\x01\"}")),
			 0);
	assert_true(str_is(json_string(json_get(f->root, "a")), "aaaaaaaaaa"));
}

static void damaged_text_is_an_error(void **state)
{
	static const struct str damaged[] = {
		{"", 0},
		{"{", 1},
		{"ZV", 2},
		{"ZV\x00\x00\x08{}", 7},
		{"ZV\x00\x00\x02{}ZV\x00", 10},
		{"ZV\x01\x00\x03\x00\x40\xe0\xff\xff", 10},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(damaged); i++) {
		if (decode(f, damaged[i]) != -ERR_FORMAT)
			fail_msg("%zu is taken: %s", i, f->err.message);
		assert_true(f->err.message[0]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_may_be_compact_or_indented),
		TEST(compressed_text_is_in_chunks),
		TEST(a_copy_within_compressed_text_is_followed),
		TEST(damaged_text_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
