#include "cli/verify_html.h"

#include "cli/html_text.h"

#include "base/small_file.h"

#include <inttypes.h>

#define PAGE_MAX MIB(1024)

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>Shardlift: comparison</title>\n<style>\n"
	"body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;"
	"overflow-wrap:anywhere;vertical-align:top}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}\n"
	".equal{color:#176d2c}.different{color:#a31515}.not{color:#8a5a00}\n"
	"code{font-size:13px}summary{cursor:pointer;margin:1rem 0 .3rem}\n"
	"</style>\n</head>\n<body>\n";

static const char *verdict_class(enum verify_verdict verdict)
{
	return verdict == VERDICT_EQUAL       ? "equal"
	       : verdict == VERDICT_DIFFERENT ? "different"
					      : "not";
}

static void append_number(struct buf *out, bool at_least, uint64_t value)
{
	buf_printf(out, "<td class=\"n\">%s%" PRIu64 "</td>", at_least ? "&ge;" : "", value);
}

static void append_row(struct buf *out, const struct index_comparison *index)
{
	bool in_part = index->counted_in_part;

	buf_append_str(out, STR("<tr><td>"));
	html_append_escaped(out, index->source_index);
	buf_append_str(out, STR("</td><td>"));
	html_append_escaped(out, index->target_index);
	buf_append_str(out, STR("</td>"));
	append_number(out, false, index->source_documents);
	append_number(out, false, index->target_documents);
	append_number(out, in_part, index->missing);
	append_number(out, in_part, index->extra);
	append_number(out, in_part, index->changed);
	append_number(out, in_part, index->doubled);
	buf_printf(out, "<td class=\"%s\">%s</td><td>", verdict_class(index->verdict),
		   verify_verdict_name(index->verdict));
	if (index->in_motion > 0)
		buf_printf(out, "%" PRIu64 " in motion. ", index->in_motion);
	html_append_escaped(out, index->reason);
	buf_append_str(out, STR("</td></tr>\n"));
}

static void append_differences(struct buf *out, const struct index_comparison *index)
{
	uint64_t all = index->missing + index->extra + index->changed + index->doubled;

	if (index->difference_count == 0)
		return;
	buf_append_str(out, STR("<details open><summary>"));
	html_append_escaped(out, index->target_index);
	buf_printf(out,
		   ": %zu of %s%" PRIu64 " differences</summary>\n<table><tr><th>difference</th>"
		   "<th>id</th><th>where</th></tr>\n",
		   index->difference_count, index->counted_in_part ? "at least " : "", all);
	for (size_t i = 0; i < index->difference_count; i++) {
		const struct document_difference *difference = &index->differences[i];

		buf_printf(out, "<tr><td>%s</td><td><code>", verify_kind_name(difference->kind));
		html_append_escaped(out, difference->id);
		buf_append_str(out, STR("</code></td><td><code>"));
		html_append_escaped(out, difference->paths);
		buf_append_str(out, STR("</code></td></tr>\n"));
	}
	buf_append_str(out, STR("</table></details>\n"));
}

static void append_summary(const struct verify_report *report, const struct verify_facts *facts,
			   struct buf *out)
{
	cleanup(buf_release) struct buf notes = BUF_INIT(MIB(1));
	struct str line, rest;

	buf_printf(out, "<h1 class=\"%s\">%s</h1>\n<p>Source: <code>",
		   facts->equal ? "equal" : "different",
		   facts->err     ? "Not finished"
		   : facts->equal ? "Equal"
				  : "Different");
	html_append_escaped(out, str_from(facts->source));
	buf_append_str(out, STR("</code><br>Target: <code>"));
	html_append_escaped(out, str_from(facts->target));
	buf_printf(out, "</code><br>%zu indices in %.1f s</p>\n", report->count,
		   (double)facts->elapsed_ms / 1000);
	verify_report_notes(facts, &notes);
	if (facts->err)
		buf_printf(&notes, "It ended early: %s\n", facts->err->message);
	for (rest = buf_str(&notes); str_split(rest, '\n', &line, &rest);) {
		buf_append_str(out, STR("<p>"));
		html_append_escaped(out, line);
		buf_append_str(out, STR("</p>\n"));
	}
}

/* Appends the page. Texts of documents are escaped; no script is in it. */
static void verify_html_format(const struct verify_report *report, const struct verify_facts *facts,
			       struct buf *out)
{
	buf_append_str(out, str_from(head));
	append_summary(report, facts, out);
	buf_append_str(out,
		       STR("<table><tr><th>source</th><th>target</th><th class=\"n\">documents"
			   "</th><th class=\"n\">on the target</th><th class=\"n\">missing</th>"
			   "<th class=\"n\">extra</th><th class=\"n\">changed</th>"
			   "<th class=\"n\">doubled</th><th>verdict</th><th>note</th></tr>\n"));
	for (size_t i = 0; i < report->count; i++)
		append_row(out, &report->indices[i]);
	buf_append_str(out, STR("</table>\n"));
	for (size_t i = 0; i < report->count; i++)
		append_differences(out, &report->indices[i]);
	verify_findings_html(facts, out, html_append_escaped);
	buf_append_str(out, STR("</body>\n</html>\n"));
}

int verify_html_write(const struct verify_report *report, const struct verify_facts *facts,
		      const char *path, struct err *err)
{
	cleanup(buf_release) struct buf page = BUF_INIT(PAGE_MAX);

	verify_html_format(report, facts, &page);
	if (buf_check(&page, "the page of --report", err) < 0)
		return -(int)err->kind;
	return small_file_replace(path, buf_str(&page), err);
}
