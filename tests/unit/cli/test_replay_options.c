/* Flags and variables that users' scripts have for the Java replayer. */
#include "cli/command.h"
#include "cli/replay_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum expectation { TAKEN, NOT_USED, REFUSED };

struct flag {
	const char *name, *value; /* value NULL: none */
	const char *variable;     /* without TRAFFIC_REPLAYER_ */
	enum expectation expected;
};

/* Each flag of the Java replayer at 631dc8f8, its camelCase where scripts of the project have it.
 */
static const struct flag flags[] = {
	{"--target-uri", "http://a:1", "TARGET_URI", TAKEN},
	{"--targetUri", "http://a:1", "TARGET_URI", TAKEN},
	{"--mode", "dump-http", "MODE", TAKEN},
	{"--start-offset", "3", "START_OFFSET", TAKEN},
	{"--end-offset", "3", "END_OFFSET", TAKEN},
	{"--start-time", "2026-01-01T00:00:00Z", "START_TIME", TAKEN},
	{"--end-time", "2026-01-01T00:00:00Z", "END_TIME", TAKEN},
	{"--preview-bytes-read", "24", "PREVIEW_BYTES_READ", TAKEN},
	{"--preview-bytes-write", "24", "PREVIEW_BYTES_WRITE", TAKEN},
	{"--insecure", NULL, "INSECURE", TAKEN},
	{"--target-username", "u", "TARGET_USERNAME", TAKEN},
	{"--target-password", "p", "TARGET_PASSWORD", TAKEN},
	{"--remove-auth-header", NULL, "REMOVE_AUTH_HEADER", TAKEN},
	{"--sigv4-auth-header-service-region", "es,us-east-1", "SIGV4_AUTH_HEADER_SERVICE_REGION",
	 TAKEN},
	{"--transformer-config", "Noop", "TRANSFORMER_CONFIG", TAKEN},
	{"--transformer-config-encoded", "YQ==", "TRANSFORMER_CONFIG_ENCODED", TAKEN},
	{"--transformer-config-file", "f", "TRANSFORMER_CONFIG_FILE", TAKEN},
	{"--tuple-transformer-config", "Noop", "TUPLE_TRANSFORMER_CONFIG", TAKEN},
	{"--tuple-transformer-config-base64", "YQ==", "TUPLE_TRANSFORMER_CONFIG_BASE64", TAKEN},
	{"--tuple-transformer-config-file", "f", "TUPLE_TRANSFORMER_CONFIG_FILE", TAKEN},
	{"--request-filter-config", "{}", "REQUEST_FILTER_CONFIG", REFUSED},
	{"--response-post-processor-config", "{}", "RESPONSE_POST_PROCESSOR_CONFIG", REFUSED},
	{"--user-agent", "x", "USER_AGENT", TAKEN},
	{"-i", "f", NULL, TAKEN},
	{"--input", "f", "INPUT", TAKEN},
	{"-t", "200", NULL, TAKEN},
	{"--packet-timeout-seconds", "200", "PACKET_TIMEOUT_SECONDS", TAKEN},
	{"--speedup-factor", "2.5", "SPEEDUP_FACTOR", TAKEN},
	{"--speedupFactor", "2.5", "SPEEDUP_FACTOR", TAKEN},
	{"--lookahead-time-window", "500", "LOOKAHEAD_TIME_WINDOW", TAKEN},
	{"--max-concurrent-requests", "50", "MAX_CONCURRENT_REQUESTS", TAKEN},
	{"--num-client-threads", "1", "NUM_CLIENT_THREADS", TAKEN},
	{"--target-response-timeout", "30", "TARGET_RESPONSE_TIMEOUT", TAKEN},
	{"--quiescent-period-ms", "5000", "QUIESCENT_PERIOD_MS", TAKEN},
	{"--kafkaBrokers", "k:1", "KAFKA_BROKERS", TAKEN},
	{"--kafka-traffic-brokers", "k:1", "KAFKA_TRAFFIC_BROKERS", TAKEN},
	{"--kafkaTrafficBrokers", "k:1", "KAFKA_TRAFFIC_BROKERS", TAKEN},
	{"--kafkaTopic", "t", "KAFKA_TOPIC", TAKEN},
	{"--kafka-traffic-topic", "t", "KAFKA_TRAFFIC_TOPIC", TAKEN},
	{"--kafkaGroupId", "g", "KAFKA_GROUP_ID", TAKEN},
	{"--kafka-traffic-group-id", "g", "KAFKA_TRAFFIC_GROUP_ID", TAKEN},
	{"--kafkaAuthType", "scram-sha-512", "KAFKA_AUTH_TYPE", TAKEN},
	{"--kafka-traffic-auth-type", "msk-iam", "KAFKA_TRAFFIC_AUTH_TYPE", TAKEN},
	{"--kafka-traffic-enable-msk-auth", NULL, "KAFKA_TRAFFIC_ENABLE_MSK_AUTH", TAKEN},
	{"--kafkaUserName", "u", "KAFKA_USER_NAME", TAKEN},
	{"--kafka-traffic-user-name", "u", "KAFKA_TRAFFIC_USER_NAME", TAKEN},
	{"--kafkaPassword", "p", "KAFKA_PASSWORD", TAKEN},
	{"--kafka-traffic-password", "p", "KAFKA_TRAFFIC_PASSWORD", TAKEN},
	{"--kafkaPropertyFile", "f", "KAFKA_PROPERTY_FILE", TAKEN},
	{"--kafka-traffic-property-file", "f", "KAFKA_TRAFFIC_PROPERTY_FILE", TAKEN},
	{"--kafkaListenerName", "l", "KAFKA_LISTENER_NAME", TAKEN},
	{"--kafka-traffic-listener-name", "l", "KAFKA_TRAFFIC_LISTENER_NAME", TAKEN},
	{"--kafkaSecretName", "s", "KAFKA_SECRET_NAME", TAKEN},
	{"--kafka-traffic-secret-name", "s", "KAFKA_TRAFFIC_SECRET_NAME", TAKEN},
	{"--otelTraceCollectorEndpoint", "http://o", "OTEL_TRACE_COLLECTOR_ENDPOINT", NOT_USED},
	{"--otel-metrics-collector-endpoint", "http://o", "OTEL_METRICS_COLLECTOR_ENDPOINT",
	 NOT_USED},
	{"--tuple-s3-bucket", "b", "TUPLE_S3_BUCKET", TAKEN},
	{"--tuple-s3-region", "r", "TUPLE_S3_REGION", TAKEN},
	{"--tuple-s3-endpoint", "http://s", "TUPLE_S3_ENDPOINT", TAKEN},
	{"--tuple-s3-prefix", "p/", "TUPLE_S3_PREFIX", TAKEN},
	{"--tuple-max-buffer-seconds", "5", "TUPLE_MAX_BUFFER_SECONDS", TAKEN},
	{"--tuple-max-file-size-mb", "5", "TUPLE_MAX_FILE_SIZE_MB", TAKEN},
	{"--tuple-max-per-file", "5", "TUPLE_MAX_PER_FILE", TAKEN},
	{"--non-retryable-doc-exception-types", "a,b", "NON_RETRYABLE_DOC_EXCEPTION_TYPES", TAKEN},
};

static int parse(int argc, char **argv, struct replay_fields *fields, struct arena *mem,
		 struct err *err)
{
	struct opt_result result = {0};

	*fields = (struct replay_fields){0};
	return opt_parse(&command_replay.options, argc, argv, fields, mem, &result, err);
}

static size_t ignored_of(const struct replay_fields *fields)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(fields->java.ignored); i++)
		count += fields->java.ignored[i] != NULL;
	return count;
}

static void assert_outcome(const struct flag *flag, struct replay_fields *fields)
{
	struct err err = {0};
	int got = replay_java_options_resolve(fields, &err);

	if (flag->expected != REFUSED) {
		assert_int_equal(got, 0);
		assert_int_equal(ignored_of(fields), flag->expected == NOT_USED);
		return;
	}
	assert_int_equal(got, -ERR_USAGE);
	assert_non_null(strstr(err.message, flag->name));
	assert_non_null(strstr(err.message, " by --"));
}

static void each_flag_is_taken_or_refused_with_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		char *argv[] = {(char *)(uintptr_t)flags[i].name,
				(char *)(uintptr_t)flags[i].value};
		struct replay_fields given, none;
		struct err err = {0};

		assert_int_equal(parse(0, argv, &none, &mem, &err), 0);
		if (parse(flags[i].value ? 2 : 1, argv, &given, &mem, &err) < 0)
			fail_msg("%s: %s", flags[i].name, err.message);
		if (memcmp(&given, &none, sizeof(given)) == 0)
			fail_msg("%s changes nothing", flags[i].name);
		assert_outcome(&flags[i], &given);
	}
}

/* The two below tell what was given by what it changes. */
static void nothing_given_gives_the_same_twice(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct replay_fields one, other;
	struct err err = {0};

	(void)state;
	assert_int_equal(parse(0, NULL, &one, &mem, &err), 0);
	assert_int_equal(parse(0, NULL, &other, &mem, &err), 0);
	assert_memory_equal(&one, &other, sizeof(one));
}

static void each_variable_counts_as_its_flag(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct replay_fields given, none;
		struct err err = {0};
		char variable[128];

		if (!flags[i].variable)
			continue;
		snprintf(variable, sizeof(variable), "TRAFFIC_REPLAYER_%s", flags[i].variable);
		assert_int_equal(parse(0, NULL, &none, &mem, &err), 0);
		setenv(variable, flags[i].value ? flags[i].value : "true", 1);
		if (parse(0, NULL, &given, &mem, &err) < 0)
			fail_msg("%s: %s", variable, err.message);
		unsetenv(variable);
		if (memcmp(&given, &none, sizeof(given)) == 0)
			fail_msg("%s changes nothing", variable);
		assert_outcome(&flags[i], &given);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_gives_the_same_twice),
		cmocka_unit_test(each_flag_is_taken_or_refused_with_what_to_do),
		cmocka_unit_test(each_variable_counts_as_its_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
