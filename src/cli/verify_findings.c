/* What differs besides documents, in every form of the report. */
#include "cli/verify_report.h"

#include "cli/table.h"

#include <inttypes.h>

struct section {
	const char *name, *heading;
	const struct verify_findings *findings;
	const char *skipped;
};

enum { SECTIONS = 2 };

static void sections_of(const struct verify_facts *facts, struct section out[static SECTIONS])
{
	out[0] = (struct section){"metadata", "Mappings and settings", facts->metadata,
				  facts->metadata_skipped};
	out[1] = (struct section){"queries", "Queries", facts->queries, facts->queries_skipped};
}

static void append_headline(const struct section *s, struct buf *out)
{
	const struct verify_findings *f = s->findings;

	if (!f) {
		buf_printf(out, "%s were not compared: %s.", s->heading, s->skipped);
		return;
	}
	buf_printf(out, "%s: %" PRIu64 " compared, %" PRIu64 " differ", s->heading, f->compared,
		   f->different);
	if (f->unclear > 0)
		buf_printf(out, ", %" PRIu64 " could not be compared", f->unclear);
}

static int print_table(const struct verify_findings *findings, struct arena *mem, FILE *out,
		       struct err *err)
{
	static const struct table_column columns[] = {{"index", TABLE_LEFT},
						      {"where", TABLE_LEFT},
						      {"expected", TABLE_LEFT},
						      {"found", TABLE_LEFT}};
	struct table table;

	if (findings->count == 0)
		return 0;
	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < findings->count; i++) {
		const struct verify_finding *finding = &findings->items[i];

		table_cell(&table, finding->index);
		table_cell(&table, finding->where);
		table_cell(&table, finding->not_compared ? STR("") : finding->expected);
		table_cell(&table, finding->found);
	}
	return table_print(&table, out, err);
}

int verify_findings_print(const struct verify_facts *facts, struct arena *mem, FILE *out,
			  struct err *err)
{
	struct section sections[SECTIONS];

	sections_of(facts, sections);
	for (int i = 0; i < SECTIONS; i++) {
		cleanup(buf_release) struct buf line = BUF_INIT(KIB(64));

		if (!sections[i].findings && !sections[i].skipped)
			continue;
		append_headline(&sections[i], &line);
		fprintf(out, "\n%s\n", buf_cstr(&line));
		if (sections[i].findings && print_table(sections[i].findings, mem, out, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static struct json *finding_json(const struct verify_finding *finding, struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT);

	json_set(row, STR("index"), json_new_string(mem, finding->index));
	json_set(row, STR("where"), json_new_string(mem, finding->where));
	if (finding->not_compared) {
		json_set(row, STR("not_compared"), json_new_string(mem, finding->found));
		return row;
	}
	json_set(row, STR("expected"), json_new_string(mem, finding->expected));
	json_set(row, STR("found"), json_new_string(mem, finding->found));
	return row;
}

void verify_findings_json(const struct verify_facts *facts, struct arena *mem, struct json *root)
{
	struct section sections[SECTIONS];

	sections_of(facts, sections);
	for (int i = 0; i < SECTIONS; i++) {
		const struct verify_findings *f = sections[i].findings;
		struct json *part = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);

		if (!f && !sections[i].skipped)
			continue;
		if (f) {
			json_set(part, STR("compared"), json_new_i64(mem, (int64_t)f->compared));
			json_set(part, STR("different"), json_new_i64(mem, (int64_t)f->different));
			json_set(part, STR("not_compared"), json_new_i64(mem, (int64_t)f->unclear));
			for (size_t j = 0; j < f->count; j++)
				json_append(list, finding_json(&f->items[j], mem));
			json_set(part, STR("differences"), list);
		} else {
			json_set(part, STR("skipped"),
				 json_new_string(mem, str_from(sections[i].skipped)));
		}
		json_set(root, str_from(sections[i].name), part);
	}
}

void verify_findings_html(const struct verify_facts *facts, struct buf *out,
			  void (*append_escaped)(struct buf *out, struct str text))
{
	struct section sections[SECTIONS];

	sections_of(facts, sections);
	for (int i = 0; i < SECTIONS; i++) {
		cleanup(buf_release) struct buf line = BUF_INIT(KIB(64));
		const struct verify_findings *f = sections[i].findings;

		if (!f && !sections[i].skipped)
			continue;
		append_headline(&sections[i], &line);
		buf_append_str(out, STR("<h2>"));
		append_escaped(out, buf_str(&line));
		buf_append_str(out, STR("</h2>\n"));
		if (!f || f->count == 0)
			continue;
		buf_append_str(out, STR("<table><tr><th>index</th><th>where</th><th>expected</th>"
					"<th>found</th></tr>\n"));
		for (size_t j = 0; j < f->count; j++) {
			const struct str cells[] = {f->items[j].index, f->items[j].where,
						    f->items[j].expected, f->items[j].found};

			buf_append_str(out, STR("<tr>"));
			for (size_t k = 0; k < COUNT_OF(cells); k++) {
				buf_append_str(out, STR("<td><code>"));
				append_escaped(out, cells[k]);
				buf_append_str(out, STR("</code></td>"));
			}
			buf_append_str(out, STR("</tr>\n"));
		}
		buf_append_str(out, STR("</table>\n"));
	}
}
