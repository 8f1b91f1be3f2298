#include "cli/capture_options.h"

#include "base/log.h"

#define JAVA(member) OPT_FIELD(struct capture_java_fields, member), .category = "Of the Java proxy"
#define NO_POOL "Accepted and not used: connections are opened with the first request."
#define NO_OTEL "Accepted and not used: see --metrics-port."

const struct opt capture_java_options[] = {
	{.name = "destination-connection-pool-size",
	 .env = "CAPTURE_PROXY_DESTINATION_CONNECTION_POOL_SIZE",
	 .type = OPT_STRING,
	 JAVA(ignored[0]),
	 .help = NO_POOL},
	{.name = "destination-connection-pool-timeout",
	 .env = "CAPTURE_PROXY_DESTINATION_CONNECTION_POOL_TIMEOUT",
	 .type = OPT_STRING,
	 JAVA(ignored[1]),
	 .help = NO_POOL},
	{.name = "otel-trace-collector-endpoint",
	 .env = "CAPTURE_PROXY_OTEL_TRACE_COLLECTOR_ENDPOINT",
	 .type = OPT_STRING,
	 JAVA(ignored[2]),
	 .help = NO_OTEL},
	{.name = "otel-metrics-collector-endpoint",
	 .env = "CAPTURE_PROXY_OTEL_METRICS_COLLECTOR_ENDPOINT",
	 .type = OPT_STRING,
	 JAVA(ignored[3]),
	 .help = NO_OTEL},
	{0},
};

void capture_java_options_warn(const struct capture_java_fields *fields)
{
	bool any = false;

	for (size_t i = 0; i < COUNT_OF(fields->ignored); i++)
		any |= fields->ignored[i] != NULL;
	if (any)
		log_warn("capture", "flags of the Java proxy for OpenTelemetry or its "
				    "connection pool were given and are not used");
}
