#include "transform/script_program/text16.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_goes_and_comes(struct str text, struct str expected)
{
	uint16_t units[256];
	size_t count = text16_from_utf8(text, units);
	cleanup(buf_release) struct buf back = BUF_INIT(KIB(4));

	assert_true(count <= text.len);
	text16_to_utf8(&back, units, count);
	if (!str_eq(buf_str(&back), expected))
		fail_msg("'" STR_FMT "' is not '" STR_FMT "'", STR_ARG(buf_str(&back)),
			 STR_ARG(expected));
}

static void texts_come_back_as_they_went(void **state)
{
	static const char characters[][5] = {"a",
					     "\x7f",
					     "\xC2\x80",
					     "\xC3\xA9",
					     "\xE2\x82\xAC",
					     "\xEF\xBF\xBF",
					     "\xF0\x9F\x98\x80",
					     "\xF4\x8F\xBF\xBF"};

	(void)state;
	assert_goes_and_comes(STR(""), STR(""));
	/* Each character at each place around the blocks that are looked at together. */
	for (size_t i = 0; i < COUNT_OF(characters); i++)
		for (size_t before = 0; before < 40; before++) {
			cleanup(buf_release) struct buf text = BUF_INIT(KIB(1));

			for (size_t n = 0; n < before; n++)
				buf_append_byte(&text, 'x');
			buf_append_str(&text, str_from(characters[i]));
			buf_append_str(&text, STR("0123456789abcdefghijk"));
			assert_goes_and_comes(buf_str(&text), buf_str(&text));
		}
}

static void units_are_those_of_utf_16(void **state)
{
	uint16_t units[8];

	(void)state;
	assert_int_equal(text16_from_utf8(STR("\xF0\x9F\x98\x80\xE2\x82\xAC"), units), 3);
	assert_int_equal(units[0], 0xd83d);
	assert_int_equal(units[1], 0xde00);
	assert_int_equal(units[2], 0x20ac);
}

static void what_is_no_text_is_replaced(void **state)
{
	static const uint16_t lone[] = {'a', 0xd83d, 'b', 0xde00, 0xd83d};
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(1));

	(void)state;
	assert_goes_and_comes(STR("a\xff"), STR("a\xEF\xBF\xBD"));
	assert_goes_and_comes(STR("\xE2\x82"), STR("\xEF\xBF\xBD\xEF\xBF\xBD"));
	text16_to_utf8(&out, lone, COUNT_OF(lone));
	assert_string_equal(buf_cstr(&out), "a\xEF\xBF\xBD"
					    "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back_as_they_went),
		cmocka_unit_test(units_are_those_of_utf_16),
		cmocka_unit_test(what_is_no_text_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
