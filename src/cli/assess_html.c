/* The assessment as one HTML page: styles and the chart are in it. */
#include "cli/assess_report.h"

#define CHART_WIDTH 600
#define BAR_HEIGHT 22
#define BAR_STEP 30
#define LABEL_WIDTH 60

static const char *const colours[ASSESS_SEVERITIES] = {"#6b7f99", "#c98a00", "#2a7f3f", "#b3261e"};

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	"<title>Shardlift assessment</title>\n<style>\n"
	"body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}\n"
	"h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}\n"
	"section{border-left:5px solid #ccc;padding:0 1em;margin:1em 0}\n"
	".block{border-color:#b3261e}.fix{border-color:#2a7f3f}.warn{border-color:#c98a00}"
	".info{border-color:#6b7f99}\n"
	"h3{font-size:1em;margin:.2em 0}p{margin:.2em 0}ul{margin:.3em 0}code{font-size:.92em}\n"
	"</style>\n</head>\n<body>\n";

/* Text between tags: what HTML takes for its own is spelled, control characters become '?'. */
static void text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '&')
			buf_append_str(out, STR("&amp;"));
		else if (c == '<')
			buf_append_str(out, STR("&lt;"));
		else if (c == '>')
			buf_append_str(out, STR("&gt;"));
		else if (c == '"')
			buf_append_str(out, STR("&quot;"));
		else
			buf_append_byte(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
}

static void chart(const struct assessment *a, struct buf *out)
{
	size_t most = 1;

	for (int i = 0; i < ASSESS_SEVERITIES; i++)
		most = MAX(most, assess_count(a, (enum assess_severity)i));
	buf_printf(out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" "
		   "height=\"%d\" font-family=\"sans-serif\" font-size=\"14\">\n"
		   "<title>Breaking changes by severity</title>\n",
		   CHART_WIDTH, ASSESS_SEVERITIES * BAR_STEP);
	for (int i = 0; i < ASSESS_SEVERITIES; i++) {
		enum assess_severity severity = (enum assess_severity)(ASSESS_BLOCK - i);
		size_t count = assess_count(a, severity);
		size_t width = count * (CHART_WIDTH - 2 * LABEL_WIDTH) / most;
		int y = i * BAR_STEP;

		buf_printf(out,
			   "<text x=\"0\" y=\"%d\">%s</text>\n"
			   "<rect x=\"%d\" y=\"%d\" width=\"%zu\" height=\"%d\" fill=\"%s\"/>\n"
			   "<text x=\"%zu\" y=\"%d\">%zu</text>\n",
			   y + 16, assess_severity_name(severity), LABEL_WIDTH, y, width,
			   BAR_HEIGHT, colours[severity], LABEL_WIDTH + width + 6, y + 16, count);
	}
	buf_append_str(out, STR("</svg>\n"));
}

static void touch(const struct assess_touch *one, struct buf *out)
{
	buf_append_str(out, STR("<li>"));
	text(out, one->where);
	if (one->path.len) {
		buf_append_str(out, STR(" at <code>"));
		text(out, one->path);
		buf_append_str(out, STR("</code>"));
	}
	if (one->text.len) {
		buf_append_str(out, STR(": "));
		text(out, one->text);
	}
	buf_append_str(out, STR("</li>\n"));
}

static void finding(const struct assess_finding *one, struct buf *out)
{
	buf_printf(out, "<section class=\"%s\" id=\"%s\">\n<h3>%s %s: ",
		   assess_severity_name(one->severity), one->change->id, one->change->id,
		   assess_severity_name(one->severity));
	text(out, str_from(one->change->title));
	buf_printf(out, " (%zu)</h3>\n<ul>\n", one->total);
	for (size_t i = 0; i < one->kept; i++)
		touch(&one->touches[i], out);
	if (one->total > one->kept)
		buf_printf(out, "<li>and %zu more</li>\n", one->total - one->kept);
	buf_append_str(out, STR("</ul>\n<p>Shardlift: "));
	text(out, str_from(one->change->tool));
	buf_append_str(out, STR("</p>\n<p>You: "));
	text(out, str_from(one->change->user));
	buf_append_str(out, STR("</p>\n</section>\n"));
}

static void clients(const struct assessment *a, const struct assess_facts *facts, struct buf *out)
{
	buf_append_str(out, STR("<h2>What clients must change</h2>\n"));
	if (!facts->looked_at_requests)
		buf_append_str(out, STR("<p>Requests were not looked at; --traffic FILE or "
					"--queries FILE does.</p>\n"));
	buf_append_str(out, STR("<ul>\n<li>Requests seen by Shardlift: "));
	buf_printf(out, "%llu</li>\n", (unsigned long long)a->requests);
	for (size_t i = 0; i < a->finding_count; i++) {
		if (!a->findings[i].total || !a->findings[i].change->clients)
			continue;
		buf_printf(out, "<li>%s ", a->findings[i].change->id);
		text(out, str_from(a->findings[i].change->title));
		buf_append_str(out, STR(": "));
		text(out, str_from(a->findings[i].change->user));
		buf_append_str(out, STR("</li>\n"));
	}
	for (size_t i = 0; i < a->client_change_count; i++) {
		buf_append_str(out, STR("<li>"));
		text(out, a->client_changes[i]);
		buf_append_str(out, STR("</li>\n"));
	}
	buf_append_str(out, STR("</ul>\n"));
}

static void agents(const struct assessment *a, struct buf *out)
{
	if (!a->agent_count)
		return;
	buf_append_str(out, STR("<h2>Clients</h2>\n<ul>\n"));
	for (size_t i = 0; i < a->agent_count; i++) {
		buf_append_str(out, STR("<li>"));
		text(out, a->agents[i].name);
		buf_printf(out, " (%llu)</li>\n", (unsigned long long)a->agents[i].requests);
	}
	buf_append_str(out, STR("</ul>\n"));
}

void assess_report_html(const struct assessment *a, const struct assess_facts *facts,
			struct buf *out)
{
	buf_append(out, head, sizeof(head) - 1);
	buf_append_str(out, STR("<h1>Assessment: "));
	text(out, a->set->description);
	buf_append_str(out, STR(" to "));
	text(out, facts->target);
	buf_append_str(out, STR("</h1>\n<p>Source: <code>"));
	text(out, str_from(facts->source));
	buf_append_str(out, STR("</code></p>\n"));
	chart(a, out);
	buf_append_str(out, STR("<h2>Breaking changes</h2>\n"));
	for (int severity = ASSESS_BLOCK; severity >= 0; severity--)
		for (size_t i = 0; i < a->finding_count; i++)
			if (a->findings[i].total &&
			    a->findings[i].severity == (enum assess_severity)severity)
				finding(&a->findings[i], out);
	agents(a, out);
	clients(a, facts, out);
	buf_append_str(out, STR("</body>\n</html>\n"));
}
