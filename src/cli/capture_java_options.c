#include "cli/capture_options.h"

#include "base/log.h"

#define JAVA(member) OPT_FIELD(struct capture_java_fields, member), .category = "Of the Java proxy"
#define KAFKA_LATER "For Kafka, which is not there yet."
#define NO_POOL "Accepted and not used: connections are opened with the first request."
#define NO_OTEL "Accepted and not used: see --metrics-port."

const struct opt capture_java_options[] = {
	{.name = "kafka-brokers",
	 .aliases = "kafka-connection",
	 .env = "CAPTURE_PROXY_KAFKA_BROKERS",
	 .type = OPT_STRING,
	 JAVA(brokers),
	 .metavar = "HOST:PORT",
	 .help = "Refused: this version does not write to Kafka."},
	{.name = "kafka-topic",
	 .env = "CAPTURE_PROXY_KAFKA_TOPIC",
	 .type = OPT_STRING,
	 JAVA(ignored[0]),
	 .help = KAFKA_LATER},
	{.name = "kafka-property-file",
	 .aliases = "kafka-config-file",
	 .env = "CAPTURE_PROXY_KAFKA_PROPERTY_FILE",
	 .type = OPT_STRING,
	 JAVA(ignored[1]),
	 .help = KAFKA_LATER},
	{.name = "kafka-client-id",
	 .env = "CAPTURE_PROXY_KAFKA_CLIENT_ID",
	 .type = OPT_STRING,
	 JAVA(ignored[2]),
	 .help = KAFKA_LATER},
	{.name = "kafka-auth-type",
	 .env = "CAPTURE_PROXY_KAFKA_AUTH_TYPE",
	 .type = OPT_STRING,
	 JAVA(ignored[3]),
	 .help = KAFKA_LATER},
	{.name = "kafka-user-name",
	 .env = "CAPTURE_PROXY_KAFKA_USER_NAME",
	 .type = OPT_STRING,
	 JAVA(ignored[4]),
	 .help = KAFKA_LATER},
	{.name = "kafka-password",
	 .env = "CAPTURE_PROXY_KAFKA_PASSWORD",
	 .type = OPT_SECRET,
	 JAVA(ignored[5]),
	 .help = KAFKA_LATER},
	{.name = "kafka-listener-name",
	 .env = "CAPTURE_PROXY_KAFKA_LISTENER_NAME",
	 .type = OPT_STRING,
	 JAVA(ignored[6]),
	 .help = KAFKA_LATER},
	{.name = "kafka-secret-name",
	 .env = "CAPTURE_PROXY_KAFKA_SECRET_NAME",
	 .type = OPT_STRING,
	 JAVA(ignored[7]),
	 .help = KAFKA_LATER},
	{.name = "enable-msk-auth",
	 .aliases = "enableMSKAuth",
	 .env = "CAPTURE_PROXY_ENABLE_MSK_AUTH",
	 .type = OPT_BOOL,
	 JAVA(msk_auth),
	 .help = KAFKA_LATER},
	{.name = "destination-connection-pool-size",
	 .env = "CAPTURE_PROXY_DESTINATION_CONNECTION_POOL_SIZE",
	 .type = OPT_STRING,
	 JAVA(ignored[8]),
	 .help = NO_POOL},
	{.name = "destination-connection-pool-timeout",
	 .env = "CAPTURE_PROXY_DESTINATION_CONNECTION_POOL_TIMEOUT",
	 .type = OPT_STRING,
	 JAVA(ignored[9]),
	 .help = NO_POOL},
	{.name = "otel-trace-collector-endpoint",
	 .env = "CAPTURE_PROXY_OTEL_TRACE_COLLECTOR_ENDPOINT",
	 .type = OPT_STRING,
	 JAVA(ignored[10]),
	 .help = NO_OTEL},
	{.name = "otel-metrics-collector-endpoint",
	 .env = "CAPTURE_PROXY_OTEL_METRICS_COLLECTOR_ENDPOINT",
	 .type = OPT_STRING,
	 JAVA(ignored[11]),
	 .help = NO_OTEL},
	{0},
};

void capture_java_options_warn(const struct capture_java_fields *fields)
{
	bool any = fields->msk_auth;

	for (size_t i = 0; i < COUNT_OF(fields->ignored); i++)
		any |= fields->ignored[i] != NULL;
	if (any)
		log_warn("capture", "flags of the Java proxy for Kafka, OpenTelemetry or its "
				    "connection pool were given and are not used");
}
