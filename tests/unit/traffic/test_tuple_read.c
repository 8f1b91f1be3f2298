#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "traffic/tuple_read.h"

static struct arena mem = ARENA_INIT(MIB(64));

static struct tuple parsed(const char *line)
{
	struct tuple tuple;
	struct err err = {0};

	arena_reset(&mem);
	if (tuple_parse(str_from(line), &mem, &tuple, &err) < 0)
		fail_msg("%s", err.message);
	return tuple;
}

static void assert_json(const struct json *value, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	assert_non_null(value);
	json_write(&text, value);
	assert_string_equal(buf_cstr(&text), expected);
}

static struct tuple with_payload(const char *payload)
{
	static char line[1024];

	snprintf(line, sizeof(line),
		 "{\"sourceRequest\":{},\"sourceResponse\":{\"Status-Code\":200,%s}}", payload);
	return parsed(line);
}

static void what_is_asked_and_answered_is_read(void **state)
{
	struct tuple t = parsed(
		"{\"sourceRequest\":{\"Host\":[\"x\"],\"Request-URI\":\"/a\",\"Method\":\"GET\"},"
		"\"sourceResponse\":{\"Status-Code\":404,\"response_time_ms\":2.5},"
		"\"targetRequest\":{},\"targetResponses\":[{\"Status-Code\":429},"
		"{\"Status-Code\":200,\"response_time_ms\":7,\"first_byte_ms\":1.234,\"last_byte_"
		"ms\":5}],\"connectionId\":\"c.4\","
		"\"error\":\"slow\",\"numRequests\":2,\"numErrors\":1}");

	(void)state;
	assert_true(str_is(t.source_request.method, "GET"));
	assert_true(str_is(t.source_request.uri, "/a"));
	assert_int_equal(t.source_response.status, 404);
	assert_int_equal(t.source_response.response_us, 2500);
	assert_int_equal(t.target_response_count, 2);
	assert_int_equal(tuple_target_response(&t)->status, 200);
	assert_int_equal(tuple_target_response(&t)->response_us, 7000);
	assert_false(t.source_response.has_spans);
	assert_true(tuple_target_response(&t)->has_spans);
	assert_int_equal(tuple_target_response(&t)->first_us, 1234);
	assert_int_equal(tuple_target_response(&t)->last_us, 5000);
	assert_true(str_is(t.connection_id, "c.4"));
	assert_true(str_is(t.error, "slow"));
	assert_int_equal(t.requests, 2);
	assert_int_equal(t.errors, 1);
}

static void missing_parts_are_none(void **state)
{
	struct tuple t = parsed("{\"sourceRequest\":{\"Exception\":\"no HTTP\"}}");

	(void)state;
	assert_true(str_is(t.source_request.exception, "no HTTP"));
	assert_null(t.source_response.object);
	assert_null(tuple_target_response(&t));
	assert_int_equal(t.source_response.response_us, -1);
	t = parsed("{\"sourceRequest\":{},\"targetResponses\":[{\"Exception\":\"reset\"}]}");
	assert_null(tuple_target_response(&t));
}

static void bodies_of_every_form_are_read(void **state)
{
	struct tuple t = with_payload("\"payload\":{\"inlinedJsonBody\":{\"a\":1}}");

	(void)state;
	assert_json(t.source_response.json, "{\"a\":1}");
	t = with_payload("\"payload\":{\"inlinedJsonSequenceBodies\":[{\"a\":1},{}]}");
	assert_json(t.source_response.json, "[{\"a\":1},{}]");
	assert_true(t.source_response.lines);
	t = with_payload("\"payload\":{\"inlinedTextBody\":\"green\"}");
	assert_int_equal(t.source_response.body, TUPLE_BODY_BYTES);
	assert_true(str_is(t.source_response.bytes, "green"));
	t = with_payload("\"payload\":{\"inlinedTextBody\":\"\"}");
	assert_int_equal(t.source_response.body, TUPLE_BODY_NONE);
	/* The Java tool: an integer too large for it makes text of the whole body. */
	t = with_payload("\"payload\":{\"inlinedTextBody\":\"{\\\"a\\\":18446744073709551616}\"}");
	assert_json(t.source_response.json, "{\"a\":18446744073709551616}");
	t = with_payload("\"payload\":{\"inlinedBase64Body\":\"AAE=\"}");
	assert_int_equal(t.source_response.bytes.len, 2);
	/* The older form. */
	t = with_payload("\"body\":\"eyJhIjoxfQ==\"");
	assert_json(t.source_response.json, "{\"a\":1}");
	t = with_payload("\"body\":\"eyJhIjoxfQp7ImIiOjJ9Cg==\"");
	assert_json(t.source_response.json, "[{\"a\":1},{\"b\":2}]");
	assert_true(t.source_response.lines);
}

static void what_is_no_tuple_is_refused(void **state)
{
	static const char *const lines[] = {"",     "[]",
					    "{}",   "{\"sourceRequest\":",
					    "null", "{\"sourceRequest\":{\"body\":\"?\"}}"};
	struct tuple tuple;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		arena_reset(&mem);
		assert_int_equal(tuple_parse(str_from(lines[i]), &mem, &tuple, &err), -ERR_FORMAT);
	}
}

static void write_file(const char *path, const char *text, bool compressed)
{
	gzFile file = gzopen(path, compressed ? "wb" : "wbT");

	assert_non_null(file);
	assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), (int)strlen(text));
	assert_int_equal(gzclose(file), Z_OK);
}

static void files_are_read_one_after_another(void **state)
{
	char folder[] = "/tmp/tuples.XXXXXX", first[64], second[64];
	const char *paths[] = {folder};
	struct tuple_reader *reader = NULL;
	struct tuple tuple;
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(first, sizeof(first), "%s/a.log.gz", folder);
	snprintf(second, sizeof(second), "%s/b.log", folder);
	write_file(first, "{\"sourceRequest\":{},\"connectionId\":\"1\"}\n\n{\n", true);
	write_file(second, "{\"sourceRequest\":{},\"connectionId\":\"2\"}", false);
	assert_int_equal(tuple_reader_open(paths, 1, &reader, &err), 0);
	assert_int_equal(tuple_reader_files(reader), 2);
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_TUPLE);
	assert_true(str_is(tuple.connection_id, "1"));
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_DAMAGED);
	assert_non_null(strstr(err.message, "a.log.gz' line 3 is no tuple"));
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_TUPLE);
	assert_true(str_is(tuple.connection_id, "2"));
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_END);
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_END);
	tuple_reader_close(reader);
	unlink(first);
	unlink(second);
	assert_int_equal(tuple_reader_open(paths, 1, &reader, &err), -ERR_NOT_FOUND);
	rmdir(folder);
}

/* A line beyond the limit is damage, and the one after it is read. */
static void a_line_that_is_too_long_is_passed_over(void **state)
{
	char path[] = "/tmp/tuples.XXXXXX", spaces[4096];
	const char *paths[] = {path};
	struct tuple_reader *reader = NULL;
	int fd = mkstemp(path);
	gzFile file = gzdopen(fd, "wb1");
	struct tuple tuple;
	struct err err = {0};

	(void)state;
	memset(spaces, 'x', sizeof(spaces));
	for (size_t written = 0; written < TUPLE_LINE_MAX + MIB(1); written += sizeof(spaces))
		gzwrite(file, spaces, sizeof(spaces));
	gzputs(file, "\n{\"sourceRequest\":{},\"connectionId\":\"2\"}\n");
	gzclose(file);
	assert_int_equal(tuple_reader_open(paths, 1, &reader, &err), 0);
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_DAMAGED);
	assert_non_null(strstr(err.message, "line 1 is no tuple: longer than"));
	assert_int_equal(tuple_reader_next(reader, &mem, &tuple, &err), TUPLE_READ_TUPLE);
	assert_true(str_is(tuple.connection_id, "2"));
	tuple_reader_close(reader);
	unlink(path);
}

static int release(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_and_answered_is_read),
		cmocka_unit_test(missing_parts_are_none),
		cmocka_unit_test(bodies_of_every_form_are_read),
		cmocka_unit_test(what_is_no_tuple_is_refused),
		cmocka_unit_test(files_are_read_one_after_another),
		cmocka_unit_test(a_line_that_is_too_long_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
