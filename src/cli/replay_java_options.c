/* Flags that scripts for the Java replayer have and that are something else here. */
#include "cli/replay_options.h"

#include "base/log.h"

#define JAVA(member) \
	OPT_FIELD(struct replay_java_fields, member), .category = "Of the Java replayer"
#define NO_OTEL "Accepted and not used: see --metrics-port."

const struct opt replay_java_options[] = {
	{.name = "insecure", .type = OPT_BOOL, JAVA(insecure), .help = "As --target-insecure."},
	{.name = "quiescent-period-ms",
	 .type = OPT_INT,
	 JAVA(quiescent_ms),
	 .fallback = "0",
	 .min = 0,
	 .max = 86400000,
	 .help = "How long a connection that is begun in its middle, since its partition was "
		 "another replayer's or a run goes on, waits before its first request, for what "
		 "may be under way of it still. Needed for a replayer that was killed only: "
		 "one that lives hands over what is not begun."},
	{.name = "otel-trace-collector-endpoint",
	 .type = OPT_STRING,
	 JAVA(ignored[0]),
	 .help = NO_OTEL},
	{.name = "otel-metrics-collector-endpoint",
	 .type = OPT_STRING,
	 JAVA(ignored[1]),
	 .help = NO_OTEL},
	{.name = "request-filter-config",
	 .type = OPT_STRING,
	 JAVA(request_filter),
	 .help = "Refused: see --include-method, --include-path, --get-only, --write-only and "
		 "--percentage."},
	{.name = "response-post-processor-config",
	 .type = OPT_STRING,
	 JAVA(response_processor),
	 .help = "Refused: see --tuple-transformer-config."},
	{0},
};

int replay_java_options_resolve(struct replay_fields *fields, struct err *err)
{
	const struct replay_java_fields *java = &fields->java;
	bool any = false;

	if (java->request_filter)
		return err_set(err, ERR_USAGE,
			       "--request-filter-config is not there: choose requests by "
			       "--include-method, --include-path, --get-only, --write-only or "
			       "--percentage, or drop them in a --transformer-config");
	if (java->response_processor)
		return err_set(err, ERR_USAGE,
			       "--response-post-processor-config is not there: change responses in "
			       "tuples by --tuple-transformer-config");
	for (size_t i = 0; i < COUNT_OF(java->ignored); i++)
		any |= java->ignored[i] != NULL;
	if (any)
		log_warn("replay",
			 "flags of the Java replayer for OpenTelemetry were given and are "
			 "not used");
	fields->target.insecure |= java->insecure;
	return 0;
}
