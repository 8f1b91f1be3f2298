#include "net/gcp_credentials.h"

#include "base/limits.h"
#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct fake_server *server;
	int lifetime; /* of what the server hands out, in seconds */
	size_t handed_out;
	bool refuses;
	char file[64], subject[64];
	struct arena mem;
	struct err err;
	struct gcp_credentials *credentials;
};

static bool has(const struct fake_request *request, const char *words)
{
	struct str body = request->body;

	return memmem(body.ptr ? body.ptr : "", body.len, words, strlen(words)) != NULL;
}

static void hand_out(struct fixture *f, struct fake_reply *reply)
{
	char json[128];

	snprintf(json, sizeof(json), "{\"access_token\":\"t%zu\",\"expires_in\":%d}",
		 ++f->handed_out, f->lifetime);
	fake_reply_json(reply, 200, json);
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;

	if (f->refuses)
		fake_reply_json(reply, 400,
				"{\"error\":\"invalid_grant\",\"error_description\":\"not you\"}");
	else if (str_starts(request->head, STR("GET /computeMetadata/v1/instance/")) &&
		 fake_request_has(request, "Metadata-Flavor: Google"))
		hand_out(f, reply);
	else if (str_starts(request->head, STR("GET /subject?x=1 ")) &&
		 fake_request_has(request, "X-Secret: s"))
		fake_reply_json(reply, 200, "{\"id\":\"sub+ject\"}");
	else if (str_starts(request->head, STR("POST /sts ")) &&
		 has(request, "subject_token=sub%2Bject") && has(request, "token-exchange"))
		hand_out(f, reply);
	else if (str_starts(request->head, STR("POST /impersonate ")) &&
		 fake_request_has(request, "Authorization: Bearer t1") && has(request, "scope"))
		fake_reply_json(reply, 200,
				"{\"accessToken\":\"other\","
				"\"expireTime\":\"2999-01-01T00:00:00Z\"}");
	else
		fake_reply_json(reply, 404, "{}");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void write_federation(struct fixture *f, const char *source, bool impersonates)
{
	const char *url = fake_server_url(f->server);
	char text[2048], more[256] = "";

	if (impersonates)
		snprintf(more, sizeof(more),
			 ",\"service_account_impersonation_url\":\"%s/impersonate\"", url);
	snprintf(text, sizeof(text),
		 "{\"type\":\"external_account\",\"audience\":\"//iam/pool\","
		 "\"subject_token_type\":\"urn:jwt\",\"token_url\":\"%s/sts\","
		 "\"credential_source\":%s%s}",
		 url, source, more);
	write_file(f->file, text);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	unsetenv("GCE_METADATA_HOST");
	setenv("no_proxy", "*", 1);
	snprintf(f->file, sizeof(f->file), "/tmp/shardlift-gcp-%d.json", (int)getpid());
	snprintf(f->subject, sizeof(f->subject), "/tmp/shardlift-gcp-%d.token", (int)getpid());
	f->lifetime = 3600;
	f->mem = ARENA_INIT(MIB(1));
	f->server = fake_server_start(handle, f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	gcp_credentials_free(f->credentials);
	fake_server_free(f->server);
	arena_release(&f->mem);
	unlink(f->file);
	unlink(f->subject);
	free(f);
	return 0;
}

static void assert_token(struct fixture *f, const char *expected)
{
	struct str token;

	if (!f->credentials && gcp_credentials_open(f->file, &f->credentials, &f->err) < 0)
		fail_msg("%s", f->err.message);
	if (gcp_credentials_token(f->credentials, &f->mem, &token, &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_string_equal(token.ptr, expected);
}

static void assert_refused(struct fixture *f, const char *words)
{
	struct str token;
	int rc = 0;

	if (!f->credentials)
		rc = gcp_credentials_open(f->file, &f->credentials, &f->err);
	if (rc == 0)
		rc = gcp_credentials_token(f->credentials, &f->mem, &token, &f->err);
	assert_int_equal(rc, -ERR_AUTH);
	if (!strstr(f->err.message, words))
		fail_msg("'%s' does not say '%s'", f->err.message, words);
}

static void use_metadata(struct fixture *f)
{
	setenv("GCE_METADATA_HOST", fake_server_url(f->server) + strlen("http://"), 1);
	assert_int_equal(gcp_credentials_open(NULL, &f->credentials, &f->err), 0);
}

static void a_machines_token_is_kept_until_it_is_refused(void **state)
{
	struct fixture *f = *state;

	use_metadata(f);
	assert_token(f, "t1");
	assert_token(f, "t1");
	gcp_credentials_expire(f->credentials, STR("t0"));
	assert_token(f, "t1");
	gcp_credentials_expire(f->credentials, STR("t1"));
	assert_token(f, "t2");
}

static void a_token_is_fetched_again_ahead_of_its_end(void **state)
{
	struct fixture *f = *state;

	f->lifetime = 120;
	use_metadata(f);
	assert_token(f, "t1");
	assert_token(f, "t2");
	f->refuses = true;
	assert_token(f, "t2");
}

static void a_workload_identity_is_exchanged_for_a_token(void **state)
{
	struct fixture *f = *state;
	char source[128];

	write_file(f->subject, "sub+ject\n");
	snprintf(source, sizeof(source), "{\"file\":\"%s\"}", f->subject);
	write_federation(f, source, false);
	assert_token(f, "t1");
	assert_string_equal(gcp_credentials_origin(f->credentials), "workload identity //iam/pool");
}

static void a_workload_identity_of_a_url_takes_on_a_service_account(void **state)
{
	struct fixture *f = *state;
	char source[512];

	snprintf(source, sizeof(source),
		 "{\"url\":\"%s/subject?x=1\",\"headers\":{\"X-Secret\":\"s\"},"
		 "\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"id\"}}",
		 fake_server_url(f->server));
	write_federation(f, source, true);
	assert_token(f, "other");
	assert_token(f, "other");
}

static void tells_what_is_wrong_with_a_file(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"{", "Google credentials of '"},
		{"{\"type\":\"x\"}", "of the type 'x'"},
		{"{\"type\":\"service_account\"}", "has no 'client_email'"},
		{"{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"k\"}",
		 "no RSA key"},
		{"{\"type\":\"external_account\",\"credential_source\":"
		 "{\"environment_id\":\"aws1\",\"url\":\"x\"}}",
		 "neither a file nor a URL"},
		{"{\"type\":\"external_account\",\"credential_source\":"
		 "{\"file\":\"/nowhere/at/all\"}}",
		 "'/nowhere/at/all' of a token is not there"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str token;

		write_file(f->file, cases[i].text);
		gcp_credentials_free(f->credentials);
		f->credentials = NULL;
		if (gcp_credentials_open(f->file, &f->credentials, &f->err) == 0)
			gcp_credentials_token(f->credentials, &f->mem, &token, &f->err);
		if (!strstr(f->err.message, cases[i].words))
			fail_msg("'%s' does not say '%s'", f->err.message, cases[i].words);
	}
}

static void tells_who_refuses_and_why(void **state)
{
	struct fixture *f = *state;
	char source[128];

	write_file(f->subject, "sub+ject\n");
	snprintf(source, sizeof(source), "{\"file\":\"%s\"}", f->subject);
	write_federation(f, source, false);
	f->refuses = true;
	assert_refused(f, "answers 400, not you");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_machines_token_is_kept_until_it_is_refused),
		TEST(a_token_is_fetched_again_ahead_of_its_end),
		TEST(a_workload_identity_is_exchanged_for_a_token),
		TEST(a_workload_identity_of_a_url_takes_on_a_service_account),
		TEST(tells_what_is_wrong_with_a_file),
		TEST(tells_who_refuses_and_why),
	};

	return cmocka_run_group_tests_name("gcp_credentials", tests, NULL, NULL);
}
