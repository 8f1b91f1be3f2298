/* The replayer against a server that fails now and then: each connection's requests arrive one
 * after another, each again until it is answered well, and all is committed. */
#include "fake_source.h"

#include <stdatomic.h>
#include <sys/resource.h>

enum { CONNECTIONS = FAKE_RECORDS, REQUESTS = 5 };

static void add_conversation(struct fake_source *source, int connection)
{
	static const struct str answer = STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
	char id[32], request[200];
	struct record_writer *w;

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
	fake_source_add(source, w);
}

struct seen {
	int next[CONNECTIONS]; /* the request that has to come */
	bool failed[CONNECTIONS][REQUESTS];
	size_t wrong;
};

static void fail_once(int way, struct fake_reply *reply)
{
	if (way == 0) {
		fake_reply_json(reply, 503, "{}");
	} else if (way == 1) {
		fake_reply_json(reply, 429, "{}");
	} else if (way == 2) {
		reply->end = FAKE_CLOSE;
	} else {
		buf_append_str(&reply->bytes,
			       STR("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart of"));
		reply->end = FAKE_RESET;
	}
}

/* Each third request fails once, in one of four ways. */
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
		return fail_once(connection % 4, reply);
	}
	seen->next[connection]++;
	fake_reply_json(reply, 200, "{}");
}

/* Two descriptors a connection. */
static int raise_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)8192);
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static void requests_of_a_connection_keep_their_order_under_retries(void **state)
{
	static struct seen seen;
	static struct fake_source source;
	struct fake_server *server = fake_server_start(handle, &seen);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < CONNECTIONS; i++)
		add_conversation(&source, i);
	if (replay_run(&options, &counts, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(seen.wrong, 0);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(seen.next[i], REQUESTS);
	assert_int_equal(counts.requests, CONNECTIONS * REQUESTS);
	assert_int_equal(counts.statuses_equal, CONNECTIONS * REQUESTS);
	assert_int_equal(source.finished, CONNECTIONS);
	fake_source_release(&source);
	fake_server_free(server);
}

static void refuse(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	size_t *asked = user;

	(void)request;
	++*asked;
	fake_reply_json(reply, 404, "{}");
}

static void what_the_source_refused_too_is_sent_once(void **state)
{
	static struct fake_source source;
	size_t asked = 0;
	struct fake_server *server = fake_server_start(refuse, &asked);
	struct replay_options options = fake_replay_options(&source, server);
	const struct record_time time = {1700000000, 0};
	struct replay_counts counts;
	struct record_writer *w = record_writer_new(STR("node"), STR("c"), MIB(1));
	struct err err = {0};

	(void)state;
	for (int i = 0; i < REQUESTS; i++) {
		record_writer_read(w, time, STR("GET /i/_doc/1 HTTP/1.1\r\n\r\n"));
		record_writer_end_of_message(w, time, RECORD_UNKNOWN, RECORD_UNKNOWN);
		record_writer_write(w, time,
				    STR("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"));
	}
	record_writer_close(w, time);
	fake_source_add(&source, w);
	if (replay_run(&options, &counts, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(asked, REQUESTS);
	assert_int_equal(counts.job.retried, 0);
	assert_int_equal(counts.statuses_equal, REQUESTS);
	fake_source_release(&source);
	fake_server_free(server);
}

static void refuse_credentials(void *user, const struct fake_request *request,
			       struct fake_reply *reply)
{
	(void)user;
	(void)request;
	fake_reply_json(reply, 401, "{}");
}

static void writes_are_not_done_when_credentials_are_refused(void **state)
{
	static struct fake_source source;
	struct fake_server *server = fake_server_start(refuse_credentials, NULL);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	struct err err = {0};

	(void)state;
	options.rules.source_versions = true;
	options.stop_on_auth_failure = true;
	options.retry_ms = 600000;
	for (int i = 0; i < CONNECTIONS; i++)
		add_conversation(&source, i);
	assert_int_equal(replay_run(&options, &counts, &err), -ERR_AUTH);
	assert_int_equal(counts.answered, 0);
	assert_int_equal(source.finished, 0);
	fake_source_release(&source);
	fake_server_free(server);
}

/* Answered, of a connection whose beginning is not there, and of a whole one. */
struct arrivals {
	atomic_int in_the_middle, whole;
	atomic_bool stop;
};

static void count_arrival(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct arrivals *a = user;

	if (str_starts(request->head, STR("GET /middle ")))
		a->in_the_middle++;
	else
		a->whole++;
	fake_reply_json(reply, 200, "{}");
}

static void stop_when_the_whole_one_is_done(void *user, const struct replay_counts *counts)
{
	struct arrivals *a = user;

	if (counts->answered >= REQUESTS)
		a->stop = true;
}

static void add_reads(struct fake_source *source, const char *id, struct str request, bool whole)
{
	static const struct str answer = STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
	const struct record_time time = {1700000000, 0};
	struct record_writer *w = record_writer_new(STR("node"), str_from(id), MIB(1));

	for (int i = 0; i < REQUESTS; i++) {
		if (i == 1 && !whole) {
			record_writer_flush(w);
			record_free(record_writer_take(w));
		}
		record_writer_read(w, time, request);
		record_writer_end_of_message(w, time, RECORD_UNKNOWN, RECORD_UNKNOWN);
		record_writer_write(w, time, answer);
	}
	record_writer_close(w, time);
	fake_source_add(source, w);
}

static void a_connection_that_is_begun_in_its_middle_waits_until_it_is_quiet(void **state)
{
	static struct fake_source source;
	struct arrivals arrivals = {0};
	struct fake_server *server = fake_server_start(count_arrival, &arrivals);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	struct err err = {0};

	(void)state;
	options.quiescent_ms = 3600000;
	options.report = stop_when_the_whole_one_is_done;
	options.user = &arrivals;
	options.stop = &arrivals.stop;
	add_reads(&source, "a", STR("GET /middle HTTP/1.1\r\n\r\n"), false);
	add_reads(&source, "b", STR("GET /whole HTTP/1.1\r\n\r\n"), true);
	assert_int_equal(replay_run(&options, &counts, &err), -ERR_CANCELLED);
	assert_int_equal(arrivals.in_the_middle, 0);
	assert_int_equal(arrivals.whole, REQUESTS);
	fake_source_release(&source);
	fake_server_free(server);
}

/* A document, and which of its updates came. */
struct document {
	int64_t version;
	size_t questions;
	char order[8];
};

static void serve_document(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct document *d = user;
	char text[200];
	size_t came = strlen(d->order);

	if (str_starts(request->head, STR("POST /_mget "))) {
		d->questions++;
		snprintf(text, sizeof(text),
			 d->version ? "{\"docs\":[{\"_id\":\"x\",\"found\":true,\"_version\":%d,"
				      "\"_seq_no\":%d,\"_primary_term\":1}]}"
				    : "{\"docs\":[{\"_id\":\"x\",\"found\":false}]}",
			 (int)d->version, (int)d->version);
		return fake_reply_json(reply, 200, text);
	}
	if (str_starts(request->head, STR("POST /_bulk ")))
		return fake_reply_json(reply, 200, "{\"items\":[{\"delete\":{\"status\":404}}]}");
	/* Those that follow have waited for long by then. */
	if (str_starts(request->head, STR("PUT /i/_doc/x")) && d->questions < 6)
		return fake_reply_json(reply, 503, "{}");
	if (str_starts(request->head, STR("POST /i/_update/x")) && came + 1 < sizeof(d->order))
		d->order[came] = request->body.ptr[request->body.len - 3];
	d->version++;
	fake_reply_json(reply, 200, "{\"result\":\"updated\"}");
}

/* A request of a connection of its own, all at one time, and the version that the source gave. */
static void add_write(struct fake_source *source, const char *line, const char *body, int version)
{
	const struct record_time time = {1700000000, 0}, end = {1700000001, 0};
	char id[16], text[300], answer[100];
	struct record_writer *w;

	snprintf(id, sizeof(id), "c%d", version);
	w = record_writer_new(STR("node"), str_from(id), MIB(1));
	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", line,
		 strlen(body), body);
	record_writer_read(w, time, str_from(text));
	record_writer_end_of_message(w, time, RECORD_UNKNOWN, RECORD_UNKNOWN);
	snprintf(answer, sizeof(answer), "{\"_id\":\"x\",\"_version\":%d,\"result\":\"updated\"}",
		 version);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(answer), answer);
	record_writer_write(w, end, str_from(text));
	record_writer_close(w, end);
	fake_source_add(source, w);
}

static void updates_that_waited_for_long_go_in_their_order(void **state)
{
	static struct fake_source source;
	struct document document = {0};
	struct fake_server *server = fake_server_start(serve_document, &document);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	struct err err = {0};

	(void)state;
	options.rules.source_versions = true;
	options.update_wait_ms = 1;
	add_write(&source, "PUT /i/_doc/x", "{\"n\":1}", 1);
	add_write(&source, "POST /i/_update/x", "{\"doc\":{\"n\":4}}", 4);
	add_write(&source, "POST /i/_update/x", "{\"doc\":{\"n\":3}}", 3);
	add_write(&source, "POST /i/_update/x", "{\"doc\":{\"n\":2}}", 2);
	if (replay_run(&options, &counts, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(document.order, "234");
	assert_int_equal(counts.job.updates_out_of_order, 0);
	fake_source_release(&source);
	fake_server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_is_begun_in_its_middle_waits_until_it_is_quiet),
		cmocka_unit_test(writes_are_not_done_when_credentials_are_refused),
		cmocka_unit_test(updates_that_waited_for_long_go_in_their_order),
		cmocka_unit_test(what_the_source_refused_too_is_sent_once),
		cmocka_unit_test(requests_of_a_connection_keep_their_order_under_retries),
	};

	return cmocka_run_group_tests(tests, raise_limit, NULL);
}
