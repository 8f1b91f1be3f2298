#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "base/base64.h"
#include "traffic/kafka_internal.h"

/* 2015-08-30T12:36:00Z */
#define SIGNED_AT INT64_C(1440938160000)
/* As botocore signs it (SigV4QueryAuth), which is what aws-msk-iam-sasl-signer calls. */
#define WITHOUT_SESSION "f28e8f5d58461eadd7f29727b37c00ba271af034a7d0c0c1510fa07467b22862"
#define WITH_SESSION "42f5476361c34d78611753dd92ddccc2fd7ba3ce30df59d8a041f987648011d7"

/* Values of the Java client's own test of its murmur2 (UtilsTest). */
static void test_partitions_are_those_of_the_java_client(void **state)
{
	static const struct {
		const char *key;
		int32_t hash;
	} rows[] = {
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int32_t partitions = 1; partitions < 20; partitions++)
			assert_int_equal(rd_kafka_msg_partitioner_murmur2_random(
						 NULL, rows[i].key, strlen(rows[i].key), partitions,
						 NULL, NULL),
					 (rows[i].hash & 0x7fffffff) % partitions);
}

/* The address that a token holds. */
static char *address_of(const char *session_token)
{
	const struct sigv4_key key = {.access_key_id = "AKIDEXAMPLE",
				      .secret_access_key =
					      "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				      .session_token = session_token};
	cleanup(buf_release) struct buf token = BUF_INIT(MIB(1));
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct err err = {0};

	if (kafka_msk_token("eu-west-1", &key, SIGNED_AT, &token, &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < token.len; i++) {
		assert_null(strchr("+/=", token.ptr[i]));
		token.ptr[i] = token.ptr[i] == '-' ? '+' : token.ptr[i] == '_' ? '/' : token.ptr[i];
	}
	while (token.len % 4 != 0)
		buf_append_byte(&token, '=');
	assert_true(base64_decode(&text, buf_str(&token)));
	return str_dup(buf_str(&text));
}

static void test_a_token_is_a_signed_address(void **state)
{
	char *address = address_of(NULL);

	(void)state;
	assert_string_equal(
		address, "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect"
			 "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
			 "&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Feu-west-1%2Fkafka-cluster%"
			 "2Faws4_request"
			 "&X-Amz-Date=20150830T123600Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
			 "&X-Amz-Signature=" WITHOUT_SESSION "&User-Agent=shardlift");
	free(address);
}

static void test_a_session_token_is_signed_too(void **state)
{
	char *address = address_of("to/k+en==");

	(void)state;
	assert_non_null(strstr(address, "&X-Amz-Security-Token=to%2Fk%2Ben%3D%3D&"));
	assert_non_null(strstr(address, "&X-Amz-Signature=" WITH_SESSION "&"));
	free(address);
}

static void test_a_token_ends_with_the_key_that_signs_it(void **state)
{
	(void)state;
	assert_int_equal(kafka_msk_token_end_ms(1000, 0), 901000);
	assert_int_equal(kafka_msk_token_end_ms(1000, 900999), 900999);
	assert_int_equal(kafka_msk_token_end_ms(1000, 3600000), 901000);
}

static void test_the_region_is_in_the_names_of_msk(void **state)
{
	(void)state;
	assert_true(str_is(kafka_msk_region("b-1.a.abc12.c2.kafka.eu-west-1.amazonaws.com:9098,"
					    "b-2.a.abc12.c2.kafka.eu-west-1.amazonaws.com:9098"),
			   "eu-west-1"));
	assert_true(
		str_is(kafka_msk_region("boot-x.c3.kafka-serverless.us-east-2.amazonaws.com:9098"),
		       "us-east-2"));
	assert_true(
		str_is(kafka_msk_region(
			       "b-1-public.kafka.kafka-prod.c2.kafka.eu-west-1.amazonaws.com:9198"),
		       "eu-west-1"));
	assert_true(str_is(kafka_msk_region("b-1.a.b.c2.kafka.cn-north-1.amazonaws.com.cn:9098"),
			   "cn-north-1"));
	assert_null(kafka_msk_region("kafka.example.com:9092").ptr);
	assert_null(kafka_msk_region("s3.eu-west-1.amazonaws.com:443").ptr);
	assert_null(kafka_msk_region(".amazonaws.com").ptr);
	assert_null(kafka_msk_region("localhost:9092").ptr);
}

static void test_properties_of_the_java_client_get_librdkafkas_names(void **state)
{
	const char *name = "max.request.size", *reason = NULL;

	(void)state;
	assert_true(kafka_property_of_java(&name, "1048576", &reason));
	assert_string_equal(name, "message.max.bytes");
	name = "key.serializer";
	assert_true(kafka_property_of_java(&name, "org.apache.StringSerializer", &reason));
	assert_null(name);
	name = "linger.ms";
	assert_true(kafka_property_of_java(&name, "5", &reason));
	assert_string_equal(name, "linger.ms");
	name = "ssl.truststore.location";
	assert_false(kafka_property_of_java(&name, "/etc/trust.jks", &reason));
	assert_non_null(strstr(reason, "--kafka-ca-cert"));
}

static void test_a_jaas_configuration_has_a_user(void **state)
{
	struct str user, password;

	(void)state;
	assert_true(kafka_jaas_credentials(
		STR("org.apache.kafka.common.security.scram.ScramLoginModule required "
		    "username=\"we\" password=\"p=;w\";"),
		&user, &password));
	assert_true(str_is(user, "we"));
	assert_true(str_is(password, "p=;w"));
	assert_false(kafka_jaas_credentials(STR("X required username=\"we\""), &user, &password));
	assert_false(kafka_jaas_credentials(STR("X required username=\"we"), &user, &password));
	assert_false(kafka_jaas_credentials(STR(""), &user, &password));
}

static void test_brokers_that_stay_away_are_told_once(void **state)
{
	struct kafka_outage outage = {0};

	(void)state;
	assert_false(kafka_outage_lasts(&outage, 1000));
	for (int64_t begin = 2000; begin < 5000; begin += 1000) {
		kafka_outage_begin(&outage, begin);
		assert_true(kafka_outage_lasts(&outage, begin + 30000));
		assert_false(kafka_outage_lasts(&outage, begin + 30001));
	}
}

static void test_a_connection_that_ends_long_after_another_is_no_outage(void **state)
{
	struct kafka_outage outage = {0};

	(void)state;
	for (int64_t now = 900000; now < INT64_C(9000000); now += INT64_C(900000)) {
		assert_false(kafka_outage_lasts(&outage, now));
		kafka_outage_begin(&outage, now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partitions_are_those_of_the_java_client),
		cmocka_unit_test(test_a_token_is_a_signed_address),
		cmocka_unit_test(test_a_session_token_is_signed_too),
		cmocka_unit_test(test_a_token_ends_with_the_key_that_signs_it),
		cmocka_unit_test(test_the_region_is_in_the_names_of_msk),
		cmocka_unit_test(test_properties_of_the_java_client_get_librdkafkas_names),
		cmocka_unit_test(test_a_jaas_configuration_has_a_user),
		cmocka_unit_test(test_brokers_that_stay_away_are_told_once),
		cmocka_unit_test(test_a_connection_that_ends_long_after_another_is_no_outage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
