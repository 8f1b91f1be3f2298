#include "net/aws_credentials.h"

#include "base/clock.h"
#include "base/limits.h"
#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define HOUR_MS (60 * 60 * 1000)

/* The variables that lead to credentials; a test begins without any. */
static const char *const variables[] = {
	"AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"AWS_PROFILE",
	"AWS_REGION",
	"AWS_DEFAULT_REGION",
	"AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_ROLE_ARN",
	"AWS_ROLE_SESSION_NAME",
	"AWS_ENDPOINT_URL_STS",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_EC2_METADATA_SERVICE_ENDPOINT",
};

struct fixture {
	struct fake_server *server;
	int64_t lifetime_ms; /* of what the server hands out */
	size_t handed_out;
	bool refuses;
	char file[64]; /* a profile's or a token's */
	struct arena mem;
	struct err err;
	struct aws_credentials *credentials;
};

static void hand_out(struct fixture *f, struct fake_reply *reply)
{
	char json[512], date[25];

	clock_format_utc(clock_wall_ms() + f->lifetime_ms, date);
	snprintf(json, sizeof(json),
		 "{\"AccessKeyId\":\"AK%zu\",\"SecretAccessKey\":\"secret\",\"Token\":\"token\","
		 "\"Expiration\":\"%s\"}",
		 ++f->handed_out, date);
	fake_reply_json(reply, 200, json);
}

static void answer_sts(struct fixture *f, const struct fake_request *request,
		       struct fake_reply *reply)
{
	bool right = memmem(request->body.ptr, request->body.len,
			    "Action=AssumeRoleWithWebIdentity", 32) &&
		     memmem(request->body.ptr, request->body.len,
			    "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr", 40) &&
		     memmem(request->body.ptr, request->body.len, "WebIdentityToken=j.w%2Bt", 24);

	f->handed_out++;
	fake_reply_write(reply, right && !f->refuses ? 200 : 403, "",
			 right && !f->refuses
				 ? STR("<R><Credentials><AccessKeyId>AKSTS</AccessKeyId>"
				       "<SecretAccessKey>s&amp;t</SecretAccessKey>"
				       "<SessionToken>token</SessionToken><Expiration>"
				       "2999-01-01T00:00:00Z</Expiration></Credentials></R>")
				 : STR("<E><Error><Message>not you</Message></Error></E>"));
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;

	if (str_starts(request->head, STR("POST / ")))
		answer_sts(f, request, reply);
	else if (f->refuses)
		fake_reply_json(reply, 503, "{}");
	else if (str_starts(request->head, STR("PUT /latest/api/token ")))
		fake_reply_write(reply, 200, "", STR("session"));
	else if (str_starts(request->head, STR("GET /latest/")) &&
		 !fake_request_has(request, "X-aws-ec2-metadata-token: session"))
		fake_reply_json(reply, 401, "{}");
	else if (str_starts(request->head, STR("GET /latest/meta-data/iam/security-credentials/ ")))
		fake_reply_write(reply, 200, "", STR("my-role\n"));
	else if (str_starts(request->head,
			    STR("GET /latest/meta-data/iam/security-credentials/my-role ")))
		hand_out(f, reply);
	else if (str_starts(request->head, STR("GET /container?x=1 ")) &&
		 fake_request_has(request, "Authorization: Bearer abc"))
		hand_out(f, reply);
	else
		fake_reply_json(reply, 404, "{}");
}

static void set(const char *name, const char *value)
{
	setenv(name, value, 1);
}

static void set_url(const struct fixture *f, const char *name, const char *path)
{
	char url[256];

	snprintf(url, sizeof(url), "%s%s", fake_server_url(f->server), path);
	set(name, url);
}

static void write_file(struct fixture *f, const char *text)
{
	FILE *file = fopen(f->file, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	int fd;

	for (size_t i = 0; i < COUNT_OF(variables); i++)
		unsetenv(variables[i]);
	set("AWS_EC2_METADATA_DISABLED", "true");
	set("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
	set("AWS_CONFIG_FILE", "/dev/null");
	set("no_proxy", "*");
	strcpy(f->file, "/tmp/shardlift-test-XXXXXX");
	fd = mkstemp(f->file);
	assert_true(fd >= 0);
	close(fd);
	f->lifetime_ms = HOUR_MS;
	f->mem = ARENA_INIT(MIB(1));
	f->server = fake_server_start(handle, f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->file);
	aws_credentials_free(f->credentials);
	fake_server_free(f->server);
	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static int get_with(struct fixture *f, const struct aws_credentials_options *options,
		    struct sigv4_key *key)
{
	if (!f->credentials)
		f->credentials = aws_credentials_new(options);
	f->err = (struct err){0};
	return aws_credentials_get(f->credentials, &f->mem, key, &f->err);
}

static int get(struct fixture *f, struct sigv4_key *key)
{
	return get_with(f, &(struct aws_credentials_options){0}, key);
}

static void assert_key(struct fixture *f, const struct aws_credentials_options *options,
		       const char *access)
{
	struct sigv4_key key;

	if (get_with(f, options, &key) < 0)
		fail_msg("%s", f->err.message);
	assert_string_equal(key.access_key_id, access);
}

static void assert_none(struct fixture *f, const struct aws_credentials_options *options,
			const char *why)
{
	struct sigv4_key key;

	assert_true(get_with(f, options, &key) < 0);
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static const struct aws_credentials_options none;

static void flags_come_before_the_environment(void **state)
{
	set("AWS_ACCESS_KEY_ID", "of-environment");
	set("AWS_SECRET_ACCESS_KEY", "s");
	assert_key(*state,
		   &(struct aws_credentials_options){.access_key_id = "of-flags",
						     .secret_access_key = "s"},
		   "of-flags");
}

static void the_environment_comes_before_the_profile(void **state)
{
	struct fixture *f = *state;

	write_file(f, "[default]\naws_access_key_id=of-file\naws_secret_access_key=s\n");
	set("AWS_SHARED_CREDENTIALS_FILE", f->file);
	set("AWS_ACCESS_KEY_ID", "of-environment");
	set("AWS_SECRET_ACCESS_KEY", "s");
	assert_key(f, &none, "of-environment");
}

static void a_key_without_its_secret_is_refused(void **state)
{
	set("AWS_ACCESS_KEY_ID", "alone");
	assert_none(*state, &none, "set AWS_SECRET_ACCESS_KEY too");
}

static void a_named_profile_comes_before_the_environment(void **state)
{
	struct fixture *f = *state;

	write_file(f, "# c\n[profile team]\n aws_access_key_id = of-team \n"
		      "aws_secret_access_key = a=b\nregion = eu-west-3\n[other]\nregion = no\n");
	set("AWS_CONFIG_FILE", f->file);
	set("AWS_ACCESS_KEY_ID", "of-environment");
	set("AWS_SECRET_ACCESS_KEY", "s");
	assert_key(f, &(struct aws_credentials_options){.profile = "team"}, "of-team");
	assert_string_equal(aws_region(NULL, "team", &f->mem), "eu-west-3");
	assert_null(aws_region(NULL, NULL, &f->mem));
}

static void a_profile_that_is_not_there_is_named(void **state)
{
	assert_none(*state, &(struct aws_credentials_options){.profile = "nobody"}, "'nobody'");
}

static void a_profile_with_sso_says_what_to_do(void **state)
{
	struct fixture *f = *state;

	write_file(f, "[default]\nsso_session = x\n");
	set("AWS_CONFIG_FILE", f->file);
	assert_none(f, &none, "export-credentials");
}

static void a_container_is_asked_with_its_token(void **state)
{
	struct fixture *f = *state;

	set_url(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/container?x=1");
	write_file(f, "Bearer abc\n");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", f->file);
	assert_key(f, &none, "AK1");
}

static void temporary_ones_tell_when_they_end(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_wall_ms();

	set_url(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/container?x=1");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer abc");
	assert_key(f, &none, "AK1");
	assert_true(aws_credentials_end_ms(f->credentials) >= before + HOUR_MS - 1000);
}

static void those_of_the_environment_do_not_end(void **state)
{
	struct fixture *f = *state;

	set("AWS_ACCESS_KEY_ID", "of-environment");
	set("AWS_SECRET_ACCESS_KEY", "s");
	assert_key(f, &none, "of-environment");
	assert_int_equal(aws_credentials_end_ms(f->credentials), 0);
}

static void a_container_that_refuses_is_an_error(void **state)
{
	struct fixture *f = *state;

	set_url(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/container?x=1");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong");
	assert_none(f, &none, "answers 404");
}

static void web_identity_becomes_credentials_by_sts(void **state)
{
	struct fixture *f = *state;
	struct sigv4_key key;

	set_url(f, "AWS_ENDPOINT_URL_STS", "");
	write_file(f, "j.w+t\n");
	set("AWS_WEB_IDENTITY_TOKEN_FILE", f->file);
	set("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
	if (get(f, &key) < 0)
		fail_msg("%s", f->err.message);
	assert_string_equal(key.access_key_id, "AKSTS");
	assert_string_equal(key.secret_access_key, "s&t");
	assert_string_equal(key.session_token, "token");
}

static void what_sts_refuses_is_told_in_its_words(void **state)
{
	struct fixture *f = *state;

	f->refuses = true;
	set_url(f, "AWS_ENDPOINT_URL_STS", "");
	set("AWS_WEB_IDENTITY_TOKEN_FILE", f->file);
	set("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
	assert_none(f, &none, "not you");
}

static void ask_instance(struct fixture *f)
{
	set_url(f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "/");
	set("AWS_EC2_METADATA_DISABLED", "false");
}

static void an_instance_is_asked_in_a_session(void **state)
{
	ask_instance(*state);
	assert_key(*state, &none, "AK1");
}

static void credentials_that_last_are_fetched_once(void **state)
{
	ask_instance(*state);
	assert_key(*state, &none, "AK1");
	assert_key(*state, &none, "AK1");
}

static void credentials_are_fetched_ahead_of_their_end(void **state)
{
	struct fixture *f = *state;

	f->lifetime_ms = 60 * 1000;
	ask_instance(f);
	assert_key(f, &none, "AK1");
	assert_key(f, &none, "AK2");
}

static void credentials_serve_until_their_end_when_no_newer_are_had(void **state)
{
	struct fixture *f = *state;

	f->lifetime_ms = 2 * 60 * 1000;
	ask_instance(f);
	assert_key(f, &none, "AK1");
	f->refuses = true;
	assert_key(f, &none, "AK1");
}

static void credentials_that_the_server_calls_expired_are_fetched_anew(void **state)
{
	struct sigv4_key key;
	struct fixture *f = *state;

	ask_instance(f);
	assert_int_equal(get(f, &key), 0);
	aws_credentials_expire(f->credentials, &key);
	assert_key(f, &none, "AK2");
	/* Another thread that still holds the first one says the same, and is late. */
	aws_credentials_expire(f->credentials, &key);
	assert_key(f, &none, "AK2");
}

static void the_places_are_told_where_none_has_any(void **state)
{
	assert_none(*state, &none, "no AWS credentials found");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_come_before_the_environment),
		TEST(the_environment_comes_before_the_profile),
		TEST(a_key_without_its_secret_is_refused),
		TEST(a_named_profile_comes_before_the_environment),
		TEST(a_profile_that_is_not_there_is_named),
		TEST(a_profile_with_sso_says_what_to_do),
		TEST(a_container_is_asked_with_its_token),
		TEST(temporary_ones_tell_when_they_end),
		TEST(those_of_the_environment_do_not_end),
		TEST(a_container_that_refuses_is_an_error),
		TEST(web_identity_becomes_credentials_by_sts),
		TEST(what_sts_refuses_is_told_in_its_words),
		TEST(an_instance_is_asked_in_a_session),
		TEST(credentials_that_last_are_fetched_once),
		TEST(credentials_are_fetched_ahead_of_their_end),
		TEST(credentials_serve_until_their_end_when_no_newer_are_had),
		TEST(credentials_that_the_server_calls_expired_are_fetched_anew),
		TEST(the_places_are_told_where_none_has_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
