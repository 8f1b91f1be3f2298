#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void every_length_is_read_back(void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(1000), bytes = BUF_INIT(1000);
	char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i * 7);
	for (size_t len = 0; len <= sizeof(all); len++) {
		buf_reset(&text);
		buf_reset(&bytes);
		base64_encode(&text, str_of(all, len));
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		buf_append_byte(&text, '\n');
		assert_true(base64_decode(&bytes, buf_str(&text)));
		assert_true(str_eq(buf_str(&bytes), str_of(all, len)));
	}
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const texts[] = {
		"A", "AB", "ABC", "AB=C", "A===", "====", "AB==CDEF", "AB-_", "A B=", "AAAAA"};
	cleanup(buf_release) struct buf bytes = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_false(base64_decode(&bytes, str_from(texts[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_is_read_back),
		cmocka_unit_test(what_is_no_base64_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
