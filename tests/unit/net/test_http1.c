#include "net/http1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define LIMIT 4096

/* Feeds `text` in pieces of `step` bytes, as a connection does: a head from its beginning. Returns
 * how many belong to the message. */
static size_t feed(struct http1 *p, struct str text, size_t step)
{
	size_t taken = 0, have = 0;

	while (have < text.len && p->state != HTTP1_DONE && p->state != HTTP1_FAILED) {
		have = MIN(have + step, text.len);
		/* A copy of its exact size, so that reading past it is seen. */
		char *bytes = mem_alloc(have - taken + 1);
		memcpy(bytes, text.ptr + taken, have - taken);
		taken += http1_feed(p, str_of(bytes, have - taken));
		free(bytes);
	}
	return taken;
}

static void assert_request(const char *text, size_t message, bool has_end)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		struct http1 p;

		http1_request_init(&p, LIMIT);
		assert_int_equal(feed(&p, str_from(text), step), message);
		assert_int_equal(p.state == HTTP1_DONE, has_end);
	}
}

static void assert_refused(const char *text, enum http1_error error)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		struct http1 p;

		http1_request_init(&p, LIMIT);
		feed(&p, str_from(text), step);
		assert_int_equal(p.state, HTTP1_FAILED);
		assert_int_equal(p.error, error);
		assert_non_null(p.reason);
	}
}

static void a_request_ends_where_its_length_says(void **state)
{
	static const char get[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char post[] = "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";

	(void)state;
	assert_request("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b", strlen(get), true);
	assert_request("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcdef", strlen(post), true);
	assert_request("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", strlen(post) - 1, false);
	assert_request("GET /a HTTP/1.1\nHost: x\n\nGET", strlen(get) - 3, true);
}

static void chunks_and_trailers_end_with_an_empty_line(void **state)
{
	static const char text[] = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
				   "3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n";
	static const char with_next[] =
		"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\nGET /";

	(void)state;
	assert_request(with_next, strlen(text), true);
	assert_request("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		       strlen("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		       true);
}

static void two_readings_of_an_end_are_refused(void **state)
{
#define WITH(headers) "POST / HTTP/1.1\r\n" headers "\r\n\r\nabc"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"
	static const char *const texts[] = {
		WITH("Content-Length: 1\r\nContent-Length: 1"),
		WITH("Content-Length: 1, 1"),
		WITH("Content-Length: +1"),
		WITH("Content-Length: 0x1"),
		WITH("Content-Length:"),
		WITH("Content-Length: 99999999999999999999"),
		WITH("Content-Length: 1\r\nTransfer-Encoding: chunked"),
		WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
		WITH("Content-Length : 1"),
		WITH("A: b\r\n Content-Length: 1"),
		WITH("A: b\rContent-Length: 1"),
		WITH("no colon"),
		"POST / HTTP/1.0\r\n" CHUNKED "0\r\n\r\n",
		"POST / HTTP/1.1\r\n" CHUNKED "\r\n",
		"POST / HTTP/1.1\r\n" CHUNKED "-1\r\n",
		"POST / HTTP/1.1\r\n" CHUNKED "0x1\r\n",
		"POST / HTTP/1.1\r\n" CHUNKED "1\na",
		"POST / HTTP/1.1\r\n" CHUNKED "1\r\nab\r\n",
		"POST / HTTP/1.1\r\n" CHUNKED "1000000000000000\r\n",
		"POST / HTTP/1.1\r\n" CHUNKED "0\r\nA: b\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_refused(texts[i], HTTP1_CONFLICT);
}

static void what_is_no_http1_is_named(void **state)
{
	(void)state;
	assert_refused("\x16\x03\x01", HTTP1_GARBAGE);
	assert_refused("GET\r\n\r\n", HTTP1_GARBAGE);
	assert_refused("GET /\x01 HTTP/1.1\r\n\r\n", HTTP1_GARBAGE);
	assert_refused("GET / GARBAGE\r\n\r\n", HTTP1_GARBAGE);
	assert_refused("GET / HTTP/2.0\r\n\r\n", HTTP1_UNSUPPORTED);
	assert_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP1_UNSUPPORTED);
	assert_refused("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		       HTTP1_UNSUPPORTED);
}

static void a_head_above_the_limit_is_refused(void **state)
{
	struct http1 p;
	char text[128];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	http1_request_init(&p, 100);
	feed(&p, str_of(text, sizeof(text)), 7);
	assert_int_equal(p.state, HTTP1_FAILED);
	assert_int_equal(p.error, HTTP1_TOO_LARGE);
}

static size_t respond(struct http1 *p, const char *text, bool head_only)
{
	http1_response_init(p, LIMIT, head_only);
	return feed(p, str_from(text), 5);
}

static void a_response_without_a_body_ends_with_its_head(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
	static const char none[] = "HTTP/1.1 204 No Content\r\n\r\n";
	static const char same[] = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
	static const char wait[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http1 p;

	(void)state;
	assert_int_equal(respond(&p, head, true), strlen(head));
	assert_int_equal(p.state, HTTP1_DONE);
	assert_int_equal(respond(&p, none, false), strlen(none));
	assert_int_equal(p.state, HTTP1_DONE);
	assert_int_equal(respond(&p, same, false), strlen(same));
	assert_int_equal(p.state, HTTP1_DONE);
	assert_int_equal(respond(&p, wait, false), strlen(wait));
	assert_int_equal(p.state, HTTP1_DONE);
	assert_true(http1_is_interim(&p));
}

static void a_response_without_a_length_ends_with_the_connection(void **state)
{
	struct http1 p;

	(void)state;
	respond(&p, "HTTP/1.1 200 OK\r\n\r\nall that follows", false);
	assert_int_equal(p.state, HTTP1_UNTIL_CLOSE);
	assert_false(p.keep_alive);
	assert_true(http1_end(&p));
	respond(&p, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", false);
	assert_false(http1_end(&p));
}

static void what_the_head_says_is_told(void **state)
{
	static const char text[] = "PUT /i?x=1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
				   "Connection: keep-alive, Close\r\nContent-Length: 2\r\n\r\nab";
	struct http1_header header;
	struct http1 p;
	size_t at = 0;

	(void)state;
	http1_request_init(&p, LIMIT);
	feed(&p, str_from(text), sizeof(text));
	assert_string_equal(p.method, "PUT");
	assert_int_equal(p.first_line_bytes, strlen("PUT /i?x=1 HTTP/1.1"));
	assert_int_equal(p.header_bytes, strlen("Host: xExpect: 100-continueConnection: "
						"keep-alive, CloseContent-Length: 2"));
	assert_true(p.expects_continue && !p.keep_alive && p.length == 2);
	assert_true(str_is(http1_target(str_from(text)), "/i?x=1"));
	assert_true(http1_next_header(str_from(text), &at, &header));
	assert_true(http1_name_is(header.name, "host") && str_is(header.value, "x"));
	assert_true(str_is(header.line, "Host: x\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_ends_where_its_length_says),
		cmocka_unit_test(chunks_and_trailers_end_with_an_empty_line),
		cmocka_unit_test(two_readings_of_an_end_are_refused),
		cmocka_unit_test(what_is_no_http1_is_named),
		cmocka_unit_test(a_head_above_the_limit_is_refused),
		cmocka_unit_test(a_response_without_a_body_ends_with_its_head),
		cmocka_unit_test(a_response_without_a_length_ends_with_the_connection),
		cmocka_unit_test(what_the_head_says_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
