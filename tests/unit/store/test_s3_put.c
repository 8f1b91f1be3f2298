#include "fake_server.h"
#include "store/s3_put.h"
#include "store/s3_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LARGE (2 * S3_PART_BYTES + 12345)

/* An S3 server with one object, and what it does wrong. */
struct fixture {
	struct fake_server *server;
	struct blob_store *store;
	struct buf object, parts; /* whole; of the upload under way */
	size_t puts, begun, sent, completed, aborted;
	size_t fail_puts;     /* of these, the first are answered 503 */
	size_t fail_part;     /* this one is answered 403; 0: none */
	size_t errors_in_200; /* answers to the end of an upload */
	bool passing;         /* these may pass */
	bool loses_end;       /* completes, and cuts the connection; once */
	bool knows_no_upload; /* always */
	bool forgets_etags, no_abort;
	char *bytes; /* LARGE of them */
};

static bool is(const struct fake_request *request, const char *text)
{
	return memmem(request->head.ptr, request->head.len, text, strlen(text)) != NULL;
}

static void refuse(struct fake_reply *reply, int status, const char *code)
{
	char body[256];

	snprintf(body, sizeof(body), "<Error><Code>%s</Code></Error>", code);
	fake_reply_write(reply, status, "", str_from(body));
}

static void take_part(struct fixture *f, const struct fake_request *request,
		      struct fake_reply *reply)
{
	char etag[64];

	f->sent++;
	if (f->sent == f->fail_part) {
		refuse(reply, 403, "AccessDenied");
		return;
	}
	buf_append_str(&f->parts, request->body);
	snprintf(etag, sizeof(etag), "ETag: \"part&%zu\"\r\n", f->sent);
	fake_reply_write(reply, 200, f->forgets_etags ? "" : etag, STR_NONE);
}

static void take_end(struct fixture *f, const struct fake_request *request,
		     struct fake_reply *reply)
{
	f->completed++;
	if (f->knows_no_upload || f->parts.len == 0) {
		refuse(reply, 404, "NoSuchUpload");
		return;
	}
	if (f->errors_in_200 > 0) {
		f->errors_in_200--;
		refuse(reply, 200, f->passing ? "InternalError" : "InvalidPart");
		return;
	}
	assert_non_null(memmem(request->body.ptr, request->body.len,
			       "<PartNumber>3</PartNumber><ETag>\"part&#38;", 42));
	buf_reset(&f->object);
	buf_append_str(&f->object, buf_str(&f->parts));
	buf_reset(&f->parts);
	fake_reply_write(reply, 200, "", STR("<R><ETag>\"whole-3\"</ETag></R>"));
	if (f->loses_end) {
		buf_reset(&reply->bytes);
		reply->end = FAKE_RESET;
	}
	f->loses_end = false;
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;

	if (is(request, "POST /bucket/p/a%20b?uploads= ")) {
		f->begun++;
		buf_reset(&f->parts);
		fake_reply_write(reply, 200, "", STR("<R><UploadId>u/1&amp;</UploadId></R>"));
	} else if (is(request, "uploadId=u%2F1%26 ") && is(request, "PUT ")) {
		take_part(f, request, reply);
	} else if (is(request, "?uploadId=u%2F1%26 ") && is(request, "POST ")) {
		take_end(f, request, reply);
	} else if (is(request, "?uploadId=u%2F1%26 ") && is(request, "DELETE ")) {
		f->aborted++;
		refuse(reply, f->no_abort ? 403 : 204, "AccessDenied");
	} else if (f->puts++ < f->fail_puts) {
		refuse(reply, 503, "SlowDown");
	} else {
		assert_true(is(request, "PUT /bucket/p/a%20b "));
		buf_reset(&f->object);
		buf_append_str(&f->object, request->body);
		fake_reply_write(reply, 200, "ETag: \"e\"\r\n", STR_NONE);
	}
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct blob_store_options options = {
		.s3_access_key_id = "a", .s3_secret_access_key = "s", .s3_retry_ms = 60 * 1000};
	struct err err = {0};

	setenv("no_proxy", "*", 1);
	f->object = f->parts = BUF_INIT(MIB(64));
	f->bytes = mem_alloc(LARGE);
	for (size_t i = 0; i < LARGE; i++)
		f->bytes[i] = (char)(i ^ i >> 8 ^ i >> 16);
	f->server = fake_server_start(handle, f);
	options.s3_endpoint = fake_server_url(f->server);
	if (blob_store_open_with("s3://bucket/p", &options, &f->store, &err) < 0)
		fail_msg("%s", err.message);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	blob_store_close(f->store);
	fake_server_free(f->server);
	buf_release(&f->object);
	buf_release(&f->parts);
	free(f->bytes);
	free(f);
	return 0;
}

static void assert_puts(struct fixture *f, size_t len)
{
	struct err err = {0};

	if (blob_store_put(f->store, STR("a b"), str_of(f->bytes, len), &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(f->object.len, len);
	if (len > 0)
		assert_memory_equal(f->object.ptr, f->bytes, len);
}

static void assert_fails(struct fixture *f, size_t len, int kind, const char *why)
{
	struct err err = {0};

	assert_int_equal(blob_store_put(f->store, STR("a b"), str_of(f->bytes, len), &err), -kind);
	if (!strstr(err.message, why))
		fail_msg("'%s' does not say '%s'", err.message, why);
}

static void a_small_object_goes_up_in_one_request(void **state)
{
	struct fixture *f = *state;

	assert_puts(f, 1000);
	assert_int_equal(fake_server_requests(f->server), 1);
}

static void an_empty_object_is_one(void **state)
{
	assert_puts(*state, 0);
}

static void a_busy_server_is_asked_again(void **state)
{
	struct fixture *f = *state;

	f->fail_puts = 2;
	assert_puts(f, S3_PART_BYTES);
	assert_int_equal(f->puts, 3);
}

static void a_large_object_goes_up_in_parts(void **state)
{
	struct fixture *f = *state;

	assert_puts(f, LARGE);
	assert_int_equal(f->puts, 0);
	assert_int_equal(f->begun, 1);
	assert_int_equal(f->sent, 3);
	assert_int_equal(f->aborted, 0);
}

static void an_error_in_an_answer_of_200_is_one(void **state)
{
	struct fixture *f = *state;

	f->errors_in_200 = 1;
	assert_fails(f, LARGE, ERR_HTTP, "InvalidPart");
	assert_int_equal(f->completed, 1);
	assert_int_equal(f->aborted, 1);
}

static void a_passing_error_in_an_answer_of_200_is_asked_again(void **state)
{
	struct fixture *f = *state;

	f->errors_in_200 = 2;
	f->passing = true;
	assert_puts(f, LARGE);
	assert_int_equal(f->completed, 3);
	assert_int_equal(f->begun, 1);
}

static void an_end_whose_answer_was_lost_is_made_sure_of(void **state)
{
	struct fixture *f = *state;

	f->loses_end = true;
	assert_puts(f, LARGE);
	assert_int_equal(f->begun, 2);
}

static void uploads_that_are_forgotten_are_begun_a_bounded_number_of_times(void **state)
{
	struct fixture *f = *state;

	f->knows_no_upload = true;
	assert_fails(f, LARGE, ERR_HTTP, "forgets uploads");
	assert_int_equal(f->begun, 2);
}

static void an_upload_that_fails_is_aborted(void **state)
{
	struct fixture *f = *state;

	f->fail_part = 2;
	assert_fails(f, LARGE, ERR_AUTH, "s3:PutObject");
	assert_int_equal(f->aborted, 1);
	assert_int_equal(f->object.len, 0);
}

static void parts_that_are_left_behind_are_told(void **state)
{
	struct fixture *f = *state;

	f->fail_part = 2;
	f->no_abort = true;
	assert_fails(f, LARGE, ERR_AUTH, "upload u%2F1%26 was left behind");
}

static void a_part_without_an_etag_ends_the_upload(void **state)
{
	struct fixture *f = *state;

	f->forgets_etags = true;
	assert_fails(f, LARGE, ERR_HTTP, "without an ETag");
	assert_int_equal(f->aborted, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_object_goes_up_in_one_request),
		TEST(an_empty_object_is_one),
		TEST(a_busy_server_is_asked_again),
		TEST(a_large_object_goes_up_in_parts),
		TEST(an_error_in_an_answer_of_200_is_one),
		TEST(a_passing_error_in_an_answer_of_200_is_asked_again),
		TEST(an_end_whose_answer_was_lost_is_made_sure_of),
		TEST(uploads_that_are_forgotten_are_begun_a_bounded_number_of_times),
		TEST(an_upload_that_fails_is_aborted),
		TEST(parts_that_are_left_behind_are_told),
		TEST(a_part_without_an_etag_ends_the_upload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
