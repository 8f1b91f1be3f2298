#include "base/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void append_escaped(struct buf *out, struct str text, bool quotes)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\n')
			buf_append_str(out, STR("\\n"));
		else if (c == '\\' || (quotes && c == '"'))
			buf_append(out, (char[]){'\\', c}, 2);
		else
			buf_append_byte(out, c);
	}
}

void metric_begin(struct buf *out, const struct metric *metric)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};

	buf_printf(out, "# HELP %s ", metric->name);
	append_escaped(out, str_from(metric->help), false);
	buf_printf(out, "\n# TYPE %s %s\n", metric->name, kinds[metric->kind]);
}

void metric_sample(struct buf *out, const struct metric *metric, const struct metric_label *labels,
		   size_t label_count, double value)
{
	buf_append_str(out, str_from(metric->name));
	for (size_t i = 0; i < label_count; i++) {
		buf_printf(out, "%c%s=\"", i ? ',' : '{', labels[i].name);
		append_escaped(out, labels[i].value, true);
		buf_append_byte(out, '"');
	}
	if (label_count > 0)
		buf_append_byte(out, '}');
	/* Whole numbers keep all their digits, as far as a double has them. */
	if (value == floor(value) && fabs(value) < 1e15)
		buf_printf(out, " %.0f\n", value);
	else
		buf_printf(out, " %.17g\n", value);
}

void metric_put(struct buf *out, const struct metric *metric, double value)
{
	metric_begin(out, metric);
	metric_sample(out, metric, NULL, 0, value);
}

static void put_histogram(struct buf *out, const char *name, const struct duration_tally *tally)
{
	uint64_t below = 0;

	for (unsigned i = 0; i < DURATION_BUCKETS; i++) {
		below += tally->buckets[i];
		buf_printf(out, "%s_bucket{le=\"%.15g\"} %" PRIu64 "\n", name,
			   (double)((uint64_t)DURATION_FIRST_US << i) / 1000, below);
	}
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, tally->count);
	buf_printf(out, "%s_sum %.15g\n%s_count %" PRIu64 "\n", name, (double)tally->sum_us / 1000,
		   name, tally->count);
}

void metric_put_activity(struct buf *out, const char *activity, const char *help,
			 const struct duration_tally *tally)
{
	char name[100];

	snprintf(name, sizeof(name), "%sCount_total", activity);
	metric_put(out, &(struct metric){name, help, METRIC_COUNTER}, (double)tally->count);
	snprintf(name, sizeof(name), "%sExceptionCount_total", activity);
	metric_put(out, &(struct metric){name, "Of these, what failed.", METRIC_COUNTER},
		   (double)tally->failed);
	snprintf(name, sizeof(name), "%sDuration_milliseconds", activity);
	metric_begin(out, &(struct metric){name, "How long they took.", METRIC_HISTOGRAM});
	put_histogram(out, name, tally);
}
