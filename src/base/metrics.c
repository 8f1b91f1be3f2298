#include "base/metrics.h"

#include <math.h>

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
	buf_printf(out, "# HELP %s ", metric->name);
	append_escaped(out, str_from(metric->help), false);
	buf_printf(out, "\n# TYPE %s %s\n", metric->name,
		   metric->kind == METRIC_COUNTER ? "counter" : "gauge");
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
