/* Roles that are taken on, and whose credentials they are, by an STS that is asked. */
#include "net/aws_identity.h"

#include "base/clock.h"
#include "base/limits.h"
#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROLE "arn:aws:iam::1:role/r"

struct fixture {
	struct fake_server *server;
	int64_t lifetime_ms; /* of what STS hands out */
	size_t handed_out, asked;
	const char *refusal; /* <Code> of all answers; NULL: none */
	struct arena mem;
	struct err err;
	struct aws_credentials_options options;
	struct aws_credentials *credentials;
};

static bool has(struct str in, const char *text)
{
	return memmem(in.ptr, in.len, text, strlen(text)) != NULL;
}

static void answer_role(struct fixture *f, const struct fake_request *request,
			struct fake_reply *reply)
{
	char body[512], date[25];

	assert_true(has(request->body, "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"));
	assert_true(has(request->body, "&RoleSessionName=shardlift"));
	assert_int_equal(has(request->body, "&ExternalId=e%2B1"), f->options.external_id != NULL);
	assert_true(has(request->head, "Credential=AKBASE/"));
	assert_true(has(request->head, "/eu-west-1/sts/aws4_request"));
	clock_format_utc(clock_wall_ms() + f->lifetime_ms, date);
	snprintf(body, sizeof(body),
		 "<R><Credentials><AccessKeyId>AK%zu</AccessKeyId><SecretAccessKey>s"
		 "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>"
		 "</Credentials></R>",
		 ++f->handed_out, date);
	fake_reply_write(reply, 200, "", str_from(body));
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;
	char body[256];

	f->asked++;
	snprintf(body, sizeof(body),
		 "<E><Error><Code>%s</Code><Message>not &amp; you</Message></Error></E>",
		 f->refusal ? f->refusal : "");
	if (f->refusal)
		fake_reply_write(reply, 403, "", str_from(body));
	else if (has(request->body, "Action=AssumeRole&"))
		answer_role(f, request, reply);
	else
		fake_reply_write(reply, 200, "",
				 STR("<R><Arn>arn:aws:sts::1:assumed-role/r/shardlift</Arn>"
				     "<UserId>U</UserId><Account>123456789012</Account></R>"));
}

static int set_up(void **state)
{
	static const char *const variables[] = {
		"AWS_PROFILE",          "AWS_REGION",
		"AWS_DEFAULT_REGION",   "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_ARN",         "AWS_ROLE_SESSION_NAME",
		"AWS_ENDPOINT_URL_STS", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_SESSION_TOKEN",    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	};
	struct fixture *f = mem_zalloc(sizeof(*f));

	for (size_t i = 0; i < COUNT_OF(variables); i++)
		unsetenv(variables[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKBASE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	setenv("no_proxy", "*", 1);
	f->lifetime_ms = 60 * 60 * 1000;
	f->mem = ARENA_INIT(MIB(1));
	f->server = fake_server_start(handle, f);
	f->options = (struct aws_credentials_options){.region = "eu-west-1",
						      .role_arn = ROLE,
						      .sts_endpoint = fake_server_url(f->server)};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	aws_credentials_free(f->credentials);
	fake_server_free(f->server);
	arena_release(&f->mem);
	free(f);
	return 0;
}

static void assert_key(struct fixture *f, const char *access)
{
	struct sigv4_key key;

	if (!f->credentials)
		f->credentials = aws_credentials_new(&f->options);
	if (aws_credentials_get(f->credentials, &f->mem, &key, &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_string_equal(key.access_key_id, access);
	assert_string_equal(key.session_token, "t");
}

static void assert_refused(struct fixture *f, const char *why)
{
	struct sigv4_key key;

	f->credentials = aws_credentials_new(&f->options);
	assert_int_equal(aws_credentials_get(f->credentials, &f->mem, &key, &f->err), -ERR_AUTH);
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void a_role_is_taken_on_once_while_it_lasts(void **state)
{
	struct fixture *f = *state;

	assert_key(f, "AK1");
	assert_key(f, "AK1");
	assert_string_equal(aws_credentials_origin(f->credentials, &f->mem),
			    "role " ROLE ", with credentials from the environment");
}

static void the_external_id_is_sent(void **state)
{
	struct fixture *f = *state;

	f->options.external_id = "e+1";
	assert_key(f, "AK1");
}

static void a_role_is_taken_on_again_ahead_of_its_end(void **state)
{
	struct fixture *f = *state;

	f->lifetime_ms = 60 * 1000;
	assert_key(f, "AK1");
	assert_key(f, "AK2");
}

static void a_role_serves_until_its_end_when_sts_is_away(void **state)
{
	struct fixture *f = *state;

	f->lifetime_ms = 2 * 60 * 1000;
	assert_key(f, "AK1");
	f->refusal = "AccessDenied";
	assert_key(f, "AK1");
}

static void a_role_that_may_not_be_taken_on_is_named(void **state)
{
	struct fixture *f = *state;

	f->refusal = "AccessDenied";
	assert_refused(f, "role " ROLE ", with credentials from the environment: STS answers "
			  "AccessDenied, not & you; allow it in the role's trust policy");
	assert_int_equal(f->asked, 1);
}

static void a_caller_whose_token_has_expired_is_told_to_fetch_another(void **state)
{
	struct fixture *f = *state;

	f->refusal = "ExpiredTokenException";
	assert_refused(f, "fetch new credentials");
}

static void an_identity_is_account_name_and_source(void **state)
{
	struct fixture *f = *state;
	struct aws_identity who;

	f->options.role_arn = NULL;
	if (aws_identity_find(&f->options, &f->mem, &who, &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_string_equal(who.account, "123456789012");
	assert_string_equal(who.arn, "arn:aws:sts::1:assumed-role/r/shardlift");
	assert_string_equal(who.source, "the environment");
	assert_int_equal(who.link_count, 2);
	assert_string_equal(who.links[0].place, "flags");
	assert_non_null(who.links[0].why);
	assert_null(who.links[1].why);
}

static void an_identity_of_a_role_says_so(void **state)
{
	struct fixture *f = *state;
	struct aws_identity who;

	if (aws_identity_find(&f->options, &f->mem, &who, &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_string_equal(who.source, "role " ROLE ", with credentials from the environment");
}

static void without_credentials_every_link_says_why(void **state)
{
	static const char *const whys[] = {
		"--s3-access-key-id",          "AWS_ACCESS_KEY_ID is not set",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "no profile 'default'",
		"AWS_CONTAINER_CREDENTIALS",   "AWS_EC2_METADATA_DISABLED"};
	struct fixture *f = *state;
	struct aws_identity who;

	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_int_equal(aws_identity_find(&f->options, &f->mem, &who, &f->err), -ERR_AUTH);
	assert_null(who.source);
	assert_int_equal(who.link_count, COUNT_OF(whys));
	for (size_t i = 0; i < COUNT_OF(whys); i++)
		if (!strstr(who.links[i].why, whys[i]))
			fail_msg("'%s' does not say '%s'", who.links[i].why, whys[i]);
	assert_int_equal(f->asked, 0);
}

static void the_chain_ends_at_a_link_that_is_broken(void **state)
{
	struct fixture *f = *state;
	struct aws_identity who;

	unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_int_equal(aws_identity_find(&f->options, &f->mem, &who, &f->err), -ERR_AUTH);
	assert_int_equal(who.link_count, 2);
	assert_non_null(strstr(who.links[1].why, "set AWS_SECRET_ACCESS_KEY too"));
}

static void what_sts_has_against_the_credentials_is_told_with_their_source(void **state)
{
	struct fixture *f = *state;
	struct aws_identity who;

	f->options.role_arn = NULL;
	f->refusal = "SignatureDoesNotMatch";
	assert_int_equal(aws_identity_find(&f->options, &f->mem, &who, &f->err), -ERR_AUTH);
	assert_string_equal(who.source, "the environment");
	assert_null(who.account);
	assert_non_null(strstr(f->err.message, "check the secret access key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_role_is_taken_on_once_while_it_lasts),
		TEST(the_external_id_is_sent),
		TEST(a_role_is_taken_on_again_ahead_of_its_end),
		TEST(a_role_serves_until_its_end_when_sts_is_away),
		TEST(a_role_that_may_not_be_taken_on_is_named),
		TEST(a_caller_whose_token_has_expired_is_told_to_fetch_another),
		TEST(an_identity_is_account_name_and_source),
		TEST(an_identity_of_a_role_says_so),
		TEST(without_credentials_every_link_says_why),
		TEST(the_chain_ends_at_a_link_that_is_broken),
		TEST(what_sts_has_against_the_credentials_is_told_with_their_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
