#include "cli/html_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void strangers_write_neither_markup_nor_bytes_of_no_character(void **state)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(1));

	(void)state;
	html_append_escaped(&out, STR("<a b=\"&\">\n\xc3\xa9\xc3\xb1\xff\xe2\x82"));
	assert_string_equal(buf_cstr(&out),
			    "&lt;a b=&quot;&amp;&quot;&gt; \xc3\xa9\xc3\xb1\xef\xbf\xbd"
			    "\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_write_neither_markup_nor_bytes_of_no_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
