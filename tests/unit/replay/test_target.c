/* One connection of the replayer, and a target that this test plays by hand. */
#include "replay/target.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { CEILING_MS = 60000, AN_HOUR_MS = 3600000 };

#define REQUEST "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabcdef"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf";

struct fixture {
	struct event_base *base;
	struct target *target;
	struct target_connection *connection;
	int listener, client; /* client: -1 until it is accepted */
	char url[64], got[1024];
	size_t got_len;
	bool closed; /* by the replayer */
	unsigned done;
	struct target_answer answer;
	char body[1024];
};

static void on_done(void *user, const struct target_answer *answer)
{
	struct fixture *f = user;

	f->done++;
	f->answer = *answer;
	snprintf(f->body, sizeof(f->body), STR_FMT, STR_ARG(answer->bytes));
}

static void set_timeout(struct fixture *f, int64_t ms)
{
	const struct http_options options = {.host = f->url, .request_timeout_ms = ms};
	struct err err = {0};

	if (f->target) {
		target_connection_free(f->connection);
		target_free(f->target);
	}
	if (target_new(f->base, &options, &f->target, &err) < 0)
		fail_msg("%s", err.message);
	f->connection = target_connection_new(f->target);
}

static int set_up(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fixture *f = mem_zalloc(sizeof(*f));
	socklen_t len = sizeof(address);

	f->client = -1;
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listener, 16), 0);
	getsockname(f->listener, (struct sockaddr *)&address, &len);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	f->base = event_base_new();
	set_timeout(f, CEILING_MS);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	target_connection_free(f->connection);
	target_free(f->target);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	event_base_free(f->base);
	close(f->listener);
	if (f->client >= 0)
		close(f->client);
	free(f);
	return 0;
}

/* Both sides, once. */
static void turn(struct fixture *f)
{
	const struct timespec wait = {.tv_nsec = 1000000};
	ssize_t n;

	event_base_loop(f->base, EVLOOP_NONBLOCK);
	if (f->client < 0)
		f->client = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);
	if (f->client >= 0) {
		n = recv(f->client, f->got + f->got_len, sizeof(f->got) - f->got_len, 0);
		f->got_len += n > 0 ? (size_t)n : 0;
		f->closed = n == 0 || (n < 0 && errno != EAGAIN);
	}
	nanosleep(&wait, NULL);
}

static void until_got(struct fixture *f, size_t len)
{
	int64_t until = clock_monotonic_ms() + CEILING_MS;

	while (f->got_len < len && clock_monotonic_ms() < until)
		turn(f);
	assert_int_equal(f->got_len, len);
}

static void until_done(struct fixture *f)
{
	int64_t until = clock_monotonic_ms() + CEILING_MS;

	while (f->done == 0 && clock_monotonic_ms() < until)
		turn(f);
	assert_int_equal(f->done, 1);
}

static void until_closed(struct fixture *f)
{
	int64_t until = clock_monotonic_ms() + CEILING_MS;

	while (!f->closed && clock_monotonic_ms() < until)
		turn(f);
	assert_true(f->closed);
}

static void answer(struct fixture *f, const char *text)
{
	assert_int_equal(send(f->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(struct fixture *f, const struct target_part *parts, size_t count)
{
	const struct target_request request = {
		.bytes = STR(REQUEST), .parts = parts, .part_count = count};

	f->done = 0;
	f->got_len = 0;
	target_connection_send(f->connection, &request, on_done, f);
}

static void ask_and_await(struct fixture *f)
{
	ask(f, NULL, 0);
	until_got(f, strlen(REQUEST));
}

static void parts_go_out_when_they_are_due(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_monotonic_ms();
	const struct target_part parts[] = {{10, now}, {30, now + 20}, {strlen(REQUEST), now + 40}};

	ask(f, parts, 3);
	until_got(f, strlen(REQUEST));
	assert_memory_equal(f->got, REQUEST, strlen(REQUEST));
	answer(f, ANSWER);
	until_done(f);
	assert_string_equal(f->body, ANSWER);
	/* The connection is kept. */
	ask_and_await(f);
	answer(f, ANSWER);
	until_done(f);
	assert_int_equal(target_counts(f->target)->opened, 1);
}

static void a_part_that_is_not_due_stays_here(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_monotonic_ms();
	const struct target_part parts[] = {{10, now}, {strlen(REQUEST), now + AN_HOUR_MS}};

	ask(f, parts, 2);
	until_got(f, 10);
	for (int i = 0; i < 20; i++)
		turn(f);
	assert_int_equal(f->got_len, 10);
	assert_int_equal(f->done, 0);
}

static void the_time_between_parts_is_not_the_targets(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_monotonic_ms();
	const struct target_part parts[] = {{10, now}, {strlen(REQUEST), now + 300}};

	set_timeout(f, 100);
	ask(f, parts, 2);
	/* Given up only when all of it is sent, and nothing answers. */
	until_done(f);
	until_got(f, strlen(REQUEST));
	assert_int_equal(f->answer.failed, ERR_TIMEOUT);
}

static void an_answer_before_all_is_sent_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_monotonic_ms();
	const struct target_part parts[] = {{10, now}, {strlen(REQUEST), now + AN_HOUR_MS}};

	ask(f, parts, 2);
	until_got(f, 10);
	answer(f, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	until_done(f);
	assert_int_equal(f->answer.status, 413);
	until_closed(f);
}

/* A target that closes with bytes unread resets the connection right behind its answer. */
static void an_answer_to_a_request_that_is_refused_on_the_way_is_taken(void **state)
{
	struct fixture *f = *state;
	char *large = mem_zalloc(MIB(16));
	const struct target_request request = {.bytes = str_of(large, MIB(16))};
	int64_t until = clock_monotonic_ms() + CEILING_MS;

	target_connection_send(f->connection, &request, on_done, f);
	while (f->got_len < sizeof(f->got) && clock_monotonic_ms() < until)
		turn(f);
	answer(f, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
	close(f->client);
	f->client = -1;
	until_done(f);
	assert_int_equal(f->answer.status, 413);
	free(large);
}

static void a_request_that_was_begun_to_be_answered_was_sent(void **state)
{
	struct fixture *f = *state;

	ask_and_await(f);
	answer(f, ANSWER);
	until_done(f);
	/* On the kept connection. */
	ask_and_await(f);
	answer(f, "HTTP/1.1 100 Continue\r\n\r\n");
	close(f->client);
	f->client = -1;
	until_done(f);
	assert_int_equal(f->answer.failed, ERR_UNREACHABLE);
	assert_false(f->answer.never_sent);
}

static void a_target_that_hangs_is_given_up_in_time(void **state)
{
	struct fixture *f = *state;

	set_timeout(f, 50);
	ask_and_await(f);
	until_done(f);
	assert_int_equal(f->answer.status, 0);
	assert_int_equal(f->answer.failed, ERR_TIMEOUT);
	assert_false(f->answer.never_sent);
	until_closed(f);
}

static void a_target_that_hangs_in_its_answer_is_given_up_in_time(void **state)
{
	struct fixture *f = *state;

	set_timeout(f, 200);
	ask_and_await(f);
	/* It may have been given up already, where this took too long. */
	send(f->client, half, strlen(half), MSG_NOSIGNAL);
	until_done(f);
	assert_int_equal(f->answer.failed, ERR_TIMEOUT);
	until_closed(f);
}

static void a_reset_in_the_answer_is_no_answer(void **state)
{
	const struct linger linger = {1, 0};
	struct fixture *f = *state;

	ask_and_await(f);
	answer(f, half);
	for (int i = 0; i < 5; i++)
		turn(f);
	setsockopt(f->client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(f->client);
	f->client = -1;
	until_done(f);
	assert_int_equal(f->answer.status, 0);
	assert_int_equal(f->answer.failed, ERR_UNREACHABLE);
	assert_false(f->answer.never_sent);
}

static void garbage_is_no_answer(void **state)
{
	static const char *const garbage[] = {
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no http\r\n\r\n",
		"HTTP/1.1 banana OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: minus two\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(garbage); i++) {
		ask_and_await(f);
		answer(f, garbage[i]);
		until_done(f);
		assert_int_equal(f->answer.status, 0);
		assert_int_equal(f->answer.failed, ERR_FORMAT);
		until_closed(f);
		close(f->client);
		f->client = -1;
		f->closed = false;
	}
}

static void bytes_behind_an_answer_end_the_connection(void **state)
{
	struct fixture *f = *state;

	ask_and_await(f);
	answer(f, ANSWER "HTTP/1.1 200 OK\r\n");
	until_done(f);
	assert_string_equal(f->body, ANSWER);
	until_closed(f);
}

static void a_kept_connection_that_was_closed_meanwhile_sent_nothing(void **state)
{
	struct fixture *f = *state;

	ask_and_await(f);
	answer(f, ANSWER);
	until_done(f);
	shutdown(f->client, SHUT_RDWR);
	close(f->client);
	f->client = -1;
	/* Told before it is asked again, or while it is. */
	ask(f, NULL, 0);
	{
		int64_t until = clock_monotonic_ms() + CEILING_MS;

		while (f->done == 0 && f->got_len < strlen(REQUEST) && clock_monotonic_ms() < until)
			turn(f);
	}
	if (f->done)
		assert_true(f->answer.never_sent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_go_out_when_they_are_due),
		TEST(a_part_that_is_not_due_stays_here),
		TEST(the_time_between_parts_is_not_the_targets),
		TEST(an_answer_before_all_is_sent_ends_the_connection),
		TEST(an_answer_to_a_request_that_is_refused_on_the_way_is_taken),
		TEST(a_request_that_was_begun_to_be_answered_was_sent),
		TEST(a_target_that_hangs_is_given_up_in_time),
		TEST(a_target_that_hangs_in_its_answer_is_given_up_in_time),
		TEST(a_reset_in_the_answer_is_no_answer),
		TEST(garbage_is_no_answer),
		TEST(bytes_behind_an_answer_end_the_connection),
		TEST(a_kept_connection_that_was_closed_meanwhile_sent_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
