#include "net/http_client.h"

#include "fake_server.h"

#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define assert_contains(text, part)                                  \
	do {                                                         \
		if (!strstr(text, part))                             \
			fail_msg("'%s' is not in '%s'", part, text); \
	} while (0)

static void free_server(struct fake_server **server)
{
	fake_server_free(*server);
}

static void free_client(struct http_client **client)
{
	http_client_free(*client);
}

static struct http_client *client_of(const struct http_options *options)
{
	struct http_client *client = NULL;
	struct err err = {0};

	if (http_client_new(options, &client, &err) < 0)
		fail_msg("%s", err.message);
	return client;
}

static struct http_client *client_to(const struct fake_server *server)
{
	return client_of(&(struct http_options){.host = fake_server_url(server)});
}

/* As stores send it; `stop` NULL: not ahead. */
static struct http_request range_request(void *into, size_t size, const atomic_bool *stop)
{
	static const char *const fields[] = {"Range: bytes=0-9"};

	return (struct http_request){.method = "GET",
				     .path = "/range",
				     .headers = fields,
				     .header_count = 1,
				     .as_it_is = true,
				     .stop = stop,
				     .into = into,
				     .into_size = size};
}

static struct http_client *client_that_wants_gzip(const struct fake_server *server)
{
	return client_of(
		&(struct http_options){.host = fake_server_url(server), .gzip_answers = true});
}

/* What the server saw last, in memory of its own. */
struct seen {
	char head[4096];
	char body[4096];
	size_t client;
};

static void remember(struct seen *seen, const struct fake_request *request)
{
	snprintf(seen->head, sizeof(seen->head), STR_FMT, STR_ARG(request->head));
	snprintf(seen->body, sizeof(seen->body), STR_FMT, STR_ARG(request->body));
	seen->client = request->client;
}

static void say_ok(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	remember(user, request);
	fake_reply_json(reply, 200, "{\"ok\":true}");
}

static void a_request_goes_out_with_its_body_and_fields(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {
		.method = "PUT", .path = "/books?timeout=1s", .body = STR("{\"a\":1}")};
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_int_equal(response.status, 200);
	assert_true(str_is(buf_str(&response.body), "{\"ok\":true}"));
	assert_int_equal(response.retry_after_ms, -1);
	assert_contains(seen.head, "PUT /books?timeout=1s HTTP/1.1\r\n");
	assert_contains(seen.head, "Content-Type: application/json\r\n");
	assert_contains(seen.head, "User-Agent: shardlift/");
	assert_null(strstr(seen.head, "Authorization"));
	assert_null(strstr(seen.head, "Expect"));
	assert_string_equal(seen.body, "{\"a\":1}");
}

static void answer_by_path(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	bool range = memmem(request->head.ptr, request->head.len, "/range", strlen("/range"));

	(void)user;
	fake_reply_json(reply, range ? 206 : 404, "0123456789");
}

static void a_range_goes_where_it_is_wanted_and_nothing_else_does(void **state)
{
	cleanup(free_server) struct fake_server *server = fake_server_start(answer_by_path, NULL);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	char into[10] = {0};
	struct http_request request = {
		.method = "GET", .path = "/range", .into = into, .into_size = sizeof(into)};
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(http_client_send(client, &request, &response, &err), 0);
		assert_int_equal(response.into_len, 10);
		assert_memory_equal(into, "0123456789", 10);
		assert_int_equal(response.body.len, 0);
	}
	request.into_size = 4;
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_int_equal(response.into_len, 4);
	assert_true(str_is(buf_str(&response.body), "456789"));
	request.path = "/missing";
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_int_equal(response.into_len, 0);
	assert_true(str_is(buf_str(&response.body), "0123456789"));
}

static void say_as_told(void *user, const struct fake_request *request, struct fake_reply *reply);

struct stopping {
	struct fake_server *server;
	atomic_bool *stop;
};

static void *stop_after_a_request(void *user)
{
	struct stopping *stopping = user;

	fake_server_await(stopping->server, 1);
	atomic_store(stopping->stop, true);
	return NULL;
}

/* What the server does with a range that is fetched ahead. */
struct ahead {
	int status;
	const char *fields;
	enum fake_end end;
	size_t first_client, last_client; /* connections that ranges came over */
	size_t whole;                     /* requests with all that belongs to them */
};

static void answer_ahead(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct ahead *ahead = user;

	ahead->whole += fake_request_has(request, "Range: bytes=0-9") &&
			memmem(request->head.ptr, request->head.len, "\r\nHost: 127.0.0.1:", 18);
	ahead->first_client = request->number ? ahead->first_client : request->client;
	ahead->last_client = request->client;
	fake_reply_write(reply, ahead->status, ahead->fields, STR("0123456789"));
	reply->end = request->number % 2 ? FAKE_KEEP : ahead->end;
}

/* Ranges that can be stopped go straight where they are wanted, and any other answer where it
 * would go else. */
static void a_range_ahead_comes_as_any_other(void **state)
{
	static const struct {
		struct ahead ahead;
		size_t into, body;
	} cases[] = {
		{{206, "ETag: \"e\"\r\n", FAKE_KEEP}, 10, 0},
		{{206, "ETag: \"e\"\r\n", FAKE_CLOSE}, 10, 0},
		{{206, "ETag: \"e\"\r\nConnection: close\r\n", FAKE_CLOSE}, 10, 0},
		{{200, "ETag: \"e\"\r\n", FAKE_KEEP}, 0, 10},
		{{404, "ETag: \"e\"\r\n", FAKE_KEEP}, 0, 10},
		{{503, "ETag: \"e\"\r\n", FAKE_CLOSE}, 0, 10},
	};
	const atomic_bool stop = false;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ahead ahead = cases[i].ahead;
		cleanup(free_server) struct fake_server *server =
			fake_server_start(answer_ahead, &ahead);
		cleanup(free_client) struct http_client *client = client_to(server);
		cleanup(http_response_release) struct http_response response = {0};
		struct err err = {0};
		char into[10];
		const struct http_request request = range_request(into, sizeof(into), &stop);

		for (int n = 0; n < 4; n++) {
			memset(into, 0, sizeof(into));
			if (http_client_send(client, &request, &response, &err) < 0)
				fail_msg("%zu, %d: %s", i, n, err.message);
			assert_int_equal(response.status, ahead.status);
			assert_int_equal(response.into_len, cases[i].into);
			assert_int_equal(response.body.len, cases[i].body);
			assert_memory_equal(cases[i].into ? into : response.body.ptr, "0123456789",
					    10);
			assert_string_equal(http_client_answer_header(client, "etag"), "\"e\"");
			assert_null(http_client_answer_header(client, "x-none"));
		}
		assert_int_equal(ahead.whole, 4);
		if (ahead.end == FAKE_KEEP)
			assert_int_equal(ahead.last_client, ahead.first_client);
	}
}

static void answer_oddly(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	(void)request;
	buf_append_str(&reply->bytes, str_from(*(const char **)user));
	reply->end = FAKE_CLOSE;
}

/* What is not for a connection of its own is asked for the ordinary way, and from then on only so.
 */
static void an_odd_answer_to_a_range_ahead_comes_the_ordinary_way(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 206 Odd\r\nTransfer-Encoding: chunked\r\n\r\n"
		"4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n",
		"HTTP/1.1 206 Odd\r\n\r\n0123456789",
		"HTTP/1.0 206 Odd\r\nContent-Type: a/b\r\n\r\n0123456789",
		"HTTP/1.1 206 Odd\r\nContent-Length: 10\r\n\r\n0123456789HTTP/1.1 404 None\r\n",
		"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"
		"HTTP/1.1 206 Odd\r\nContent-Length: 10\r\n\r\n0123456789",
		"HTTP/1.1 103 Early\r\nContent-Length: 0\r\n\r\n"
		"HTTP/1.1 206 Odd\r\nContent-Length: 10\r\n\r\n0123456789",
	};
	const atomic_bool stop = false;
	enum { SENDS = 6 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		cleanup(free_server) struct fake_server *server =
			fake_server_start(answer_oddly, &(const char *){answers[i]});
		cleanup(free_client) struct http_client *client = client_to(server);
		cleanup(http_response_release) struct http_response response = {0};
		struct err err = {0};
		char into[10];
		const struct http_request request = range_request(into, sizeof(into), &stop);

		for (int n = 0; n < SENDS; n++) {
			memset(into, 0, sizeof(into));
			if (http_client_send(client, &request, &response, &err) < 0)
				fail_msg("%zu, %d: %s", i, n, err.message);
			assert_int_equal(response.status, 206);
			assert_int_equal(response.into_len, 10);
			assert_int_equal(response.body.len, 0);
			assert_memory_equal(into, "0123456789", 10);
		}
		assert_int_equal(fake_server_requests(server), SENDS + 1);
	}
}

static void a_range_that_is_cut_short_is_an_error(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 206 Cut\r\nContent-Length: 10\r\n\r\n01234",
		"HTTP/1.1 206 Cut\r\nContent-Length: 10\r\n\r\n",
		"HTTP/1.1 206 Cut\r\nETag: \"a\"\r\nContent-Len",
	};
	const atomic_bool stop = false;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		cleanup(free_server) struct fake_server *server =
			fake_server_start(answer_oddly, &(const char *){answers[i]});
		cleanup(free_client) struct http_client *client = client_to(server);
		cleanup(http_response_release) struct http_response response = {0};
		struct err err = {0};
		char into[10];
		struct http_request request = range_request(into, sizeof(into), NULL);

		for (int n = 0; n < 8; n++) {
			request.stop = n % 2 ? &stop : NULL;
			assert_int_equal(http_client_send(client, &request, &response, &err),
					 -ERR_UNREACHABLE);
			assert_true(err.retry);
		}
	}
}

static void a_range_ahead_that_is_longer_than_its_place_goes_on_in_the_body(void **state)
{
	cleanup(free_server) struct fake_server *server = fake_server_start(answer_by_path, NULL);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	const atomic_bool stop = false;
	char into[4];
	struct http_request request = range_request(into, sizeof(into), &stop);
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_int_equal(response.into_len, 4);
	assert_memory_equal(into, "0123", 4);
	assert_true(str_is(buf_str(&response.body), "456789"));
}

static void a_range_ahead_that_gets_no_answer_ends_when_it_is_stopped(void **state)
{
	struct fake_reply told = {.end = FAKE_SILENT};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_as_told, &told);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	atomic_bool stop = false;
	char into[4];
	struct http_request request = range_request(into, sizeof(into), &stop);
	struct err err = {0};
	pthread_t stopper;

	(void)state;
	pthread_create(&stopper, NULL, stop_after_a_request, &(struct stopping){server, &stop});
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_CANCELLED);
	pthread_join(stopper, NULL);
}

static void one_connection_serves_every_method(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "GET"};
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct err err = {0};
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		struct http_request request = {.method = methods[i], .path = "/x"};

		if (http_client_send(client, &request, &response, &err) < 0)
			fail_msg("%s", err.message);
		snprintf(line, sizeof(line), "%s /x HTTP/1.1\r\n", methods[i]);
		assert_contains(seen.head, line);
		assert_int_equal(seen.client, 0);
		assert_null(strstr(seen.head, "Content-Type"));
	}
}

static void user_and_password_go_as_basic_authentication(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	cleanup(http_response_release) struct http_response response = {0};
	cleanup(free_client) struct http_client *client = client_of(&(struct http_options){
		.host = fake_server_url(server), .username = "Aladdin", .password = "open sesame"});
	struct http_request request = {.method = "GET", .path = "/"};
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	/* Source: RFC 7617, section 2. */
	assert_contains(seen.head, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
	assert_string_equal(http_client_user(client), "Aladdin");
}

static void the_users_name_may_come_from_the_url(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "GET", .path = "/"};
	struct err err = {0};
	struct http_client *client;
	char url[128];

	(void)state;
	snprintf(url, sizeof(url), "http://Aladdin:open%%20sesame@%s/search/",
		 fake_server_url(server) + strlen("http://"));
	client = client_of(&(struct http_options){.host = url});
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_contains(seen.head, "GET /search/ HTTP/1.1\r\n");
	assert_contains(seen.head, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
	assert_null(strstr(http_client_url(client), "sesame"));
	http_client_free(client);
}

static void an_api_key_goes_as_such(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	cleanup(http_response_release) struct http_response response = {0};
	cleanup(free_client) struct http_client *client = client_of(
		&(struct http_options){.host = fake_server_url(server), .api_key = "a2V5"});
	struct http_request request = {.method = "GET", .path = "/"};
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_contains(seen.head, "Authorization: ApiKey a2V5\r\n");
}

static void contradicting_credentials_are_refused(void **state)
{
	struct http_client *client = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		http_client_new(&(struct http_options){.host = "http://u:geheim@h", .api_key = "k"},
				&client, &err),
		-ERR_USAGE);
	assert_contains(err.message, "leave out --target-username or --target-api-key");
	assert_null(strstr(err.message, "geheim"));
	assert_int_equal(http_client_new(&(struct http_options){.host = "http://h",
								.api_key = "k\r\nX: y",
								.flag_prefix = "--source-"},
					 &client, &err),
			 -ERR_USAGE);
	assert_contains(err.message, "--source-api-key");
	assert_int_equal(http_client_new(&(struct http_options){.host = "ftp://h"}, &client, &err),
			 -ERR_USAGE);
	assert_null(client);
}

static void say_gzip(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	cleanup(buf_release) struct buf plain = BUF_INIT(MIB(1));
	char packed[4096];
	size_t len;

	remember(user, request);
	for (int i = 0; i < 100000; i++)
		buf_append_byte(&plain, 'x');
	len = libdeflate_gzip_compress(c, plain.ptr, plain.len, packed, sizeof(packed));
	libdeflate_free_compressor(c);
	fake_reply_write(reply, 200, "Content-Encoding: gzip\r\n", str_of(packed, len));
}

static void packed_answers_are_asked_for_only_by_whoever_wants_them(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_gzip, &seen);
	cleanup(free_client) struct http_client *client = client_that_wants_gzip(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "GET", .path = "/"};
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	assert_int_equal(response.body.len, 100000);
	assert_contains(seen.head, "Accept-Encoding: gzip\r\n");
}

static void bodies_are_gzip_both_ways(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_gzip, &seen);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "POST",
				       .path = "/_bulk",
				       .content_type = "application/x-ndjson",
				       .body = STR("{\"index\":{}}\n{}\n"),
				       .compress = true};
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(http_client_send(client, &request, &response, &err), 0);
		assert_int_equal(response.body.len, 100000);
		assert_contains(seen.head, "Content-Encoding: gzip\r\n");
		assert_contains(seen.head, "Content-Type: application/x-ndjson\r\n");
		assert_contains(seen.head, "Accept-Encoding: identity\r\n");
		assert_string_equal(seen.body, "{\"index\":{}}\n{}\n");
	}
	/* A few bytes that inflate past the ceiling are stopped there. */
	response.body.limit = 99999;
	buf_release(&response.body);
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_LIMIT);
	assert_contains(err.message, "larger than the limit of 99999 bytes");
	assert_contains(err.message, "POST http://127.0.0.1:");
}

static void say_as_told(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	const struct fake_reply *told = user;

	(void)request;
	reply->end = told->end;
	buf_append_str(&reply->bytes, buf_str(&told->bytes));
}

/* Sends one GET to a server that answers `bytes` and then ends the connection so. */
static int send_and_get(const char *bytes, enum fake_end end, struct http_response *response,
			struct err *err)
{
	struct buf answer = BUF_INIT(KIB(64));
	struct fake_reply told = {.end = end};
	cleanup(free_server) struct fake_server *server = NULL;
	cleanup(free_client) struct http_client *client = NULL;
	struct http_request request = {.method = "GET", .path = "/a?secret=b"};
	int sent;

	buf_append_str(&answer, str_from(bytes));
	told.bytes = answer;
	server = fake_server_start(say_as_told, &told);
	client = client_to(server);
	sent = http_client_send(client, &request, response, err);
	buf_release(&answer);
	return sent;
}

static void a_broken_connection_may_be_tried_again(void **state)
{
	static const struct {
		const char *bytes;
		enum fake_end end;
	} ends[] = {
		{"", FAKE_CLOSE},
		{"", FAKE_RESET},
		{"HTTP/1.1 200 OK\r\nContent-Le", FAKE_RESET},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", FAKE_CLOSE},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", FAKE_RESET},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", FAKE_CLOSE},
		{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
		 FAKE_CLOSE},
	};
	cleanup(http_response_release) struct http_response response = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct err err = {0};

		assert_int_equal(send_and_get(ends[i].bytes, ends[i].end, &response, &err),
				 -ERR_UNREACHABLE);
		assert_true(err.retry);
		assert_contains(err.message, "GET http://127.0.0.1:");
		assert_contains(err.message, "/a: ");
		assert_null(strstr(err.message, "secret"));
	}
}

static void what_is_no_http_is_named_so_and_not_tried_again(void **state)
{
	cleanup(http_response_release) struct http_response response = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(send_and_get("SSH-2.0-OpenSSH_9.2\r\n", FAKE_CLOSE, &response, &err),
			 -ERR_UNREACHABLE);
	assert_false(err.retry);
	assert_contains(err.message, "no HTTP server: check --target-host");
}

static void a_redirect_is_not_followed_and_says_where_to(void **state)
{
	cleanup(http_response_release) struct http_response response = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(send_and_get("HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n"
				      "Location: https://u:geheim@es.example.com/x?token=1\r\n\r\n",
				      FAKE_KEEP, &response, &err),
			 -ERR_UNREACHABLE);
	assert_false(err.retry);
	assert_contains(err.message, "status 301 sends on to https://es.example.com:443/x");
	assert_contains(err.message, "--target-host");
	assert_null(strstr(err.message, "geheim"));
	assert_null(strstr(err.message, "token"));
}

static void retry_after_is_told_in_milliseconds(void **state)
{
	cleanup(http_response_release) struct http_response response = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(send_and_get("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
				      "Content-Length: 0\r\n\r\n",
				      FAKE_KEEP, &response, &err),
			 0);
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_ms, 7000);
}

static void a_refused_connection_names_the_host_and_may_be_tried_again(void **state)
{
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "GET", .path = "/"};
	struct err err = {0};

	(void)state;
	fake_server_stop(server);
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_UNREACHABLE);
	assert_true(err.retry);
	assert_contains(err.message, fake_server_url(server));
	assert_contains(err.message, "is it running? Check --target-host");
}

/* With an empty label no resolver is asked, whose network might keep it waiting. */
static void a_name_that_does_not_resolve_is_not_tried_again(void **state)
{
	cleanup(free_client) struct http_client *client =
		client_of(&(struct http_options){.host = "http://nowhere..invalid:9200"});
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "GET", .path = "/"};
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_UNREACHABLE);
	assert_false(err.retry);
	assert_contains(err.message, "nowhere..invalid");
}

static void https_to_a_plain_server_says_that_it_does_not_speak_tls(void **state)
{
	cleanup(http_response_release) struct http_response response = {0};
	struct seen seen = {0};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_ok, &seen);
	struct http_request request = {.method = "GET", .path = "/"};
	struct http_client *client;
	struct err err = {0};
	char url[128];

	(void)state;
	snprintf(url, sizeof(url), "https%s", fake_server_url(server) + strlen("http"));
	client = client_of(&(struct http_options){.host = url});
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_UNREACHABLE);
	assert_false(err.retry);
	assert_contains(err.message, "does not speak TLS: try http:// in --target-host");
	http_client_free(client);
}

static void an_answer_that_does_not_come_is_a_timeout(void **state)
{
	struct fake_reply told = {.bytes = BUF_INIT(KIB(1)), .end = FAKE_SILENT};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_as_told, &told);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "GET", .path = "/", .timeout_ms = 2000};
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_TIMEOUT);
	assert_true(err.retry);
	assert_contains(err.message, "raise --target-request-timeout");
}

static void *cancel_when_asked(void *user)
{
	void **both = user;

	fake_server_await(both[0], 1);
	http_client_cancel(both[1]);
	return NULL;
}

static void a_send_under_way_and_all_later_ones_can_be_cancelled(void **state)
{
	struct fake_reply told = {.bytes = BUF_INIT(KIB(1)), .end = FAKE_SILENT};
	cleanup(free_server) struct fake_server *server = fake_server_start(say_as_told, &told);
	cleanup(free_client) struct http_client *client = client_to(server);
	cleanup(http_response_release) struct http_response response = {0};
	struct http_request request = {.method = "GET", .path = "/"};
	void *both[] = {server, client};
	struct err err = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, cancel_when_asked, both), 0);
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_CANCELLED);
	pthread_join(thread, NULL);
	assert_int_equal(http_client_send(client, &request, &response, &err), -ERR_CANCELLED);
	assert_int_equal(fake_server_requests(server), 1);
}

static void text_is_encoded_for_a_path_segment(void **state)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(1));

	(void)state;
	http_append_encoded(&out, STR("logs-2024.01_~a/b c?\xc3\xa4%+"));
	assert_true(str_is(buf_str(&out), "logs-2024.01_~a%2Fb%20c%3F%C3%A4%25%2B"));
}

/* Refuses the first signature as expired. */
static void refuse_once(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	remember(user, request);
	if (request->number == 0)
		fake_reply_json(reply, 403,
				"{\"message\":\"The security token included in the request is "
				"expired\"}");
	else
		fake_reply_json(reply, 200, "{}");
}

static void requests_are_signed_for_a_region_of_aws(void **state)
{
	static struct seen seen;
	cleanup(free_server) struct fake_server *server = fake_server_start(refuse_once, &seen);
	cleanup(free_client) struct http_client *client = client_of(&(struct http_options){
		.host = fake_server_url(server), .aws_region = "eu-west-1", .aws_service = "aoss"});
	const struct http_request request = {
		.method = "POST", .path = "/a/_search?q=b", .body = STR("{}")};
	struct http_response response = {0};
	struct err err = {0};

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_SESSION_TOKEN", "token", 1);
	if (http_client_send(client, &request, &response, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(response.status, 200);
	assert_int_equal(fake_server_requests(server), 2);
	assert_contains(seen.head, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/");
	assert_contains(seen.head,
			"/eu-west-1/aoss/aws4_request, SignedHeaders=host;"
			"x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=");
	assert_contains(seen.head, "X-Amz-Security-Token: token");
	/* SHA-256 of the body. */
	assert_contains(seen.head,
			"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
	http_response_release(&response);
}

static void a_signature_goes_with_no_user(void **state)
{
	struct http_client *client;
	struct err err = {0};

	(void)state;
	assert_int_equal(http_client_new(&(struct http_options){.host = "http://u:p@h:1",
								.aws_region = "eu-west-1"},
					 &client, &err),
			 -ERR_USAGE);
	assert_contains(err.message, "cannot be signed and carry a user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_out_with_its_body_and_fields),
		cmocka_unit_test(a_range_ahead_comes_as_any_other),
		cmocka_unit_test(an_odd_answer_to_a_range_ahead_comes_the_ordinary_way),
		cmocka_unit_test(a_range_that_is_cut_short_is_an_error),
		cmocka_unit_test(a_range_ahead_that_is_longer_than_its_place_goes_on_in_the_body),
		cmocka_unit_test(a_range_ahead_that_gets_no_answer_ends_when_it_is_stopped),
		cmocka_unit_test(one_connection_serves_every_method),
		cmocka_unit_test(a_range_goes_where_it_is_wanted_and_nothing_else_does),
		cmocka_unit_test(user_and_password_go_as_basic_authentication),
		cmocka_unit_test(the_users_name_may_come_from_the_url),
		cmocka_unit_test(an_api_key_goes_as_such),
		cmocka_unit_test(contradicting_credentials_are_refused),
		cmocka_unit_test(packed_answers_are_asked_for_only_by_whoever_wants_them),
		cmocka_unit_test(bodies_are_gzip_both_ways),
		cmocka_unit_test(a_broken_connection_may_be_tried_again),
		cmocka_unit_test(what_is_no_http_is_named_so_and_not_tried_again),
		cmocka_unit_test(a_redirect_is_not_followed_and_says_where_to),
		cmocka_unit_test(retry_after_is_told_in_milliseconds),
		cmocka_unit_test(a_refused_connection_names_the_host_and_may_be_tried_again),
		cmocka_unit_test(a_name_that_does_not_resolve_is_not_tried_again),
		cmocka_unit_test(https_to_a_plain_server_says_that_it_does_not_speak_tls),
		cmocka_unit_test(an_answer_that_does_not_come_is_a_timeout),
		cmocka_unit_test(a_send_under_way_and_all_later_ones_can_be_cancelled),
		cmocka_unit_test(text_is_encoded_for_a_path_segment),
		cmocka_unit_test(requests_are_signed_for_a_region_of_aws),
		cmocka_unit_test(a_signature_goes_with_no_user),
	};

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
