#include "net/url.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena mem = ARENA_INIT(MIB(1));

static int release(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

static struct url parsed(const char *text)
{
	struct err err = {0};
	struct url url;

	if (url_parse(text, &mem, &url, &err) < 0)
		fail_msg("%s", err.message);
	return url;
}

static const char *refusal_of(const char *text)
{
	static struct err err;
	struct url url;

	assert_int_equal(url_parse(text, &mem, &url, &err), -ERR_USAGE);
	return err.message;
}

#define assert_str(s, expected)                                  \
	do {                                                     \
		assert_int_equal((s).len, strlen(expected));     \
		assert_memory_equal((s).ptr, expected, (s).len); \
	} while (0)

#define assert_refused(text, reason) assert_non_null(strstr(refusal_of(text), reason))

static void a_url_is_taken_apart(void **state)
{
	struct url url = parsed("https://user:secret@search.example.com:9243/a/b/");

	(void)state;
	assert_true(url.tls);
	assert_str(url.host, "search.example.com");
	assert_int_equal(url.port, 9243);
	assert_str(url.path, "/a/b");
	assert_str(url.user, "user");
	assert_str(url.password, "secret");
	assert_str(url_without_secrets(&url, &mem), "https://search.example.com:9243/a/b");
}

static void a_host_alone_is_plain_http_on_9200(void **state)
{
	struct url url = parsed("localhost");

	(void)state;
	assert_false(url.tls);
	assert_str(url.host, "localhost");
	assert_int_equal(url.port, 9200);
	assert_str(url.path, "");
	assert_null(url.user.ptr);
	assert_int_equal(parsed("es-1_a:19200").port, 19200);
}

static void https_without_a_port_is_443(void **state)
{
	(void)state;
	assert_int_equal(parsed("https://domain.eu-west-1.es.amazonaws.com").port, 443);
	assert_int_equal(parsed("HTTPS://Host/").port, 443);
	assert_int_equal(parsed("http://host").port, 9200);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
	struct url url = parsed("http://[2001:db8::1]:9201");

	(void)state;
	assert_str(url.host, "2001:db8::1");
	assert_int_equal(url.port, 9201);
	assert_str(url_without_secrets(&url, &mem), "http://[2001:db8::1]:9201");
	assert_int_equal(parsed("[::1]").port, 9200);
	assert_refused("http://::1:9200", "IPv6 address is written in brackets");
	assert_refused("http://[::1", "not closed");
	assert_refused("http://[::1]9200", "follows the IPv6 address");
	assert_refused("http://[host/]", "not closed");
	assert_refused("http://[host]", "brackets hold no IPv6 address");
	assert_refused("http://[]", "brackets hold no IPv6 address");
}

static void user_and_password_are_percent_decoded(void **state)
{
	struct url url = parsed("http://a%40b:p%2Fw%3A%25@host");

	(void)state;
	assert_str(url.user, "a@b");
	assert_str(url.password, "p/w:%");
	url = parsed("http://only@host");
	assert_str(url.user, "only");
	assert_null(url.password.ptr);
	url = parsed("http://user:a@b@host");
	assert_str(url.password, "a@b");
	assert_refused("http://u:%4@host", "two hexadecimal digits");
	assert_refused("http://u:%zz@host", "two hexadecimal digits");
	assert_refused("http://u:a%00b@host", "two hexadecimal digits");
	assert_refused("http://:secret@host", "user before the @ is empty");
}

static void what_is_no_address_of_a_cluster_is_refused_with_its_reason(void **state)
{
	(void)state;
	assert_refused("", "names no host");
	assert_refused("http://", "names no host");
	assert_refused("https://user@", "names no host");
	assert_refused("ftp://host", "neither http:// nor https://");
	assert_refused("s3://bucket/prefix", "neither http:// nor https://");
	assert_refused("http://host:0", "number from 1 to 65535");
	assert_refused("http://host:65536", "number from 1 to 65535");
	assert_refused("http://host:", "number from 1 to 65535");
	assert_refused("http://host:9200x", "number from 1 to 65535");
	assert_refused("http://host?q=1", "query or fragment");
	assert_refused("http://host/a#b", "query or fragment");
	assert_refused("http://ho st", "space or control character");
	assert_refused("http://host\r\nX: y", "space or control character");
	assert_refused("http://ho|st", "no host name has");
	assert_refused("/some/path", "names no host");
}

static void a_message_never_shows_what_stands_before_the_at_sign(void **state)
{
	static const char *const texts[] = {
		"ftp://user:hunter2@host",      "http://user:hunter2@host:port",
		"http://user:hun/ter2@host",    "http://user:hunter2%@host",
		"http://user:hunter2@host?x=y", "http://user:h?unter2@host",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const char *message = refusal_of(texts[i]);

		assert_null(strstr(message, "unter2"));
		assert_null(strstr(message, "ter2"));
		assert_non_null(strstr(message, "host"));
	}
}

static void a_url_longer_than_a_path_may_be_is_refused(void **state)
{
	char text[LIMIT_PATH + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_refused(text, "longer than 4096 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_url_is_taken_apart, release),
		cmocka_unit_test_teardown(a_host_alone_is_plain_http_on_9200, release),
		cmocka_unit_test_teardown(https_without_a_port_is_443, release),
		cmocka_unit_test_teardown(an_ipv6_address_stands_in_brackets, release),
		cmocka_unit_test_teardown(user_and_password_are_percent_decoded, release),
		cmocka_unit_test_teardown(
			what_is_no_address_of_a_cluster_is_refused_with_its_reason, release),
		cmocka_unit_test_teardown(a_message_never_shows_what_stands_before_the_at_sign,
					  release),
		cmocka_unit_test_teardown(a_url_longer_than_a_path_may_be_is_refused, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
