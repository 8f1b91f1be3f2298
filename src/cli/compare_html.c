#include "cli/compare_report.h"

#include "cli/html_text.h"
#include "cli/table.h"

#include "base/small_file.h"

#include <inttypes.h>
#include <math.h>

#define PAGE_MAX MIB(1024)

enum { PLOT_ROWS = 30, LABEL_WIDTH = 330, PLOT_WIDTH = 560, ROW_HEIGHT = 44, BAR_HEIGHT = 14 };

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>Shardlift: comparison of answers</title>\n<style>\n"
	"body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;"
	"overflow-wrap:anywhere;vertical-align:top}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}\n"
	".equal{color:#176d2c}.different{color:#a31515}\n"
	"code{font-size:13px}summary{cursor:pointer;margin:1rem 0 .3rem}\n"
	"svg text{font:13px system-ui,sans-serif;fill:#222}svg .v{font-size:11px;fill:#555}\n"
	".s{fill:#4a7ab5}.t{fill:#d98a2b}.d{fill:#a31515}.e{fill:#7fb08a}\n"
	"@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}"
	"th,td{border-color:#444}svg text{fill:#ddd}svg .v{fill:#aaa}"
	".equal{color:#6cc07f}.different{color:#f08080}}\n"
	"</style>\n</head>\n<body>\n";

static void append_lines(struct buf *out, struct str text)
{
	struct str line;

	while (str_split(text, '\n', &line, &text)) {
		buf_append_str(out, STR("<p>"));
		html_append_escaped(out, line);
		buf_append_str(out, STR("</p>\n"));
	}
}

static void append_summary(const struct tuple_tally *tally, const struct compare_facts *facts,
			   struct buf *out)
{
	buf_printf(out, "<h1 class=\"%s\">%s the limits</h1>\n",
		   facts->within ? "equal" : "different", facts->within ? "Within" : "Beyond");
	append_lines(out, facts->why);
	buf_printf(out,
		   "<p>%" PRIu64 " requests, %" PRIu64 " compared, %" PRIu64 " differ; %" PRIu64
		   " without an answer of the source; %" PRIu64 " errors of the target.</p>\n",
		   tally->tuples, tally->compared, tally->different, tally->not_compared,
		   tally->errors);
	if (facts->damaged > 0)
		buf_printf(out, "<p>%" PRIu64 " lines could not be read.</p>\n", facts->damaged);
	append_lines(out, facts->damages);
	if (facts->interrupted)
		buf_append_str(out, STR("<p>It was interrupted before the end.</p>\n"));
}

static bool has_latency(const struct tuple_endpoint_tally *endpoint)
{
	return endpoint->latency[TUPLE_SOURCE] && endpoint->latency[TUPLE_SOURCE]->count > 0;
}

/* A logarithmic axis: from 0.1 ms to the largest. */
static double position_of(double us, double largest)
{
	double low = log10(100), high = log10(MAX(largest, 1000.0));

	return us <= 100 ? 0 : PLOT_WIDTH * (log10(us) - low) / (high - low);
}

/* A bar to p99 with marks at p50 and p90. */
static void append_bar(struct buf *out, const struct latency *latency, const char *class, int y,
		       double largest)
{
	double p50 = latency_percentile(latency, 0.5), p90 = latency_percentile(latency, 0.9),
	       p99 = latency_percentile(latency, 0.99);
	double end = position_of(p99, largest);

	buf_printf(out,
		   "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
		   "fill-opacity=\".45\"/>",
		   class, LABEL_WIDTH, y, MAX(end, 1.0), BAR_HEIGHT);
	buf_printf(out,
		   "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
		   "fill-opacity=\".6\"/>",
		   class, LABEL_WIDTH, y, MAX(position_of(p90, largest), 1.0), BAR_HEIGHT);
	buf_printf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
		   class, LABEL_WIDTH, y, MAX(position_of(p50, largest), 1.0), BAR_HEIGHT);
	buf_printf(out, "<text class=\"v\" x=\"%.1f\" y=\"%d\">%.1f / %.1f / %.1f ms</text>\n",
		   LABEL_WIDTH + MAX(end, 1.0) + 6, y + BAR_HEIGHT - 3, p50 / 1000, p90 / 1000,
		   p99 / 1000);
}

static void append_label(struct buf *out, struct str name, int y)
{
	/* What is longer runs out of the picture; the title has it whole. */
	buf_printf(out, "<text x=\"0\" y=\"%d\"><title>", y);
	html_append_escaped(out, name);
	buf_append_str(out, STR("</title>"));
	html_append_escaped(out, str_of(name.ptr, text_fit(name, 46)));
	buf_append_str(out, STR("</text>\n"));
}

static void append_latency_plot(const struct tuple_tally *tally, struct buf *out)
{
	double largest = 0;
	int rows = 0, row = 0;

	for (size_t i = 0; i < tally->endpoint_count && rows < PLOT_ROWS; i++) {
		if (!has_latency(tally->endpoints[i]))
			continue;
		rows++;
		for (size_t side = 0; side < TUPLE_SIDES; side++)
			largest = MAX(largest,
				      latency_percentile(tally->endpoints[i]->latency[side], 0.99));
	}
	if (rows == 0)
		return;
	buf_printf(out,
		   "<h2>Latency: p50, p90, p99</h2>\n<p>Logarithmic; blue the source, orange the "
		   "target.</p>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"latency by "
		   "endpoint\">\n",
		   LABEL_WIDTH + PLOT_WIDTH + 180, rows * ROW_HEIGHT);
	for (size_t i = 0; row < rows; i++) {
		const struct tuple_endpoint_tally *endpoint = tally->endpoints[i];

		if (!has_latency(endpoint))
			continue;
		append_label(out, endpoint->name, row * ROW_HEIGHT + 20);
		append_bar(out, endpoint->latency[TUPLE_SOURCE], "s", row * ROW_HEIGHT + 4,
			   largest);
		append_bar(out, endpoint->latency[TUPLE_TARGET], "t",
			   row * ROW_HEIGHT + 4 + BAR_HEIGHT + 2, largest);
		row++;
	}
	buf_append_str(out, STR("</svg>\n"));
}

static void append_difference_plot(const struct tuple_tally *tally, struct buf *out)
{
	int rows = 0;
	uint64_t most = 1;

	for (size_t i = 0; i < TUPLE_DIFFERENCES; i++) {
		rows += tally->kinds[i].differences > 0;
		most = MAX(most, tally->kinds[i].differences);
	}
	if (rows == 0)
		return;
	buf_printf(out,
		   "<h2>Differences by kind</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
		   "aria-label=\"differences by kind\">\n",
		   LABEL_WIDTH + PLOT_WIDTH + 180, rows * 24);
	for (size_t i = 0, y = 4; i < TUPLE_DIFFERENCES; i++) {
		uint64_t n = tally->kinds[i].differences;
		double width = PLOT_WIDTH * (double)n / (double)most;

		if (n == 0)
			continue;
		append_label(out, str_from(tuple_difference_name((enum tuple_difference)i)),
			     (int)y + 12);
		buf_printf(out,
			   "<rect class=\"d\" x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"16\"/>"
			   "<text class=\"v\" x=\"%.1f\" y=\"%zu\">%" PRIu64 "</text>\n",
			   LABEL_WIDTH, y, MAX(width, 1.0), LABEL_WIDTH + width + 6, y + 12, n);
		y += 24;
	}
	buf_append_str(out, STR("</svg>\n"));
}

static void append_status(struct buf *out, int status)
{
	if (status > 0)
		buf_printf(out, "<td class=\"n\">%d</td>", status);
	else
		buf_append_str(out, STR("<td class=\"n\">none</td>"));
}

static void append_statuses(const struct tuple_tally *tally, struct buf *out)
{
	buf_append_str(out, STR("<h2>Statuses by endpoint</h2>\n<table><tr><th>endpoint</th>"
				"<th class=\"n\">source</th><th class=\"n\">target</th>"
				"<th class=\"n\">requests</th></tr>\n"));
	for (size_t i = 0; i < tally->endpoint_count; i++) {
		const struct tuple_endpoint_tally *endpoint = tally->endpoints[i];

		for (size_t j = 0; j < endpoint->status_count; j++) {
			const struct tuple_statuses *cell = &endpoint->statuses[j];
			bool same = cell->status[0] == cell->status[1];

			buf_printf(out, "<tr%s><td>", same ? "" : " class=\"different\"");
			html_append_escaped(out, endpoint->name);
			buf_append_str(out, STR("</td>"));
			append_status(out, cell->status[TUPLE_SOURCE]);
			append_status(out, cell->status[TUPLE_TARGET]);
			buf_printf(out, "<td class=\"n\">%" PRIu64 "</td></tr>\n", cell->count);
		}
	}
	buf_append_str(out, STR("</table>\n"));
}

static void append_endpoints(const struct tuple_tally *tally, struct buf *out)
{
	buf_append_str(out, STR("<h2>Endpoints</h2>\n<table><tr><th>endpoint</th>"
				"<th class=\"n\">compared</th><th class=\"n\">differ</th>"
				"<th class=\"n\">p50 ratio</th><th class=\"n\">p90 ratio</th>"
				"<th class=\"n\">p99 ratio</th></tr>\n"));
	for (size_t i = 0; i < tally->endpoint_count; i++) {
		const struct tuple_endpoint_tally *endpoint = tally->endpoints[i];

		buf_append_str(out, STR("<tr><td>"));
		html_append_escaped(out, endpoint->name);
		buf_printf(out,
			   "</td><td class=\"n\">%" PRIu64 "</td><td class=\"n %s\">%" PRIu64
			   "</td>",
			   endpoint->compared, endpoint->different ? "different" : "equal",
			   endpoint->different);
		if (has_latency(endpoint))
			buf_printf(out,
				   "<td class=\"n\">%.2f</td><td class=\"n\">%.2f</td>"
				   "<td class=\"n\">%.2f</td></tr>\n",
				   tuple_latency_ratio(endpoint->latency, 0.5),
				   tuple_latency_ratio(endpoint->latency, 0.9),
				   tuple_latency_ratio(endpoint->latency, 0.99));
		else
			buf_append_str(out, STR("<td></td><td></td><td></td></tr>\n"));
	}
	buf_append_str(out, STR("</table>\n"));
}

static void append_classes(const struct tuple_tally *tally, struct buf *out)
{
	if (tally->class_count == 0)
		return;
	buf_append_str(out, STR("<h2>Errors</h2>\n<table><tr><th>of</th><th>class</th>"
				"<th class=\"n\">count</th></tr>\n"));
	for (size_t i = 0; i < tally->class_count; i++) {
		buf_printf(out, "<tr><td>%s</td><td>",
			   tally->classes[i].side == TUPLE_SOURCE ? "source" : "target");
		html_append_escaped(out, tally->classes[i].name);
		buf_printf(out, "</td><td class=\"n\">%" PRIu64 "</td></tr>\n",
			   tally->classes[i].count);
	}
	buf_append_str(out, STR("</table>\n"));
}

static void append_cell(struct buf *out, struct str text)
{
	buf_append_str(out, STR("<td><code>"));
	html_append_escaped(out, text);
	buf_append_str(out, STR("</code></td>"));
}

static void append_kind(const struct tuple_kind_tally *kind, const char *name, struct buf *out)
{
	if (kind->differences == 0)
		return;
	buf_printf(out,
		   "<details open><summary>%s: %" PRIu64 " in %" PRIu64 " answers, %zu named"
		   "</summary>\n<table><tr><th>where</th><th>source</th><th>target</th>"
		   "<th>request</th><th>connection</th></tr>\n",
		   name, kind->differences, kind->tuples, kind->example_count);
	for (size_t i = 0; i < kind->example_count; i++) {
		const struct tuple_example *example = &kind->examples[i];

		buf_append_str(out, STR("<tr>"));
		append_cell(out, example->path);
		append_cell(out, example->source);
		append_cell(out, example->target);
		append_cell(out, example->uri);
		append_cell(out, example->connection_id);
		buf_append_str(out, STR("</tr>\n"));
	}
	buf_append_str(out, STR("</table></details>\n"));
}

int compare_html_write(const struct tuple_tally *tally, const struct compare_facts *facts,
		       const char *path, struct err *err)
{
	cleanup(buf_release) struct buf page = BUF_INIT(PAGE_MAX);

	buf_append_str(&page, str_from(head));
	append_summary(tally, facts, &page);
	append_difference_plot(tally, &page);
	append_latency_plot(tally, &page);
	append_endpoints(tally, &page);
	append_statuses(tally, &page);
	append_classes(tally, &page);
	for (size_t i = 0; i < TUPLE_DIFFERENCES; i++)
		append_kind(&tally->kinds[i], tuple_difference_name((enum tuple_difference)i),
			    &page);
	buf_append_str(&page, STR("</body>\n</html>\n"));
	if (buf_check(&page, "the page of --report", err) < 0)
		return -(int)err->kind;
	return small_file_replace(path, buf_str(&page), err);
}
