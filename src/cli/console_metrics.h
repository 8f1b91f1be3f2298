/* Where metrics come from: our own processes, Prometheus, CloudWatch. */
#ifndef CLI_CONSOLE_METRICS_H
#define CLI_CONSOLE_METRICS_H

#include "cli/console_common.h"

struct metric_value {
	int64_t time_ms; /* since 1970 */
	struct str value;
};

struct metrics_question {
	const char *component; /* "captureProxy", "replayer" */
	const char *metric;
	const char *statistic; /* "Average", … */
	int64_t lookback_minutes;
};

struct metrics_source;
struct metrics_source_ops {
	/* {"captureProxy": ["name", …], …} */
	int (*list)(const struct metrics_source *source, struct json *out, struct err *err);
	int (*get)(const struct metrics_source *source, const struct metrics_question *question,
		   struct metric_value **out, size_t *count, struct err *err);
};
struct metrics_source {
	const struct metrics_source_ops *ops;
	const struct config_value *section; /* prometheus, cloudwatch or local */
	struct arena *mem;
};

extern const struct metrics_source_ops metrics_of_processes, metrics_of_prometheus,
	metrics_of_cloudwatch;

/* GET of `url` with `query` (encoded, may be empty): the text of a 200, in the arena. */
int metrics_fetch(const struct metrics_source *source, const char *url, const char *path,
		  struct str *out, struct err *err);

#endif
