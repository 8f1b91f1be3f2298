#include "traffic/tuple.h"

#include "base/json.h"
#include "traffic/tuple_sink.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct json *line_of(const struct tuple *tuple, struct arena *mem)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	struct json *tree = NULL;
	struct err err = {0};
	struct str line;

	tuple_write(&out, tuple, mem);
	line = arena_str(mem, buf_str(&out));
	assert_ptr_equal(memchr(line.ptr, '\n', line.len), line.ptr + line.len - 1);
	if (json_parse(line, mem, &tree, &err) < 0)
		fail_msg("%s", err.message);
	return tree;
}

static void credentials_are_left_out_but_on_request(void **state)
{
	static const char *const names[] = {"Authorization", "proxy-authorization", "COOKIE",
					    "es-secondary-authorization", "X-Amz-Security-Token"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names) * 2; i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		const char *name = names[i / 2];
		struct tuple tuple = {
			.source_request.bytes = arena_printf(
				&mem, "GET / HTTP/1.1\r\n%s: secret\r\nx: y\r\n\r\n", name),
			.connection_id = STR("c"),
			.keep_auth = i % 2,
		};
		struct json *request = json_get(line_of(&tuple, &mem), "sourceRequest");

		assert_true(str_is(json_string(json_get(request, name)->first),
				   i % 2 ? "secret" : "REDACTED"));
		assert_true(str_is(json_string(json_get(request, "x")->first), "y"));
	}
}

static void any_connection_id_is_one_line_of_json(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	const struct tuple tuple = {.source_request.bytes = STR("GET / HTTP/1.1\r\n\r\n"),
				    .connection_id = STR("a\"\n\xff"),
				    .index = 7};

	(void)state;
	assert_true(str_is(json_string(json_get(line_of(&tuple, &mem), "connectionId")),
			   "a\"\n\xc3\xbf.7"));
}

/* What a system short of memory does to any thread: stacks larger than addresses go. */
static void a_sink_that_gets_no_thread_is_an_error(void **state)
{
	const struct tuple_sink_options options = {0};
	struct tuple_sink *sink = NULL;
	struct err err = {0};
	pthread_attr_t usual, huge;

	(void)state;
	assert_int_equal(pthread_getattr_default_np(&usual), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 50), 0);
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	assert_int_equal(tuple_sink_open(&options, &sink, &err), -ERR_IO);
	assert_int_equal(pthread_setattr_default_np(&usual), 0);
	assert_null(sink);
	assert_non_null(strstr(err.message, "raise its limits"));
	pthread_attr_destroy(&huge);
	pthread_attr_destroy(&usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_are_left_out_but_on_request),
		cmocka_unit_test(any_connection_id_is_one_line_of_json),
		cmocka_unit_test(a_sink_that_gets_no_thread_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
