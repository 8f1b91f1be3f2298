/* Records in an object store, here a stub of S3 with a handful of objects. */
#include "fake_server.h"
#include "traffic/record_source.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>

struct object {
	const char *name;
	struct buf bytes;
	bool broken; /* every GET fails */
};

struct fixture {
	struct fake_server *server;
	struct blob_store_options store;
	struct object objects[8];
	size_t count;
	struct err err;
};

static void list(struct fixture *f, struct fake_reply *reply, struct str head)
{
	cleanup(buf_release) struct buf xml = BUF_INIT(MIB(1));
	const char *at = memmem(head.ptr, head.len, "prefix=", 7);
	struct str prefix = STR("");

	if (at && at[7] != '&' && at[7] != ' ')
		prefix = STR("p/");
	buf_append_str(&xml, STR("<ListBucketResult>"));
	for (size_t i = 0; i < f->count; i++)
		if (str_starts(str_from(f->objects[i].name), prefix))
			buf_printf(&xml, "<Contents><Key>%s</Key><Size>%zu</Size></Contents>",
				   f->objects[i].name, f->objects[i].bytes.len);
	buf_append_str(&xml, STR("<IsTruncated>false</IsTruncated></ListBucketResult>"));
	fake_reply_write(reply, 200, "Content-Type: application/xml\r\n", buf_str(&xml));
}

static void give(const struct object *object, struct fake_reply *reply, struct str head)
{
	const char *at = memmem(head.ptr, head.len, "bytes=", 6);
	size_t from = 0, to = object->bytes.len - 1;
	char fields[128];

	if (at)
		sscanf(at, "bytes=%zu-%zu", &from, &to);
	to = MIN(to, object->bytes.len - 1);
	snprintf(fields, sizeof(fields), "ETag: \"e\"\r\nContent-Range: bytes %zu-%zu/%zu\r\n",
		 from, to, object->bytes.len);
	fake_reply_write(reply, at ? 206 : 200, fields,
			 str_of(object->bytes.ptr + from, to - from + 1));
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;
	struct str line, rest, method, path;

	str_split(request->head, '\r', &line, &rest);
	str_split(line, ' ', &method, &rest);
	str_split(rest, ' ', &path, &rest);
	if (memmem(path.ptr, path.len, "list-type=2", 11)) {
		list(f, reply, path);
		return;
	}
	for (size_t i = 0; i < f->count; i++)
		if (str_ends(path, str_from(f->objects[i].name)) && !f->objects[i].broken) {
			if (!str_is(method, "HEAD")) {
				give(&f->objects[i], reply, request->head);
				return;
			}
			buf_printf(&reply->bytes,
				   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nETag: \"e\"\r\n\r\n",
				   f->objects[i].bytes.len);
			return;
		}
	fake_reply_write(reply, 404, "", STR("<Error><Code>NoSuchKey</Code></Error>"));
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	setenv("no_proxy", "*", 1);
	f->server = fake_server_start(handle, f);
	f->store = (struct blob_store_options){.s3_access_key_id = "a",
					       .s3_secret_access_key = "s",
					       .s3_path_style = true,
					       .s3_endpoint = fake_server_url(f->server),
					       .s3_retry_ms = 1};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	fake_server_free(f->server);
	for (size_t i = 0; i < f->count; i++)
		buf_release(&f->objects[i].bytes);
	free(f);
	return 0;
}

static struct object *put(struct fixture *f, const char *name, struct str bytes)
{
	struct object *object = &f->objects[f->count++];

	object->name = name;
	object->bytes = BUF_INIT(MIB(8));
	buf_append_str(&object->bytes, bytes);
	return object;
}

static void put_lines(struct fixture *f, const char *name, size_t from, size_t count)
{
	cleanup(buf_release) struct buf lines = BUF_INIT(MIB(8));
	char record[32];

	for (size_t i = from; i < from + count; i++) {
		snprintf(record, sizeof(record), "record %zu", i);
		record_line_encode(&lines, STR("key"), str_from(record));
	}
	put(f, name, buf_str(&lines));
}

static void pack(struct object *object)
{
	struct buf packed = BUF_INIT(MIB(8));
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)object->bytes.ptr;
	z.avail_in = (unsigned)object->bytes.len;
	z.next_out = buf_reserve(&packed, deflateBound(&z, z.avail_in));
	z.avail_out = (unsigned)deflateBound(&z, z.avail_in);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed.len = z.total_out;
	deflateEnd(&z);
	buf_release(&object->bytes);
	object->bytes = packed;
}

static struct record_source *source_of(struct fixture *f, const char *uri)
{
	const struct log_source_options options = {.store = &f->store};
	struct record_source *source = NULL;

	if (record_source_open(uri, &options, &source, &f->err) < 0)
		fail_msg("%s", f->err.message);
	return source;
}

static void assert_records(struct record_source *source, size_t from, size_t count)
{
	struct record_item item;
	struct err err = {0};
	char record[32];

	for (size_t i = from; i < from + count; i++) {
		if (record_source_next(source, 0, &item, &err) != RECORD_SOURCE_ITEM)
			fail_msg("record %zu: %s", i, err.message);
		snprintf(record, sizeof(record), "record %zu", i);
		assert_true(str_is(item.bytes, record));
		assert_true(str_is(item.key, "key"));
		assert_int_equal(item.position.offset, i);
	}
}

static void assert_end(struct record_source *source)
{
	struct record_item item;
	struct err err = {0};

	assert_int_equal(record_source_next(source, 0, &item, &err), RECORD_SOURCE_END);
	record_source_close(source);
}

static void objects_below_a_prefix_come_by_name(void **state)
{
	struct fixture *f = *state;
	struct record_source *source;

	put(f, "p/", STR(""));
	put_lines(f, "p/2026/b.gz", 60000, 3);
	pack(&f->objects[1]);
	/* Of more than one range, and packed in two members. */
	put_lines(f, "p/2026/a.gz", 0, 30000);
	pack(&f->objects[2]);
	put_lines(f, "p/x", 30000, 30000);
	pack(&f->objects[3]);
	buf_append_str(&f->objects[2].bytes, buf_str(&f->objects[3].bytes));
	buf_release(&f->objects[--f->count].bytes);
	put_lines(f, "p/2026/c", 60003, 30000);
	source = source_of(f, "s3://bucket/p");
	assert_records(source, 0, 90003);
	assert_end(source);
}

static void one_object_may_be_named(void **state)
{
	struct fixture *f = *state;
	struct record_source *source;

	put_lines(f, "p/a", 0, 3);
	put_lines(f, "p/b", 3, 3);
	source = source_of(f, "s3://bucket/p/a");
	assert_records(source, 0, 3);
	assert_end(source);
}

static void protocaps_come_by_connection_and_number(void **state)
{
	static const char *const names[] = {"p/b_1.protocap", "p/a_10.protocap", "p/a_9.protocap"};
	static const char *const expected[] = {"\x01 9", "\x01 10", "\x01 1"};
	struct fixture *f = *state;
	struct record_source *source;
	struct record_item item;

	put(f, names[0], STR("\x01 1"));
	put(f, names[1], STR("\x01 10"));
	put(f, names[2], STR("\x01 9"));
	source = source_of(f, "s3://bucket/p/");
	for (uint64_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(record_source_next(source, 0, &item, &f->err), RECORD_SOURCE_ITEM);
		assert_true(str_is(item.bytes, expected[i]));
		assert_int_equal(item.position.offset, i);
	}
	assert_end(source);
}

static void what_cannot_be_unpacked_is_told_once_and_passed_over(void **state)
{
	struct fixture *f = *state;
	struct record_source *source;
	struct record_item item;

	put_lines(f, "p/a.gz", 0, 1000);
	pack(&f->objects[0]);
	f->objects[0].bytes.len /= 2;
	put_lines(f, "p/b", 0, 2);
	source = source_of(f, "s3://bucket/p");
	for (;;) {
		int got = record_source_next(source, 0, &item, &f->err);

		if (got < 0)
			break;
		assert_int_equal(got, RECORD_SOURCE_ITEM);
	}
	assert_int_equal(f->err.kind, ERR_FORMAT);
	assert_int_not_equal(item.position.offset, RECORD_NOWHERE);
	assert_non_null(strstr(f->err.message, "truncated"));
	assert_int_equal(record_source_next(source, 0, &item, &f->err), RECORD_SOURCE_ITEM);
	assert_true(str_is(item.bytes, "record 0"));
	assert_int_equal(record_source_next(source, 0, &item, &f->err), RECORD_SOURCE_ITEM);
	assert_end(source);
}

static void half_a_protocap_is_no_record(void **state)
{
	struct fixture *f = *state;
	struct record_source *source;
	struct record_item item;
	struct buf *bytes;

	bytes = &put(f, "p/a_1.protocap", STR("\x01"))->bytes;
	for (int i = 0; i < 100000; i++)
		buf_printf(bytes, "%d,", i);
	pack(&f->objects[0]);
	bytes->len /= 2;
	put(f, "p/b_1.protocap", STR("\x01 1"));
	source = source_of(f, "s3://bucket/p/");
	assert_int_equal(record_source_next(source, 0, &item, &f->err), -ERR_FORMAT);
	assert_int_equal(item.position.offset, 0);
	assert_int_equal(record_source_next(source, 0, &item, &f->err), RECORD_SOURCE_ITEM);
	assert_true(str_is(item.bytes, "\x01 1"));
	assert_int_equal(item.position.offset, 1);
	assert_end(source);
}

static void an_object_that_cannot_be_read_ends_it(void **state)
{
	struct fixture *f = *state;
	struct record_source *source;
	struct record_item item;

	put_lines(f, "p/a", 0, 1);
	put_lines(f, "p/b", 1, 1);
	f->objects[1].broken = true;
	source = source_of(f, "s3://bucket/p");
	assert_records(source, 0, 1);
	assert_true(record_source_next(source, 0, &item, &f->err) < 0);
	assert_int_equal(item.position.offset, RECORD_NOWHERE);
	record_source_close(source);
}

static void a_group_and_an_empty_place_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct log_source_options group = {.store = &f->store, .group = "g"};
	struct record_source *source = NULL;

	assert_int_equal(record_source_open("s3://bucket/p", &group, &source, &f->err),
			 -ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.message, "nothing at 's3://bucket/p'"));
	put_lines(f, "p/a", 0, 1);
	assert_int_equal(record_source_open("s3://bucket/p", &group, &source, &f->err), -ERR_USAGE);
	assert_non_null(strstr(f->err.message, "traffic import"));
	assert_null(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects_below_a_prefix_come_by_name),
		TEST(one_object_may_be_named),
		TEST(protocaps_come_by_connection_and_number),
		TEST(what_cannot_be_unpacked_is_told_once_and_passed_over),
		TEST(half_a_protocap_is_no_record),
		TEST(an_object_that_cannot_be_read_ends_it),
		TEST(a_group_and_an_empty_place_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
