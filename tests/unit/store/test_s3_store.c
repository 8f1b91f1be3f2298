/* Objects that change while they are read. */
#include "fake_server.h"
#include "store/blob_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SIZE 1000

struct fixture {
	struct fake_server *server;
	struct blob_store *store;
	struct bytes_source *source;
	const char *etag;  /* of the object as it is now */
	size_t size, held; /* bytes; requests that were held to an ETag */
	struct err err;
};

/* The first ten bytes of the range, whatever is asked for. */
static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;
	char fields[256], line[64];

	snprintf(line, sizeof(line), "If-Match: %s", f->etag);
	snprintf(fields, sizeof(fields), "ETag: %s\r\nContent-Range: bytes 0-9/%zu\r\n", f->etag,
		 f->size);
	if (memmem(request->head.ptr, request->head.len, "If-Match", 8)) {
		f->held++;
		if (!fake_request_has(request, line)) {
			fake_reply_write(reply, 412, "",
					 STR("<Error><Code>PreconditionFailed"
					     "</Code></Error>"));
			return;
		}
	}
	fake_reply_write(reply, 206, fields, STR("0123456789"));
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct blob_store_options options = {.s3_access_key_id = "a", .s3_secret_access_key = "s"};

	setenv("no_proxy", "*", 1);
	f->etag = "\"first\"";
	f->size = SIZE;
	f->server = fake_server_start(handle, f);
	options.s3_endpoint = fake_server_url(f->server);
	if (blob_store_open_with("s3://bucket/p", &options, &f->store, &f->err) < 0 ||
	    blob_store_source_sized(f->store, STR("x"), SIZE, &f->source, &f->err) < 0)
		fail_msg("%s", f->err.message);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	bytes_source_close(f->source);
	blob_store_close(f->store);
	fake_server_free(f->server);
	free(f);
	return 0;
}

static int read_ten(struct fixture *f)
{
	char bytes[10];

	f->err = (struct err){0};
	return bytes_source_read(f->source, 0, bytes, sizeof(bytes), &f->err);
}

static void assert_says(const struct fixture *f, const char *why)
{
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void every_range_but_the_first_is_held_to_the_first_answer(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(read_ten(f), 0);
	assert_int_equal(f->held, 2);
}

static void an_object_that_was_replaced_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_ten(f), 0);
	f->etag = "\"second\"";
	assert_int_equal(read_ten(f), -ERR_UNREADABLE);
	assert_says(f, "'s3://bucket/p/x' was replaced or deleted while it was read");
}

static void an_object_of_another_size_is_named(void **state)
{
	struct fixture *f = *state;

	f->size = SIZE - 1;
	assert_int_equal(read_ten(f), -ERR_FORMAT);
	assert_says(f, "'x' has 999 bytes and should have 1000");
}

static void an_object_that_was_cut_meanwhile_counts_as_replaced(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_ten(f), 0);
	f->size = SIZE / 2;
	assert_int_equal(read_ten(f), -ERR_UNREADABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_range_but_the_first_is_held_to_the_first_answer),
		TEST(an_object_that_was_replaced_is_named),
		TEST(an_object_of_another_size_is_named),
		TEST(an_object_that_was_cut_meanwhile_counts_as_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
