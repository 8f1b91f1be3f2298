#include "capture/proxy.h"

#include "base/clock.h"
#include "base/small_file.h"
#include "capture/metrics.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define FORMER "11111111-1111-4111-8111-111111111111\n"
#define PATIENCE_MS 60000
#define FAILS_AFTER_MS 1500 /* longer than a mark waits before it is tried again */

static void wait_for_count(const counter *one, uint64_t count)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (counter_get(one) < count) {
		if (clock_monotonic_ms() > until)
			fail_msg("it takes too long");
		usleep(1000);
	}
}

static void wait_for(const counter *one)
{
	wait_for_count(one, 1);
}

static struct sink *sink_of(rd_kafka_mock_cluster_t *cluster, int64_t timeout_ms)
{
	const struct kafka_log_options options = {
		.kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster), .topic = "records"},
		.timeout_ms = timeout_ms,
		.buffer_bytes = 8192,
		.must_be_there = true};
	struct err err = {0};
	struct sink *sink;

	if (sink_open_kafka(&options, &sink, &err) < 0)
		fail_msg("%s", err.message);
	return sink;
}

static struct proxy *start(struct sink *sink, const char *lives, const char *to,
			   int64_t capture_timeout_ms)
{
	struct proxy_options options = {.listen_host = "127.0.0.1",
					.threads = 1,
					.sink = sink,
					.lives = lives,
					.record_limit = 4096,
					.head_limit = 4096,
					.max_connections = 10,
					.idle_timeout_ms = 10 * PATIENCE_MS,
					.header_timeout_ms = 10 * PATIENCE_MS,
					.connect_timeout_ms = 10 * PATIENCE_MS,
					.flush_ms = 1000,
					.capture_timeout_ms = capture_timeout_ms};
	struct err err = {0};
	struct proxy *proxy;

	if (destination_new(to, &(struct destination_tls){0}, &options.destination, &err) < 0 ||
	    proxy_start(&options, &proxy, &err) < 0)
		fail_msg("%s", err.message);
	return proxy;
}

/* What the process before left open is for the next to tell. */
static void it_ends_though_its_mark_is_taken_by_nobody(void **state)
{
	char folder[] = "/tmp/proxyXXXXXX", path[64], lock[64];
	rd_kafka_mock_cluster_t *cluster;
	struct err err = {0};
	struct proxy *proxy;
	struct sink *sink;
	rd_kafka_t *rk;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/lives", folder);
	snprintf(lock, sizeof(lock), "%s/lives.lock", folder);
	assert_int_equal(small_file_replace(path, STR(FORMER), &err), 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
	assert_non_null(rk);
	cluster = rd_kafka_mock_cluster_new(rk, 1);
	assert_int_equal(rd_kafka_mock_topic_create(cluster, "records", 1, 1), 0);
	sink = sink_of(cluster, FAILS_AFTER_MS);
	rd_kafka_mock_broker_set_down(cluster, 1);
	proxy = start(sink, path, "http://127.0.0.1:1", 1000);
	wait_for(&proxy_counters(proxy)->records_lost);
	proxy_stop(proxy);
	sink_close(sink);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(folder), 0);
}

static int local_socket(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	return fd;
}

/* One that takes connections, and never says anything. */
static int listening_source(char url[static 64])
{
	struct sockaddr_in address = {0};
	socklen_t len = sizeof(address);
	int fd = local_socket(&address);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, 64, "http://127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

static void be_patient(int fd)
{
	const struct timeval most = {.tv_sec = PATIENCE_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

static int connect_to(const struct proxy *proxy)
{
	struct sockaddr_in address = {.sin_port = htons(proxy_port(proxy))};
	int fd = local_socket(&address);

	be_patient(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int take_connection(int listener)
{
	int fd = accept(listener, NULL, NULL);

	assert_true(fd >= 0);
	be_patient(fd);
	return fd;
}

/* The beginning of the answer to a request with a body of many records. */
static void put(const struct proxy *proxy, char *answer, size_t size)
{
	static char body[200000]; /* more than is read ahead */
	const char *head = "PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
	int fd = connect_to(proxy);

	assert_int_equal(send(fd, head, strlen(head), 0), strlen(head));
	assert_int_equal(send(fd, body, sizeof(body), 0), sizeof(body));
	memset(answer, 0, size);
	assert_int_equal(recv(fd, answer, size - 1, MSG_WAITALL), size - 1);
	close(fd);
}

static void a_request_whose_records_find_no_room_is_answered(void **state)
{
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
	char url[64], answer[13];
	struct proxy *proxy;
	struct sink *sink;
	int source = listening_source(url);

	(void)state;
	assert_int_equal(rd_kafka_mock_topic_create(cluster, "records", 1, 1), 0);
	sink = sink_of(cluster, 600000);
	rd_kafka_mock_broker_set_down(cluster, 1);
	proxy = start(sink, NULL, url, 1000);
	put(proxy, answer, sizeof(answer));
	assert_string_equal(answer, "HTTP/1.1 503");
	rd_kafka_mock_broker_set_up(cluster, 1);
	proxy_stop(proxy);
	sink_close(sink);
	close(source);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
}

/* One whose records are stored at once, or not at all: the folder is gone. */
static struct sink *folder_sink(char *folder, bool stores)
{
	struct err err = {0};
	struct sink *sink;

	assert_non_null(mkdtemp(folder));
	if (sink_open_trace_folder(folder, &sink, &err) < 0)
		fail_msg("%s", err.message);
	if (!stores)
		assert_int_equal(rmdir(folder), 0);
	return sink;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void hear(int fd, const char *text)
{
	char heard[512] = "";

	assert_true(strlen(text) < sizeof(heard));
	assert_int_equal(recv(fd, heard, strlen(text), MSG_WAITALL), strlen(text));
	assert_string_equal(heard, text);
}

/* Once so many connections have gone and nothing of them is left; frees all. */
static void metrics_at_the_end(struct proxy *proxy, struct sink *sink, uint64_t connections,
			       struct buf *out)
{
	const struct proxy_counters *counters = proxy_counters(proxy);
	struct duration_tally commits, blocked;

	wait_for_count(&counters->removed, connections);
	capture_metrics(proxy, sink, NULL, out);
	commits = proxy_activity(proxy, CAPTURE_COMMIT);
	blocked = proxy_activity(proxy, CAPTURE_BLOCKED);
	assert_int_equal(commits.count, counter_get(&counters->records));
	assert_int_equal(commits.failed, counter_get(&counters->records_lost));
	if (blocked.failed == 0)
		assert_int_equal(blocked.sum_us, counter_get(&counters->held_us));
	proxy_stop(proxy);
	sink_close(sink);
}

static void assert_says(const struct buf *text, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char line[200];

		snprintf(line, sizeof(line), "\n%s\n", lines[i]);
		if (!strstr(text->ptr, line))
			fail_msg("%s is not in %s", lines[i], text->ptr);
	}
}

struct watched {
	char folder[sizeof("/tmp/proxyXXXXXX")];
	bool stores;
	int source;
	struct sink *sink;
	struct proxy *proxy;
};

static struct watched watch_proxy(bool stores)
{
	struct watched w = {.folder = "/tmp/proxyXXXXXX", .stores = stores};
	char url[64];

	w.sink = folder_sink(w.folder, stores);
	w.source = listening_source(url);
	w.proxy = start(w.sink, NULL, url, 1000);
	return w;
}

static void metrics_say_at_the_end(struct watched *w, uint64_t connections,
				   const char *const *lines, size_t count)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	char command[100];

	metrics_at_the_end(w->proxy, w->sink, connections, &text);
	assert_says(&text, lines, count);
	close(w->source);
	snprintf(command, sizeof(command), "rm -r '%s'", w->folder);
	assert_int_equal(w->stores ? system(command) : 0, 0);
}

static void it_counts_what_it_does_under_the_names_of_the_java_proxy(void **state)
{
	static const char put_request[] = "PUT /i HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
			  get_request[] = "GET / HTTP/1.1\r\n\r\n",
			  answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
			  interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	static const char *const lines[] = {
		"captureConnectionCount_total 1",
		"captureConnectionExceptionCount_total 0",
		"# TYPE captureConnectionDuration_milliseconds histogram",
		"captureConnectionDuration_milliseconds_count 1",
		"unregistered_total 1",
		"removed_total 1",
		"shardlift_capture_connections_total 1",
		"gatheringRequestCount_total 3",
		"gatheringRequestExceptionCount_total 0",
		"gatheringRequestDuration_milliseconds_count 3",
		"blockedCount_total 1",
		"blockedExceptionCount_total 0",
		"blockedDuration_milliseconds_count 1",
		"waitingForResponseCount_total 3",
		"waitingForResponseExceptionCount_total 0",
		"waitingForResponseDuration_milliseconds_count 3",
		"gatheringResponseCount_total 3",
		"gatheringResponseExceptionCount_total 0",
		"gatheringResponseDuration_milliseconds_count 3",
		"# TYPE kafkaCommitCount_total counter",
		"kafkaCommitExceptionCount_total 0",
		"# TYPE kafkaCommitDuration_milliseconds histogram",
	};
	struct watched w = watch_proxy(true);
	int client, there;

	(void)state;
	client = connect_to(w.proxy);
	say(client, put_request);
	there = take_connection(w.source);
	hear(there, put_request);
	say(there, interim);
	hear(client, interim);
	say(there, answer);
	hear(client, answer);
	say(there, "{}");
	hear(client, "{}");
	/* The second waits for the first's answer, and is let go then. */
	say(client, get_request);
	say(client, get_request);
	for (int i = 0; i < 2; i++) {
		hear(there, get_request);
		say(there, answer);
		say(there, "{}");
		hear(client, answer);
		hear(client, "{}");
	}
	close(client);
	close(there);
	metrics_say_at_the_end(&w, 1, lines, COUNT_OF(lines));
}

static void an_answer_before_the_request_is_whole_is_waited_for_by_nobody(void **state)
{
	static const char head[] = "PUT /i HTTP/1.1\r\nContent-Length: 2\r\n\r\n{",
			  answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static const char *const lines[] = {
		"captureConnectionExceptionCount_total 0", "gatheringRequestCount_total 1",
		"gatheringRequestExceptionCount_total 0",  "blockedCount_total 1",
		"waitingForResponseCount_total 0",         "gatheringResponseCount_total 1",
		"gatheringResponseExceptionCount_total 0",
	};
	struct watched w = watch_proxy(true);
	int client, there;

	(void)state;
	client = connect_to(w.proxy);
	say(client, head);
	there = take_connection(w.source);
	hear(there, head);
	say(there, answer);
	hear(client, answer);
	say(client, "}");
	hear(there, "}");
	close(client);
	close(there);
	metrics_say_at_the_end(&w, 1, lines, COUNT_OF(lines));
}

static void what_breaks_off_is_counted_where_it_does(void **state)
{
	static const char *const lines[] = {
		"captureConnectionExceptionCount_total 1", /* half a request */
		"gatheringRequestCount_total 3",
		"gatheringRequestExceptionCount_total 1",
		"blockedCount_total 1",
		"blockedExceptionCount_total 1", /* no record */
		"waitingForResponseCount_total 1",
		"waitingForResponseExceptionCount_total 1", /* no answer */
		"gatheringResponseCount_total 0",
	};
	static const char put_request[] = "PUT /i HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
			  get_request[] = "GET / HTTP/1.1\r\n\r\n";
	struct watched w = watch_proxy(false);
	int client, there;

	(void)state;
	client = connect_to(w.proxy);
	say(client, get_request);
	there = take_connection(w.source);
	hear(there, get_request);
	close(there);
	hear(client, "HTTP/1.1 502");
	close(client);
	client = connect_to(w.proxy);
	say(client, put_request);
	hear(client, "HTTP/1.1 503");
	close(client);
	client = connect_to(w.proxy);
	say(client, "GET / HT");
	close(client);
	metrics_say_at_the_end(&w, 3, lines, COUNT_OF(lines));
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define PUT_HEAD "PUT /i/_doc/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* A write is held by a broker that is away, its source says something and leaves, the broker comes
 * back. `begun`: the source has its head by then. */
static void hold_while_the_source_leaves(bool begun, const char *said)
{
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
	char url[64];
	int listener = listening_source(url), client, source;
	struct proxy *proxy;
	struct sink *sink;

	assert_int_equal(rd_kafka_mock_topic_create(cluster, "records", 1, 1), 0);
	be_patient(listener);
	sink = sink_of(cluster, 600000);
	proxy = start(sink, NULL, url, 10 * PATIENCE_MS);
	client = connect_to(proxy);
	say(client, GET);
	source = take_connection(listener);
	hear(source, GET);
	say(source, OK);
	hear(client, OK);
	rd_kafka_mock_broker_set_down(cluster, 1);
	if (begun) {
		say(client, PUT_HEAD);
		hear(source, PUT_HEAD);
	}
	say(client, begun ? "{}" : PUT_HEAD "{}");
	wait_for(&proxy_counters(proxy)->requests_held);
	say(source, said);
	close(source);
	if (begun) {
		hear(client, "HTTP/1.1 502");
		rd_kafka_mock_broker_set_up(cluster, 1);
	} else {
		while (counter_get(&proxy_counters(proxy)->upstream_connections) > 0)
			usleep(1000);
		assert_int_equal(counter_get(&proxy_counters(proxy)->refused), 0);
		rd_kafka_mock_broker_set_up(cluster, 1);
		source = take_connection(listener);
		hear(source, PUT_HEAD "{}");
		say(source, OK);
		hear(client, OK);
		close(source);
	}
	close(client);
	proxy_stop(proxy);
	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept(listener, NULL, NULL), -1);
	sink_close(sink);
	close(listener);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
}

static void a_held_request_whose_source_left_goes_by_another_connection(void **state)
{
	(void)state;
	hold_while_the_source_leaves(false, "");
	hold_while_the_source_leaves(false, "HTTP/1.1 408 Request Timeout\r\n\r\n");
}

static void a_held_request_that_has_begun_is_not_sent_again(void **state)
{
	(void)state;
	hold_while_the_source_leaves(true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_request_whose_source_left_goes_by_another_connection),
		cmocka_unit_test(a_held_request_that_has_begun_is_not_sent_again),
		cmocka_unit_test(a_request_whose_records_find_no_room_is_answered),
		cmocka_unit_test(it_ends_though_its_mark_is_taken_by_nobody),
		cmocka_unit_test(it_counts_what_it_does_under_the_names_of_the_java_proxy),
		cmocka_unit_test(an_answer_before_the_request_is_whole_is_waited_for_by_nobody),
		cmocka_unit_test(what_breaks_off_is_counted_where_it_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
