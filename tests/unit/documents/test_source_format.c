#include "documents/source_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SMILE              \
	":)\n\x05\xfa\x80" \
	"a\xc2\xfb"
#define DEFLATED "DFL\0\xab\x56\x4a\x54\xb2\x32\xac\x05\x00" /* {"a":1} */

struct fixture {
	struct source_converter converter;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	source_converter_init(&f->converter);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	source_converter_release(&f->converter);
	mem_freep(&f);
	return 0;
}

static void assert_json(struct fixture *f, struct str source, const char *expected)
{
	struct str json;

	if (source_to_json(&f->converter, source, &json, &f->err) < 0)
		fail_msg("%s", f->err.message);
	if (!str_is(json, expected))
		fail_msg("'" STR_FMT "' is not '%s'", STR_ARG(json), expected);
}

static void assert_refused(struct fixture *f, struct str source, const char *why)
{
	struct str json;

	assert_true(source_to_json(&f->converter, source, &json, &f->err) < 0);
	assert_string_equal(f->err.message, why);
}

static void formats_are_told_by_their_first_bytes(void **state)
{
	(void)state;
	assert_int_equal(source_format_of(STR("{}")), SOURCE_JSON);
	assert_int_equal(source_format_of(STR(" \r\n\t{\"a\":1}")), SOURCE_JSON);
	assert_int_equal(source_format_of(STR(SMILE)), SOURCE_SMILE);
	assert_int_equal(source_format_of(STR("\xa0")), SOURCE_CBOR);
	assert_int_equal(source_format_of(STR("\xbf\xff")), SOURCE_CBOR);
	assert_int_equal(source_format_of(STR("\xd9\xd9\xf7\xa0")), SOURCE_CBOR);
	assert_int_equal(source_format_of(STR("---\na: 1\n")), SOURCE_YAML);
	assert_int_equal(source_format_of(STR("ZV\0\0\2{}")), SOURCE_LZF);
	assert_int_equal(source_format_of(STR(DEFLATED)), SOURCE_DEFLATE);
	assert_int_equal(source_format_of(STR("\xef\xbb\xbf{}")), SOURCE_UNICODE);
	assert_int_equal(source_format_of(STR("{\0}\0")), SOURCE_UNICODE);
	assert_int_equal(source_format_of(STR("")), SOURCE_UNKNOWN);
	assert_int_equal(source_format_of(STR("{")), SOURCE_JSON);
	assert_int_equal(source_format_of(STR("  ")), SOURCE_UNKNOWN);
	assert_int_equal(source_format_of(STR("[1]")), SOURCE_UNKNOWN);
	assert_int_equal(source_format_of(STR("/* c */{}")), SOURCE_UNKNOWN);
	assert_int_equal(source_format_of(STR("a: 1")), SOURCE_UNKNOWN);
}

static void json_and_what_is_not_known_come_back_untouched(void **state)
{
	static const char *const sources[] = {"{\n \"a\" : 1.0 }\n", "  {}", "[1]", "x", ""};
	struct fixture *f = *state;
	struct str json;

	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		assert_int_equal(
			source_to_json(&f->converter, str_from(sources[i]), &json, &f->err), 0);
		assert_ptr_equal(json.ptr, sources[i]);
		assert_int_equal(json.len, strlen(sources[i]));
	}
}

static void each_format_becomes_json(void **state)
{
	struct fixture *f = *state;

	assert_json(f, STR(SMILE), "{\"a\":1}");
	assert_json(f, STR("\xd9\xd9\xf7\xa1\x61\x61\x01"), "{\"a\":1}");
	assert_json(f, STR("---\na: 1\n"), "{\"a\":1}");
	assert_json(f, STR("ZV\0\0\7{\"a\":1}"), "{\"a\":1}");
	assert_json(f, STR(DEFLATED), "{\"a\":1}");
}

static void what_is_compressed_may_be_any_format(void **state)
{
	struct fixture *f = *state;

	assert_json(f, STR("ZV\0\0\x09" SMILE), "{\"a\":1}");
	assert_json(f,
		    STR("ZV\0\0\x04---\nZV\0\0\x05"
			"a: 1\n"),
		    "{\"a\":1}");
	assert_json(f, STR("ZV\0\0\3[1]"), "[1]");
	assert_refused(f, STR("ZV\0\0\7ZV\0\0\2{}"), "the source is compressed twice");
}

static void utf16_and_utf32_become_utf8(void **state)
{
	struct fixture *f = *state;

	assert_json(f, STR("\xef\xbb\xbf{\"a\":1}"), "{\"a\":1}");
	assert_json(f, STR("{\0\"\0\x0a\x0a\"\0}\0"), "{\"\xe0\xa8\x8a\"}");
	assert_json(f, STR("\0{\0\"\xd8\x3d\xde\x00\0\"\0}"), "{\"\xf0\x9f\x98\x80\"}");
	assert_json(f, STR("\xff\xfe{\0}\0"), "{}");
	assert_json(f, STR("\xfe\xff\0{\0}"), "{}");
	assert_json(f, STR("{\0\0\0\xe9\0\0\0}\0\0\0"), "{\xc3\xa9}");
	assert_json(f, STR("\0\0\0{\0\1\xf6\0\0\0\0}"), "{\xf0\x9f\x98\x80}");
	assert_json(f, STR("\xff\xfe\0\0{\0\0\0}\0\0\0"), "{}");
	assert_json(f, STR("\0\0\xfe\xff\0\0\0{\0\0\0}"), "{}");
	assert_refused(f, STR("{\0}\0x"), "UTF-16 is damaged at byte 4 of 5");
	assert_refused(f, STR("{\0\x3d\xd8}\0"), "UTF-16 is damaged at byte 2 of 6");
	assert_refused(f, STR("{\0\0\xdc}\0"), "UTF-16 is damaged at byte 2 of 6");
	assert_refused(f, STR("{\0\x3d\xd8"), "UTF-16 is damaged at byte 2 of 4");
	assert_refused(f, STR("{\0\0\0\0\0\x11\0"), "UTF-32 is damaged at byte 4 of 8");
	assert_refused(f, STR("{\0\0\0\x3d\xd8\0\0"), "UTF-32 is damaged at byte 4 of 8");
}

static void what_cannot_be_converted_is_named(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, STR(":)\n\x05\xfa"),
		       "SMILE is damaged: the end is missing at byte 5 of 5");
	assert_refused(f, STR(":)\n\x05\xc2"), "SMILE holds no object");
	assert_refused(f, STR("\xa1\x61\x61"),
		       "CBOR is damaged: the end is missing at byte 3 of 3");
	assert_refused(f, STR("\xd9\xd9\xf7\x80"), "CBOR holds no object");
	assert_refused(f, STR("---\n- 1\n"), "YAML holds no object");
	assert_refused(f, STR("ZV\0\0\7{"), "LZF is damaged: a chunk is cut short at byte 5");
	assert_refused(f, STR("DFL\0\xff"),
		       "DEFLATE: compressed metadata is damaged after 1 bytes");
	assert_json(f, STR(SMILE), "{\"a\":1}");
}

/* The bulk that a source goes into is cut into lines. */
static void a_converted_source_is_one_line(void **state)
{
	assert_json(*state, STR("---\na: |\n  b\n  c\n"), "{\"a\":\"b\\nc\\n\"}");
	assert_json(*state, STR("\xa1\x61\x61\x62\n\r"), "{\"a\":\"\\n\\r\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(formats_are_told_by_their_first_bytes),
		TEST(json_and_what_is_not_known_come_back_untouched),
		TEST(each_format_becomes_json),
		TEST(what_is_compressed_may_be_any_format),
		TEST(utf16_and_utf32_become_utf8),
		TEST(what_cannot_be_converted_is_named),
		TEST(a_converted_source_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
