#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "traffic/kafka_source.h"

#define TOPIC "records"
#define SYNC_GROUP 14 /* number of the request */

/* Brokers inside librdkafka. */
struct brokers {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
};

static void brokers_start(struct brokers *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)),
			 RD_KAFKA_CONF_OK);
	brokers->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(brokers->rk);
	brokers->cluster = rd_kafka_handle_mock_cluster(brokers->rk);
	assert_int_equal(rd_kafka_mock_topic_create(brokers->cluster, TOPIC, 1, 1),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
}

static struct record_source *open_source(const struct brokers *brokers)
{
	const struct kafka_source_options options = {
		.kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(brokers->cluster),
			  .topic = TOPIC,
			  .group = "readers"}};
	struct record_source *source = NULL;
	struct err err = {0};

	if (kafka_source_open(&options, &source, &err) < 0)
		fail_msg("%s", err.message);
	return source;
}

static void test_a_member_without_an_assignment_can_be_closed(void **state)
{
	rd_kafka_resp_err_t refused[100];
	struct record_source *source;
	struct record_item item;
	struct brokers brokers;
	struct err err = {0};

	(void)state;
	brokers_start(&brokers);
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		refused[i] = RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
	rd_kafka_mock_push_request_errors_array(brokers.cluster, SYNC_GROUP, COUNT_OF(refused),
						refused);
	source = open_source(&brokers);
	/* Long enough to have joined: brokers let a new group gather for 3 seconds. */
	assert_int_equal(record_source_next(source, 5000, &item, &err), RECORD_SOURCE_NOTHING_YET);
	record_source_close(source);
	rd_kafka_destroy(brokers.rk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_member_without_an_assignment_can_be_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
