#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "log_folder.h"
#include "base/clock.h"
#include "traffic/kafka_log.h"

#define TOPIC "records"
#define PATIENCE_MS 60000
#define LOOK_MS 10

/* Brokers inside librdkafka. */
struct brokers {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
};

static void brokers_start(struct brokers *brokers, int partitions)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)),
			 RD_KAFKA_CONF_OK);
	brokers->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(brokers->rk);
	brokers->cluster = rd_kafka_handle_mock_cluster(brokers->rk);
	assert_int_equal(rd_kafka_mock_topic_create(brokers->cluster, TOPIC, partitions, 1),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void leave_in_spool(const struct log_folder *spool, struct str bytes)
{
	struct segment_log *log = log_folder_open(spool, &(struct segment_log_options){0});
	uint64_t offset;

	assert_int_equal(append_and_wait(spool, log, STR("a"), 1, bytes, &offset), 0);
	segment_log_close(log);
}

static struct kafka_log *open_log_of(const struct brokers *brokers, const struct log_folder *spool,
				     const char *properties, int64_t timeout_ms)
{
	const struct kafka_log_options options = {
		.kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(brokers->cluster),
			  .topic = TOPIC,
			  .property_file = properties},
		.timeout_ms = timeout_ms,
		.spool = spool->path,
		.must_be_there = true};
	struct kafka_log *log = NULL;
	struct err err = {0};

	if (kafka_log_open(&options, &log, &err) < 0)
		fail_msg("%s", err.message);
	return log;
}

static struct kafka_log *open_log(const struct brokers *brokers, const struct log_folder *spool,
				  const char *properties)
{
	return open_log_of(brokers, spool, properties, PATIENCE_MS);
}

/* New records wait for the last ones of the spool then. */
static void test_closing_while_the_spool_is_emptied_ends(void **state)
{
	struct completion done = {0}, *told;
	struct log_folder spool;
	struct brokers brokers;
	struct kafka_log_state now;
	struct kafka_log *log;
	struct err err = {0};

	(void)state;
	log_folder_make(&spool);
	brokers_start(&brokers, 1);
	leave_in_spool(&spool, STR("before"));
	rd_kafka_mock_broker_set_rtt(brokers.cluster, 1, 400);
	log = open_log(&brokers, &spool, NULL);
	do {
		assert_null(completion_queue_wait(spool.queue, LOOK_MS));
		kafka_log_state(log, &now);
	} while (now.in_flight == 0 && now.spooling);
	done.queue = spool.queue;
	if (kafka_log_append_bytes(log, STR("b"), 2, STR("behind"), &done, &err) < 0)
		fail_msg("%s", err.message);
	kafka_log_close(log);
	told = completion_queue_wait(spool.queue, PATIENCE_MS);
	assert_ptr_equal(told, &done);
	assert_int_equal(told->failed, ERR_NONE);
	rd_kafka_destroy(brokers.rk);
	log_folder_remove(&spool);
}

/* It comes to that when a record went to the spool while no broker was there to refuse it. */
static void test_a_record_of_the_spool_that_is_too_large_does_not_hold_up_the_others(void **state)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	char large[2000] = {0}, path[] = "/tmp/kafka-properties-XXXXXX";
	int fd = mkstemp(path);
	struct kafka_log_state now;
	struct log_folder spool;
	struct brokers brokers;
	struct kafka_log *log;

	(void)state;
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "max.request.size=1000\n") > 0);
	close(fd);
	log_folder_make(&spool);
	brokers_start(&brokers, 1);
	leave_in_spool(&spool, str_of(large, sizeof(large)));
	leave_in_spool(&spool, STR("small"));
	log = open_log(&brokers, &spool, path);
	do {
		assert_null(completion_queue_wait(spool.queue, LOOK_MS));
		kafka_log_state(log, &now);
	} while (now.spooling && clock_monotonic_ms() < until);
	assert_false(now.spooling);
	assert_int_equal(now.failed, 1);
	assert_int_equal(now.sent, 1);
	kafka_log_close(log);
	rd_kafka_destroy(brokers.rk);
	log_folder_remove(&spool);
	unlink(path);
}

enum { PARTITIONS = 5, KEYS = 40 };

/* Takes one record out of the topic, and tells its partition by its key, a number. */
static bool look_up(rd_kafka_t *consumer, int32_t *partitions)
{
	rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, LOOK_MS);
	bool got = message && !message->err;

	if (got)
		partitions[atoi((const char *)message->key)] = message->partition;
	if (message)
		rd_kafka_message_destroy(message);
	return got;
}

static rd_kafka_t *read_all(const struct brokers *brokers)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(PARTITIONS);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *consumer;
	char why[256];

	rd_kafka_conf_set(conf, "bootstrap.servers",
			  rd_kafka_mock_cluster_bootstraps(brokers->cluster), why, sizeof(why));
	rd_kafka_conf_set(conf, "group.id", "test", why, sizeof(why));
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	assert_non_null(consumer);
	for (int32_t i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(all, TOPIC, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(consumer, all), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(all);
	return consumer;
}

static void test_the_partition_of_a_key_is_known_before_it_is_sent(void **state)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	int32_t partitions[KEYS];
	struct log_folder spool;
	struct brokers brokers;
	struct kafka_log *log;
	rd_kafka_t *consumer;
	struct err err = {0};
	int got = 0;

	(void)state;
	log_folder_make(&spool);
	brokers_start(&brokers, PARTITIONS);
	log = open_log(&brokers, &spool, NULL);
	assert_int_equal(kafka_log_partitions(log), PARTITIONS);
	for (int i = 0; i < KEYS; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d/key", i);
		if (kafka_log_append_bytes(log, str_from(key), 1, STR("x"), NULL, &err) < 0)
			fail_msg("%s", err.message);
	}
	kafka_log_close(log);
	consumer = read_all(&brokers);
	while (got < KEYS && clock_monotonic_ms() < until)
		got += look_up(consumer, partitions);
	assert_int_equal(got, KEYS);
	for (int i = 0; i < KEYS; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d/key", i);
		assert_int_equal(partitions[i], kafka_log_partition_of(str_from(key), PARTITIONS));
	}
	rd_kafka_destroy(consumer);
	rd_kafka_destroy(brokers.rk);
	log_folder_remove(&spool);
}

enum { CONNECTIONS = 50, RECORDS = 4, TIMEOUT_MS = 500 };

struct numbered {
	struct completion done; /* first */
	int connection, number;
};

static void append_all(struct kafka_log *log, struct completion_queue *queue,
		       struct numbered all[CONNECTIONS * RECORDS])
{
	struct err err = {0};
	char key[16];

	for (int i = 0; i < CONNECTIONS * RECORDS; i++) {
		all[i] = (struct numbered){.done.queue = queue,
					   .connection = i % CONNECTIONS,
					   .number = i / CONNECTIONS};
		snprintf(key, sizeof(key), "%d", all[i].connection);
		if (kafka_log_append_bytes(log, str_from(key), 1, STR("record"), &all[i].done,
					   &err) < 0)
			fail_msg("%s", err.message);
	}
}

/* All are stored, those of a connection in their order. */
static void assert_all_stored(struct completion_queue *queue)
{
	int next[CONNECTIONS] = {0}, left = CONNECTIONS * RECORDS;

	while (left > 0) {
		struct completion *one = completion_queue_wait(queue, PATIENCE_MS);

		assert_non_null(one);
		for (; one; one = one->next, left--) {
			const struct numbered *record = (const struct numbered *)one;

			assert_int_equal(one->failed, ERR_NONE);
			assert_int_equal(record->number, next[record->connection]++);
		}
	}
}

/* More of a partition than librdkafka sends at a time. */
static void test_records_of_many_connections_are_taken_in_the_order_of_each(void **state)
{
	static struct numbered all[CONNECTIONS * RECORDS];

	(void)state;
	for (int partitions = 1; partitions <= 3; partitions += 2) {
		struct log_folder spool;
		struct brokers brokers;
		struct kafka_log_state now;
		struct kafka_log *log;

		log_folder_make(&spool);
		brokers_start(&brokers, partitions);
		rd_kafka_mock_broker_set_rtt(brokers.cluster, 1, 20);
		log = open_log(&brokers, &spool, NULL);
		append_all(log, spool.queue, all);
		assert_all_stored(spool.queue);
		kafka_log_state(log, &now);
		assert_int_equal(now.sent, CONNECTIONS * RECORDS);
		assert_int_equal(now.in_flight, 0);
		kafka_log_close(log);
		rd_kafka_destroy(brokers.rk);
		log_folder_remove(&spool);
	}
}

static void test_records_that_wait_for_others_go_to_the_spool_when_no_broker_answers(void **state)
{
	static struct numbered all[CONNECTIONS * RECORDS];
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	struct log_folder spool;
	struct brokers brokers;
	struct kafka_log_state now;
	struct kafka_log *log;

	(void)state;
	log_folder_make(&spool);
	brokers_start(&brokers, 1);
	rd_kafka_mock_broker_set_rtt(brokers.cluster, 1, 100);
	log = open_log_of(&brokers, &spool, NULL, TIMEOUT_MS);
	append_all(log, spool.queue, all);
	rd_kafka_mock_broker_set_down(brokers.cluster, 1);
	assert_all_stored(spool.queue);
	rd_kafka_mock_broker_set_rtt(brokers.cluster, 1, 0);
	rd_kafka_mock_broker_set_up(brokers.cluster, 1);
	do {
		assert_null(completion_queue_wait(spool.queue, LOOK_MS));
		kafka_log_state(log, &now);
	} while (now.spooling && clock_monotonic_ms() < until);
	assert_false(now.spooling);
	assert_int_equal(now.failed, 0);
	assert_int_equal(now.sent, CONNECTIONS * RECORDS);
	kafka_log_close(log);
	rd_kafka_destroy(brokers.rk);
	log_folder_remove(&spool);
}

static void note_warning(void *user, const char *message)
{
	if (strstr(message, "no Kafka broker"))
		atomic_fetch_add((atomic_int *)user, 1);
}

static void test_brokers_that_are_gone_are_a_warning(void **state)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	atomic_int warnings = 0;
	struct kafka_log *log = NULL;
	struct brokers brokers;
	struct err err = {0};

	(void)state;
	brokers_start(&brokers, 1);
	if (kafka_log_open(
		    &(struct kafka_log_options){
			    .kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(brokers.cluster),
				      .topic = TOPIC,
				      .warn = note_warning,
				      .user = &warnings},
			    .must_be_there = true},
		    &log, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(atomic_load(&warnings), 0);
	rd_kafka_mock_broker_set_down(brokers.cluster, 1);
	while (atomic_load(&warnings) == 0 && clock_monotonic_ms() < until)
		usleep(LOOK_MS * 1000);
	assert_true(atomic_load(&warnings) > 0);
	kafka_log_close(log);
	rd_kafka_destroy(brokers.rk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closing_while_the_spool_is_emptied_ends),
		cmocka_unit_test(
			test_a_record_of_the_spool_that_is_too_large_does_not_hold_up_the_others),
		cmocka_unit_test(test_the_partition_of_a_key_is_known_before_it_is_sent),
		cmocka_unit_test(test_records_of_many_connections_are_taken_in_the_order_of_each),
		cmocka_unit_test(test_brokers_that_are_gone_are_a_warning),
		cmocka_unit_test(
			test_records_that_wait_for_others_go_to_the_spool_when_no_broker_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
