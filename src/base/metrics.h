/* Numbers in the text format that Prometheus reads.
 *
 * Source: Prometheus "Exposition formats", text format 0.0.4. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/buf.h"
#include "base/duration_tally.h"

enum metric_kind {
	METRIC_COUNTER, /* only grows while the process lives; its name ends in _total */
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
};

struct metric {
	const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]* */
	const char *help; /* one line */
	enum metric_kind kind;
};

struct metric_label {
	const char *name;
	struct str value; /* any bytes: they are escaped */
};

/* Appends HELP and TYPE. Its samples follow with nothing between them. */
void metric_begin(struct buf *out, const struct metric *metric);
/* Appends one sample of the metric. */
void metric_sample(struct buf *out, const struct metric *metric, const struct metric_label *labels,
		   size_t label_count, double value);
/* Both, for a metric without labels. */
void metric_put(struct buf *out, const struct metric *metric, double value);

/* Three metrics of an activity, under the names that OpenTelemetry's get in Prometheus:
 * <activity>Count_total, <activity>ExceptionCount_total, the histogram
 * <activity>Duration_milliseconds. `help` is one line: what is done. */
void metric_put_activity(struct buf *out, const char *activity, const char *help,
			 const struct duration_tally *tally);

#endif
