/* The replayer against a server that fails now and then: each connection's requests arrive one
 * after another, each again until it is answered well, and all is committed. */
#include "fake_server.h"
#include "replay/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CONNECTIONS = 100, REQUESTS = 5 };

/* Records in memory. */
struct fake_source {
	struct record_source source;
	struct record *records[CONNECTIONS];
	struct buf bytes;
	size_t given, finished;
};

static int give(struct record_source *source, int timeout_ms, struct record_item *out,
		struct err *err)
{
	struct fake_source *s = (struct fake_source *)source;
	const struct record *record;

	(void)timeout_ms;
	(void)err;
	if (s->given == CONNECTIONS)
		return RECORD_SOURCE_END;
	record = s->records[s->given];
	buf_reset(&s->bytes);
	record_copy(record, buf_reserve(&s->bytes, record->bytes));
	s->bytes.len = record->bytes;
	*out = (struct record_item){.position.offset = s->given++,
				    .time_ms = -1,
				    .key = record->connection_id,
				    .bytes = buf_str(&s->bytes)};
	return RECORD_SOURCE_ITEM;
}

static void finish(struct record_source *source, struct record_position position)
{
	(void)position;
	((struct fake_source *)source)->finished++;
}

static int commit(struct record_source *source, struct err *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void end(struct record_source *source)
{
	(void)source;
}

static const struct record_source_ops ops = {
	.next = give, .finish = finish, .commit = commit, .close = end};

static struct record *conversation(int connection)
{
	static const struct str answer = STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
	char id[32], request[200];
	struct record_writer *w;
	struct record *record;

	snprintf(id, sizeof(id), "c%d", connection);
	w = record_writer_new(STR("node"), str_from(id), MIB(1));
	for (int i = 0; i < REQUESTS; i++) {
		const struct record_time time = {1700000000, i * 1000000};

		snprintf(request, sizeof(request),
			 "PUT /i/_doc/%d-%d HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", connection,
			 i);
		record_writer_read(w, time, str_from(request));
		record_writer_end_of_message(w, time, RECORD_UNKNOWN, RECORD_UNKNOWN);
		record_writer_write(w, time, answer);
	}
	record_writer_close(w, (struct record_time){1700000001, 0});
	record_writer_finish(w);
	record = record_writer_take(w);
	assert_non_null(record);
	assert_null(record_writer_take(w));
	record_writer_free(w);
	return record;
}

struct seen {
	int next[CONNECTIONS]; /* the request that has to come */
	bool failed[CONNECTIONS][REQUESTS];
	size_t wrong;
};

/* Each third request fails once, in one of three ways. */
static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct seen *seen = user;
	int connection = -1, number = -1;

	if (sscanf(request->head.ptr, "PUT /i/_doc/%d-%d ", &connection, &number) != 2 ||
	    connection < 0 || connection >= CONNECTIONS || number < 0 || number >= REQUESTS ||
	    number != seen->next[connection]) {
		seen->wrong++;
		return fake_reply_json(reply, 200, "{}");
	}
	if ((connection + number) % 3 == 0 && !seen->failed[connection][number]) {
		seen->failed[connection][number] = true;
		if (connection % 3 == 0)
			return fake_reply_json(reply, 503, "{}");
		if (connection % 3 == 1)
			return fake_reply_json(reply, 429, "{}");
		reply->end = FAKE_CLOSE;
		return;
	}
	seen->next[connection]++;
	fake_reply_json(reply, 200, "{}");
}

static void requests_of_a_connection_keep_their_order_under_retries(void **state)
{
	static struct seen seen;
	struct fake_server *server = fake_server_start(handle, &seen);
	struct fake_source source = {.source.ops = &ops, .bytes = BUF_INIT(MIB(1))};
	struct replay_options options = {.source = &source.source,
					 .speedup = 1000,
					 .lookahead_ms = 300000,
					 .lookahead_bytes = MIB(64),
					 .most_requests = 7,
					 .settle_ms = 1000,
					 .silent_ms = 70000,
					 .grace_ms = 60000,
					 .retry_ms = 600000};
	struct replay_counts counts;
	struct err err = {0};

	(void)state;
	options.target.host = fake_server_url(server);
	for (int i = 0; i < CONNECTIONS; i++)
		source.records[i] = conversation(i);
	if (replay_run(&options, &counts, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(seen.wrong, 0);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(seen.next[i], REQUESTS);
	assert_int_equal(counts.requests, CONNECTIONS * REQUESTS);
	assert_int_equal(counts.statuses_equal, CONNECTIONS * REQUESTS);
	assert_int_equal(source.finished, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		record_free(source.records[i]);
	buf_release(&source.bytes);
	fake_server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_a_connection_keep_their_order_under_retries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
