#include "capture/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_text(struct buf *out, const char *wanted)
{
	assert_string_equal(buf_cstr(out), wanted);
	buf_release(out);
}

static void a_header_is_replaced_behind_the_first_line(void **state)
{
	static const struct set_header set[] = {{"Host", "new:9200"}, {"X-New", "1"}};
	struct buf out = BUF_INIT(1000);

	(void)state;
	rewrite_head(STR("GET / HTTP/1.1\r\nA: b\r\nHOST: old\r\nhost: older\r\n\r\n"), set, 2,
		     &out);
	assert_text(&out, "GET / HTTP/1.1\r\nHost: new:9200\r\nX-New: 1\r\nA: b\r\n\r\n");
	rewrite_head(STR("GET / HTTP/1.1\nA: b\n\n"), set, 1, &out);
	assert_text(&out, "GET / HTTP/1.1\nHost: new:9200\nA: b\n\n");
}

static void no_upgrade_is_asked_of_the_source(void **state)
{
	struct buf out = BUF_INIT(1000);

	(void)state;
	rewrite_head(STR("GET / HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nA: b\r\n\r\n"),
		     NULL, 0, &out);
	assert_text(&out, "GET / HTTP/1.1\r\nA: b\r\n\r\n");
}

static void secrets_are_left_out(void **state)
{
	struct buf out = BUF_INIT(1000);

	(void)state;
	redact_head(STR("GET / HTTP/1.1\r\nauthorization: Basic c2VjcmV0\r\nA: b\r\n\r\n"), &out);
	assert_text(&out, "GET / HTTP/1.1\r\nauthorization: REDACTED\r\nA: b\r\n\r\n");
	redact_head(STR("GET / HTTP/1.1\r\nes-secondary-authorization: Basic c2VjcmV0\r\n"
			"X-Amz-Security-Token: secret\r\n\r\n"),
		    &out);
	assert_text(&out, "GET / HTTP/1.1\r\nes-secondary-authorization: REDACTED\r\n"
			  "X-Amz-Security-Token: REDACTED\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_replaced_behind_the_first_line),
		cmocka_unit_test(no_upgrade_is_asked_of_the_source),
		cmocka_unit_test(secrets_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
