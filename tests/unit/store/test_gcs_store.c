#include "cloud_fixture.h"

#define OBJECTS "/storage/v1/b/bucket/o"

static void answer_list(const struct fake_request *request, struct fake_reply *reply)
{
	if (memmem(request->head.ptr, request->head.len, "&pageToken=t%2B1", 16))
		fake_reply_json(reply, 200,
				"{\"items\":[{\"name\":\"team/sub/a&b\",\"size\":\"2\"}]}");
	else
		fake_reply_json(reply, 200,
				"{\"items\":[{\"name\":\"team/sub/z\",\"size\":\"9\"},"
				"{\"name\":\"team/sub/\",\"size\":\"0\"},"
				"{\"name\":\"team/sub/x/y\",\"size\":\"1\"}],"
				"\"nextPageToken\":\"t+1\"}");
}

static void answer_object(struct cloud_fixture *f, const struct fake_request *request,
			  struct fake_reply *reply)
{
	const char *match = memmem(request->head.ptr, request->head.len, "ifGenerationMatch=", 18);
	char tag[64];

	snprintf(tag, sizeof(tag), "x-goog-generation: %u", f->generation);
	if (match && strtoul(match + 18, NULL, 10) != f->generation)
		fake_reply_write(reply, 412, "", STR("Precondition Failed"));
	else
		answer_range(f, request, tag, reply);
}

/* Of the first chunk only a part is kept, and the client must go on from there. */
static void answer_chunk(struct cloud_fixture *f, const struct fake_request *request,
			 struct fake_reply *reply)
{
	const char *range =
		memmem(request->head.ptr, request->head.len, "Content-Range: bytes ", 21);
	size_t kept = f->calls++ == 0 ? KIB(256) : request->body.len;
	char fields[64];

	assert_non_null(range);
	assert_int_equal(strtoul(range + 21, NULL, 10), f->stored.len);
	buf_append(&f->stored, request->body.ptr, kept);
	snprintf(fields, sizeof(fields), "Range: bytes=0-%zu\r\n", f->stored.len - 1);
	fake_reply_write(reply, f->stored.len < UPLOAD_SIZE ? 308 : 200, fields, STR(""));
}

static void answer(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	static const char start[] = "POST /upload" OBJECTS "?uploadType=resumable&name=team%2Fnew ";
	static const char media[] = "POST /upload" OBJECTS "?uploadType=media&name=team%2Fnew ";
	struct cloud_fixture *f = user;

	note_head(f, request);
	if (f->failures > 0 && f->failures--)
		fake_reply_json(reply, 503, "{\"error\":{\"message\":\"Backend Error\"}}");
	else if (str_starts(request->head, STR("GET " OBJECTS "?")))
		answer_list(request, reply);
	else if (str_starts(request->head, STR("GET " OBJECTS "/team%2Fb?alt=media")))
		answer_object(f, request, reply);
	else if (str_starts(request->head, str_from(start)))
		fake_reply_write(reply, 200,
				 "Location: http://elsewhere:80/upload" OBJECTS "?upload_id=7\r\n",
				 STR(""));
	else if (str_starts(request->head, STR("PUT /upload" OBJECTS "?upload_id=7 ")))
		answer_chunk(f, request, reply);
	else if (str_starts(request->head, str_from(media)) && request->body.len > 0)
		buf_append_str(&f->stored, request->body), fake_reply_json(reply, 200, "{}");
	else if (memmem(request->head.ptr, request->head.len, "/b/nobucket/", 12))
		fake_reply_json(reply, 404,
				"{\"error\":{\"message\":\"The specified bucket does not "
				"exist.\"}}");
	else if (memmem(request->head.ptr, request->head.len, "/b/denied/", 10))
		fake_reply_json(reply, 403, "{\"error\":{\"message\":\"x may not.\"}}");
	else
		fake_reply_write(reply, 404, "", STR("No such object: bucket/team/nope"));
}

static int set_up(void **state)
{
	struct cloud_fixture *f = new_fixture(answer);

	f->options.gcs_endpoint = fake_server_url(f->server);
	*state = f;
	must(f, blob_store_open_with("gs://bucket/team/", &f->options, &f->store, &f->err));
	return 0;
}

static void asks_for_the_generation_that_was_opened(void **state)
{
	struct cloud_fixture *f = *state;
	struct str bytes;

	must(f, blob_store_read(f->store, STR("b"), &f->mem, MIB(16), &bytes, &f->err));
	assert_non_null(strstr(f->seen, "?alt=media&ifGenerationMatch=1 "));
	assert_null(strstr(f->seen, "Authorization"));
}

static void an_emulator_is_found_by_its_variable(void **state)
{
	cleanup(blob_store_closep) struct blob_store *store = NULL;
	struct cloud_fixture *f = *state;
	struct str bytes;

	setenv("STORAGE_EMULATOR_HOST", fake_server_url(f->server) + strlen("http://"), 1);
	must(f, blob_store_open("gcs://bucket/team", &store, &f->err));
	must(f, blob_store_read(store, STR("b"), &f->mem, MIB(16), &bytes, &f->err));
}

static void tells_a_missing_bucket_and_permission(void **state)
{
	struct cloud_fixture *f = *state;
	static const struct {
		const char *uri, *words;
		int kind;
	} cases[] = {
		{"gs://nobucket/x", "there is no such bucket", ERR_NOT_FOUND},
		{"gs://denied/x", "x may not; allow it storage.objects.get", ERR_AUTH},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(blob_store_closep) struct blob_store *store = NULL;
		cleanup(bytes_source_closep) struct bytes_source *source = NULL;

		must(f, blob_store_open_with(cases[i].uri, &f->options, &store, &f->err));
		must_say(f, blob_store_source(store, STR("b"), &source, &f->err), cases[i].kind,
			 cases[i].words);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, free_fixture)
	const struct CMUnitTest tests[] = {
		TEST(reads_whole_objects_by_ranges),
		TEST(tries_again_where_the_server_is_busy),
		TEST(tells_what_was_replaced_while_it_was_read),
		TEST(tells_an_object_of_another_size_and_one_that_is_missing),
		TEST(lists_all_pages_of_a_folder_and_no_others),
		TEST(puts_small_blobs_with_one_request),
		TEST(puts_large_blobs_in_parts),
		TEST(asks_for_the_generation_that_was_opened),
		TEST(an_emulator_is_found_by_its_variable),
		TEST(tells_a_missing_bucket_and_permission),
	};

	return cmocka_run_group_tests_name("gcs_store", tests, NULL, NULL);
}
