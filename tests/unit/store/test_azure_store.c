#include "cloud_fixture.h"

#define ROOT "<?xml version=\"1.0\"?><EnumerationResults ContainerName=\"box\"><Blobs>"
#define BLOB(name, size)                                                                   \
	"<Blob><Name>" name "</Name><Properties><Content-Length>" size "</Content-Length>" \
	"</Properties></Blob>"

static void answer_list(const struct fake_request *request, struct fake_reply *reply)
{
	if (memmem(request->head.ptr, request->head.len, "&marker=m%2B1", 13))
		fake_reply_write(reply, 200, "",
				 STR(ROOT BLOB("team/sub/a&amp;b", "2") "</Blobs><NextMarker />"
									"</EnumerationResults>"));
	else
		fake_reply_write(reply, 200, "",
				 STR(ROOT BLOB("team/sub/z", "9") BLOB("team/sub/", "0") BLOB(
					 "team/sub/x/y", "1") "<BlobPrefix><Name>team/sub/x/</Name>"
							      "</BlobPrefix></Blobs><NextMarker>"
							      "m+1</NextMarker>"
							      "</EnumerationResults>"));
}

static void answer_object(struct cloud_fixture *f, const struct fake_request *request,
			  struct fake_reply *reply)
{
	const char *match = memmem(request->head.ptr, request->head.len, "If-Match: \"", 11);
	char tag[64];

	snprintf(tag, sizeof(tag), "ETag: \"%u\"", f->generation);
	if (match && strtoul(match + 11, NULL, 10) != f->generation)
		fake_reply_write(reply, 412, "x-ms-error-code: ConditionNotMet\r\n", STR(""));
	else
		answer_range(f, request, tag, reply);
}

/* Blocks come in order, and are a blob once they are listed. */
static void answer_put(struct cloud_fixture *f, const struct fake_request *request,
		       struct fake_reply *reply)
{
	struct str rest = request->body, block;
	size_t listed = 0;

	if (memmem(request->head.ptr, request->head.len, "comp=blocklist", 14)) {
		while (str_split(rest, '>', &block, &rest))
			if (str_ends(block, STR("</Latest")))
				listed++;
		assert_int_equal(listed, f->calls);
	} else {
		f->calls++;
		buf_append_str(&f->stored, request->body);
	}
	fake_reply_write(reply, 201, "", STR(""));
}

static void refuse(int status, const char *code, struct fake_reply *reply)
{
	char fields[128];

	snprintf(fields, sizeof(fields), "x-ms-error-code: %s\r\n", code);
	fake_reply_write(reply, status, fields, STR(""));
}

static bool is_let_in(const struct fake_request *request)
{
	static const char *const ways[] = {"Authorization: SharedKey dev:", "&sig=s%2Bg ",
					   "?sv=1&sig=s%2Bg ", "Authorization: Bearer t0k3n"};

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (memmem(request->head.ptr, request->head.len, ways[i], strlen(ways[i])))
			return true;
	return false;
}

static void answer(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct cloud_fixture *f = user;

	note_head(f, request);
	if (f->failures > 0 && f->failures--)
		refuse(503, "ServerBusy", reply);
	else if (str_starts(request->head, STR("GET /metadata/identity/oauth2/token?")))
		fake_reply_json(reply, 200,
				"{\"access_token\":\"t0k3n\",\"expires_in\":\"86399\"}");
	else if (!is_let_in(request))
		refuse(401, "NoAuthenticationInformation", reply);
	else if (str_starts(request->head, STR("GET /dev/box?restype=container&comp=list&")))
		answer_list(request, reply);
	else if (str_starts(request->head, STR("GET /dev/box/team/b")))
		answer_object(f, request, reply);
	else if (str_starts(request->head, STR("PUT /dev/box/team/new")))
		answer_put(f, request, reply);
	else if (str_starts(request->head, STR("GET /dev/nobox/")))
		refuse(404, "ContainerNotFound", reply);
	else if (str_starts(request->head, STR("GET /dev/denied/")))
		refuse(403, "AuthorizationPermissionMismatch", reply);
	else if (str_starts(request->head, STR("GET /dev/wrong/")))
		refuse(403, "AuthenticationFailed", reply);
	else
		refuse(404, "BlobNotFound", reply);
}

static int set_up(void **state)
{
	struct cloud_fixture *f = new_fixture(answer);
	char endpoint[128];

	snprintf(endpoint, sizeof(endpoint), "%s/dev/", fake_server_url(f->server));
	*state = f;
	f->options.azure_endpoint = arena_str(&f->mem, str_from(endpoint)).ptr;
	f->options.azure_account_key = "a2V5";
	must(f, blob_store_open_with("azure://dev/box/team/", &f->options, &f->store, &f->err));
	return 0;
}

static void reads_by(struct cloud_fixture *f)
{
	cleanup(blob_store_closep) struct blob_store *store = NULL;
	struct blob_listing listing;
	struct str bytes;

	must(f, blob_store_open_with("az://dev/box/team", &f->options, &store, &f->err));
	must(f, blob_store_list(store, STR("sub"), &f->mem, &listing, &f->err));
	must(f, blob_store_read(store, STR("b"), &f->mem, MIB(16), &bytes, &f->err));
}

static void a_shared_access_signature_goes_into_the_query(void **state)
{
	struct cloud_fixture *f = *state;

	f->options.azure_account_key = NULL;
	f->options.azure_sas = "?sv=1&sig=s%2Bg";
	reads_by(f);
	assert_null(strstr(f->seen, "Authorization"));
}

static void a_managed_identity_is_asked_for_one_token(void **state)
{
	struct cloud_fixture *f = *state;
	char *first;

	f->options.azure_account_key = NULL;
	setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_server_url(f->server), 1);
	reads_by(f);
	first = strstr(f->seen, "GET /metadata/identity");
	assert_non_null(first);
	assert_non_null(strstr(first, "Metadata: true"));
	assert_null(strstr(first + 1, "GET /metadata/identity"));
}

static void tells_what_is_refused(void **state)
{
	struct cloud_fixture *f = *state;
	static const struct {
		const char *uri, *words;
		int kind;
	} cases[] = {
		{"azure://dev/nobox/x", "there is no such container", ERR_NOT_FOUND},
		{"azure://dev/denied/x", "the role Storage Blob Data Reader", ERR_AUTH},
		{"azure://dev/wrong/x", "the key of account 'dev' is wrong", ERR_AUTH},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(blob_store_closep) struct blob_store *store = NULL;
		cleanup(bytes_source_closep) struct bytes_source *source = NULL;

		must(f, blob_store_open_with(cases[i].uri, &f->options, &store, &f->err));
		must_say(f, blob_store_source(store, STR("b"), &source, &f->err), cases[i].kind,
			 cases[i].words);
	}
}

static void keys_and_connection_strings_that_cannot_be_are_told(void **state)
{
	struct cloud_fixture *f = *state;
	struct blob_store *store;

	f->options.azure_account_key = "!";
	must_say(f, blob_store_open_with("az://dev/box", &f->options, &store, &f->err), ERR_USAGE,
		 "is no base64");
	f->options.azure_account_key = NULL;
	setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=a2V5", 1);
	must_say(f, blob_store_open_with("az://dev/box", &f->options, &store, &f->err), ERR_USAGE,
		 "is of account 'other', and the URI names 'dev'");
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
		TEST(a_shared_access_signature_goes_into_the_query),
		TEST(a_managed_identity_is_asked_for_one_token),
		TEST(tells_what_is_refused),
		TEST(keys_and_connection_strings_that_cannot_be_are_told),
	};

	return cmocka_run_group_tests_name("azure_store", tests, NULL, NULL);
}
