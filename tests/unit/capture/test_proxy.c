#include "capture/proxy.h"

#include "base/clock.h"
#include "base/small_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define FORMER "11111111-1111-4111-8111-111111111111\n"
#define PATIENCE_MS 60000
#define FAILS_AFTER_MS 1500 /* longer than a mark waits before it is tried again */

static void wait_for(const counter *one)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (counter_get(one) == 0) {
		if (clock_monotonic_ms() > until)
			fail_msg("it takes too long");
		usleep(1000);
	}
}

static struct sink *sink_of(rd_kafka_mock_cluster_t *cluster)
{
	const struct kafka_log_options options = {
		.kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster), .topic = "records"},
		.timeout_ms = FAILS_AFTER_MS,
		.must_be_there = true};
	struct err err = {0};
	struct sink *sink;

	if (sink_open_kafka(&options, &sink, &err) < 0)
		fail_msg("%s", err.message);
	return sink;
}

static struct proxy *start(struct sink *sink, const char *lives)
{
	struct proxy_options options = {.listen_host = "127.0.0.1",
					.threads = 1,
					.sink = sink,
					.lives = lives,
					.record_limit = 4096,
					.head_limit = 4096,
					.max_connections = 10};
	struct err err = {0};
	struct proxy *proxy;

	if (destination_new("http://127.0.0.1:1", &(struct destination_tls){0},
			    &options.destination, &err) < 0 ||
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
	sink = sink_of(cluster);
	rd_kafka_mock_broker_set_down(cluster, 1);
	proxy = start(sink, path);
	wait_for(&proxy_counters(proxy)->records_lost);
	proxy_stop(proxy);
	sink_close(sink);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_though_its_mark_is_taken_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
