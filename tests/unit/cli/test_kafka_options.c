#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/kafka_options.h"

static int read_flags(const char **argv, int argc, struct kafka_options *out, struct err *err)
{
	static struct arena mem; /* out points into it */
	static const struct opt_part parts[] = {{kafka_options, 0}, {0}};
	const struct opt_command command = {.name = "test", .parts = parts};
	struct kafka_fields fields = {0};
	struct opt_result result = {0};
	int got;

	arena_release(&mem);
	mem = ARENA_INIT(MIB(1));
	got = opt_parse(&command, argc, (char **)(uintptr_t)argv, &fields, &mem, &result, err);
	if (got == 0)
		got = kafka_fields_read(&fields, NULL, "test", out, err);
	return got;
}

#define READ(out, ...)                                                     \
	({                                                                 \
		const char *argv_[] = {__VA_ARGS__};                       \
		struct err err_ = {0};                                     \
		int got_ = read_flags(argv_, COUNT_OF(argv_), out, &err_); \
		if (got_ < 0)                                              \
			fail_msg("%s", err_.message);                      \
	})
#define REFUSED(...)                                                                            \
	({                                                                                      \
		const char *argv_[] = {__VA_ARGS__};                                            \
		struct kafka_options out_;                                                      \
		struct err err_ = {0};                                                          \
		assert_int_equal(read_flags(argv_, COUNT_OF(argv_), &out_, &err_), -ERR_USAGE); \
	})

static void test_names_of_the_java_tool_are_understood(void **state)
{
	struct kafka_options o;

	(void)state;
	READ(&o, "--kafkaConnection", "a:1,b:2", "--kafkaTopic", "t", "--kafkaClientId", "c",
	     "--kafkaPropertyFile", "p");
	assert_string_equal(o.brokers, "a:1,b:2");
	assert_string_equal(o.topic, "t");
	assert_string_equal(o.client_id, "c");
	assert_string_equal(o.property_file, "p");
	READ(&o, "--kafka-traffic-brokers", "a:1", "--kafka-traffic-property-file", "p");
	assert_string_equal(o.brokers, "a:1");
	assert_string_equal(o.topic, "logging-traffic-topic");
	assert_string_equal(o.property_file, "p");
}

static void test_ways_to_authenticate(void **state)
{
	struct kafka_options o;

	(void)state;
	READ(&o, "--kafka-brokers", "a:1");
	assert_false(o.tls || o.msk_iam || o.mechanism);
	READ(&o, "--kafkaAuthType", "ssl");
	assert_true(o.tls && !o.mechanism);
	READ(&o, "--kafkaAuthType", "scram-sha-512", "--kafkaUserName", "u", "--kafkaPassword",
	     "p");
	assert_true(o.tls);
	assert_string_equal(o.mechanism, "SCRAM-SHA-512");
	assert_string_equal(o.username, "u");
	assert_string_equal(o.password, "p");
	READ(&o, "--enableMSKAuth");
	assert_true(o.msk_iam && !o.mechanism);
	READ(&o, "--kafkaTrafficEnableMSKAuth");
	assert_true(o.msk_iam);
	READ(&o, "--kafka-sasl-mechanism", "PLAIN", "--kafka-username", "u", "--kafka-password",
	     "p");
	assert_false(o.tls);
	assert_string_equal(o.mechanism, "PLAIN");
}

static void test_what_does_not_go_together_is_refused(void **state)
{
	(void)state;
	REFUSED("--kafka-username", "u", "--kafka-password", "p");
	REFUSED("--kafka-sasl-mechanism", "PLAIN", "--kafka-username", "u");
	REFUSED("--enable-msk-auth", "--kafka-username", "u");
	REFUSED("--kafka-client-cert", "c");
	REFUSED("--kafka-auth-type", "kerberos");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_the_java_tool_are_understood),
		cmocka_unit_test(test_ways_to_authenticate),
		cmocka_unit_test(test_what_does_not_go_together_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
