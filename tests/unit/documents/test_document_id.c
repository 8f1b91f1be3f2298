#include "documents/document_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect_id(struct str stored, const char *expected)
{
	char text[DOCUMENT_ID_MAX];
	struct err err = {0};
	struct str id;

	assert_int_equal(document_id_decode(stored, text, &id, &err), 0);
	assert_int_equal(id.len, strlen(expected));
	assert_memory_equal(id.ptr, expected, id.len);
}

/* The pairs were made by Elasticsearch's rules: see encodeId in fixtures/lucene/Generate.java. */
static void each_way_to_store_an_id_is_decoded(void **state)
{
	(void)state;
	expect_id(STR("\xff"
		      "a/b"),
		  "a/b");
	expect_id(STR("\xff"), "");
	expect_id(STR("\xff\xc3\xbc#1"), "\xc3\xbc#1");
	expect_id(STR("\xfe\x12\x34"), "1234");
	expect_id(STR("\xfe\x00\x7f"), "007");
	/* Auto-generated ids are base64url without padding. */
	expect_id(STR("\x00\x10\x83\x10\x51\x87\x20\x92\x8b"), "ABCDEFGHIJKL");
	expect_id(STR("\xfb\xf0"), "-_A");
	expect_id(STR("\x6b"), "aw");
	expect_id(STR("\xfd\xff\xff\xff"), "____");
}

static void the_longest_ids_fit(void **state)
{
	char stored[1 + DOCUMENT_ID_MAX + 1] = {(char)0xff};
	char text[DOCUMENT_ID_MAX];
	struct err err = {0};
	struct str id;

	(void)state;
	memset(stored + 1, 'x', DOCUMENT_ID_MAX + 1);
	assert_int_equal(document_id_decode(str_of(stored, 1 + DOCUMENT_ID_MAX), text, &id, &err),
			 0);
	assert_int_equal(id.len, DOCUMENT_ID_MAX);
	assert_int_equal(document_id_decode(str_of(stored, sizeof(stored)), text, &id, &err),
			 -ERR_FORMAT);
	/* 768 bytes make 1024 letters of base64. */
	assert_int_equal(document_id_decode(str_of(stored + 1, 768), text, &id, &err), 0);
	assert_int_equal(id.len, DOCUMENT_ID_MAX);
	assert_int_equal(document_id_decode(str_of(stored + 1, 769), text, &id, &err), -ERR_FORMAT);
	memset(stored, 0xfe, 1);
	memset(stored + 1, 0x11, DOCUMENT_ID_MAX);
	assert_int_equal(document_id_decode(str_of(stored, 1 + 512), text, &id, &err), 0);
	assert_int_equal(id.len, DOCUMENT_ID_MAX);
	assert_int_equal(document_id_decode(str_of(stored, 1 + 513), text, &id, &err), -ERR_FORMAT);
}

static void what_is_no_id_is_refused(void **state)
{
	char text[DOCUMENT_ID_MAX];
	struct err err = {0};
	struct str id;

	(void)state;
	assert_int_equal(document_id_decode(STR(""), text, &id, &err), -ERR_FORMAT);
	assert_int_equal(document_id_decode(STR("\xfe\xa1"), text, &id, &err), -ERR_FORMAT);
	/* Padding stands at the end only. */
	assert_int_equal(document_id_decode(STR("\xfe\x1f\x12"), text, &id, &err), -ERR_FORMAT);
}

static void a_uid_splits_at_its_first_hash(void **state)
{
	struct str type, id;
	struct err err = {0};

	(void)state;
	assert_int_equal(document_uid_split(STR("my_type#a#b"), &type, &id, &err), 0);
	assert_true(str_is(type, "my_type"));
	assert_true(str_is(id, "a#b"));
	assert_int_equal(document_uid_split(STR("no hash"), &type, &id, &err), -ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_store_an_id_is_decoded),
		cmocka_unit_test(the_longest_ids_fit),
		cmocka_unit_test(what_is_no_id_is_refused),
		cmocka_unit_test(a_uid_splits_at_its_first_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
