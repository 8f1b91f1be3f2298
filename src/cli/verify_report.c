#include "cli/verify_report.h"

#include "cli/table.h"

#include <inttypes.h>

const char *verify_verdict_name(enum verify_verdict verdict)
{
	switch (verdict) {
	case VERDICT_EQUAL:
		return "equal";
	case VERDICT_DIFFERENT:
		return "different";
	case VERDICT_NOT_COMPARED:
		return "not compared";
	}
	BUG("unknown verdict");
}

const char *verify_kind_name(enum difference_kind kind)
{
	switch (kind) {
	case DOCUMENT_MISSING:
		return "missing";
	case DOCUMENT_EXTRA:
		return "extra";
	case DOCUMENT_CHANGED:
		return "changed";
	case DOCUMENT_DOUBLED:
		return "doubled";
	}
	BUG("unknown kind of difference");
}

static void add_row(struct table *table, const struct index_comparison *index)
{
	const char *at_least = index->counted_in_part ? ">=" : "";

	if (str_eq(index->source_index, index->target_index))
		table_cell(table, index->source_index);
	else
		table_cell_printf(table, STR_FMT " -> " STR_FMT, STR_ARG(index->source_index),
				  STR_ARG(index->target_index));
	table_cell_printf(table, "%" PRIu64, index->source_documents);
	table_cell_printf(table, "%" PRIu64, index->target_documents);
	table_cell_printf(table, "%s%" PRIu64, at_least, index->missing);
	table_cell_printf(table, "%s%" PRIu64, at_least, index->extra);
	table_cell_printf(table, "%s%" PRIu64, at_least, index->changed);
	table_cell_printf(table, "%s%" PRIu64, at_least, index->doubled);
	table_cell(table, str_from(verify_verdict_name(index->verdict)));
	if (index->in_motion > 0)
		table_cell_printf(table, "%" PRIu64 " in motion" STR_FMT STR_FMT, index->in_motion,
				  STR_ARG(index->reason.len ? STR("; ") : STR("")),
				  STR_ARG(index->reason));
	else
		table_cell(table, index->reason);
}

static int print_differences(const struct index_comparison *index, struct arena *mem, FILE *out,
			     struct err *err)
{
	static const struct table_column columns[] = {
		{"difference", TABLE_LEFT}, {"id", TABLE_LEFT}, {"where", TABLE_LEFT}};
	uint64_t all = index->missing + index->extra + index->changed + index->doubled;
	struct str name = text_printable(index->source_index, mem);
	struct table table;

	if (index->difference_count == 0)
		return 0;
	fprintf(out, "\n" STR_FMT ":\n", STR_ARG(name));
	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < index->difference_count; i++) {
		table_cell(&table, str_from(verify_kind_name(index->differences[i].kind)));
		table_cell(&table, index->differences[i].id);
		table_cell(&table, index->differences[i].paths);
	}
	if (table_print(&table, out, err) < 0)
		return -(int)err->kind;
	if (all > index->difference_count)
		fprintf(out, "and %" PRIu64 " more; --max-named names more of them\n",
			all - index->difference_count);
	return 0;
}

void verify_report_notes(const struct verify_facts *facts, struct buf *out)
{
	const struct verify_transformed_counts *counts = facts->transformed;

	if (facts->sample < 1)
		buf_printf(out, "Only a sample was compared: %g %% of the ids.\n",
			   facts->sample * 100);
	if (facts->query)
		buf_printf(out, "Of live clusters only what fulfils --query was compared: %s\n",
			   facts->query);
	if (facts->since)
		buf_printf(out, "Only what changed since snapshot '%s' was compared.\n",
			   facts->since);
	if (facts->settle_ms > 0)
		buf_printf(out,
			   "Live traffic was waited for: what differed was read again for up to "
			   "%.1f s; what was written to meanwhile and still differs is in motion, "
			   "and neither equal nor different.\n",
			   (double)facts->settle_ms / 1000);
	if (facts->without_ids)
		buf_append_str(out, STR("Ids and routings were not compared.\n"));
	if (counts)
		buf_append_str(out, STR("The source was compared as the transformers make it.\n"));
	if (counts && counts->failed > 0)
		buf_printf(out,
			   "%" PRIu64
			   " documents could not be transformed, and were not compared.\n",
			   counts->failed);
	if (counts && counts->dropped > 0)
		buf_printf(out, "%" PRIu64 " documents were dropped by the transformers.\n",
			   counts->dropped);
	if (counts && counts->deletes > 0)
		buf_printf(out,
			   "%" PRIu64 " documents became deletions, which were not compared.\n",
			   counts->deletes);
}

static void print_summary(const struct verify_report *report, const struct verify_facts *facts,
			  FILE *out)
{
	size_t equal = 0;

	for (size_t i = 0; i < report->count; i++)
		equal += report->indices[i].verdict == VERDICT_EQUAL;
	if (facts->err)
		fprintf(out, "\nThe comparison ended before it was done.\n");
	else if (!facts->documents)
		fprintf(out, "\nDocuments were not compared.\n");
	else if (report->equal && facts->sample < 1)
		fprintf(out,
			"\nEqual as far as sampled (%g %% of the ids): %zu of %zu indices, in "
			"%.1f s\n",
			facts->sample * 100, equal, report->count,
			(double)facts->elapsed_ms / 1000);
	else
		fprintf(out, "\n%s: %zu of %zu indices are equal, compared in %.1f s\n",
			report->equal ? "Equal" : "Different", equal, report->count,
			(double)facts->elapsed_ms / 1000);
}

int verify_report_print(const struct verify_report *report, const struct verify_facts *facts,
			FILE *out, struct err *err)
{
	static const struct table_column columns[] = {
		{"index", TABLE_LEFT},    {"source", TABLE_RIGHT}, {"target", TABLE_RIGHT},
		{"missing", TABLE_RIGHT}, {"extra", TABLE_RIGHT},  {"changed", TABLE_RIGHT},
		{"doubled", TABLE_RIGHT}, {"verdict", TABLE_LEFT}, {"note", TABLE_LEFT},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf notes = BUF_INIT(MIB(1));
	struct table table;

	table_init(&table, &mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < report->count; i++)
		add_row(&table, &report->indices[i]);
	if (facts->documents && table_print(&table, out, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < report->count; i++)
		if (print_differences(&report->indices[i], &mem, out, err) < 0)
			return -(int)err->kind;
	print_summary(report, facts, out);
	verify_report_notes(facts, &notes);
	fprintf(out, "%s", buf_cstr(&notes));
	return verify_findings_print(facts, &mem, out, err);
}

static struct json *difference_json(const struct document_difference *difference, struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT);

	json_set(row, STR("id"), json_new_string(mem, difference->id));
	json_set(row, STR("kind"),
		 json_new_string(mem, str_from(verify_kind_name(difference->kind))));
	if (difference->paths.len)
		json_set(row, STR("paths"), json_new_string(mem, difference->paths));
	return row;
}

static struct json *index_json(const struct index_comparison *index, struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{"source_documents", index->source_documents},
		{"target_documents", index->target_documents},
		{"missing", index->missing},
		{"extra", index->extra},
		{"changed", index->changed},
		{"doubled", index->doubled},
		{"in_motion", index->in_motion},
	};

	json_set(row, STR("source_index"), json_new_string(mem, index->source_index));
	json_set(row, STR("target_index"), json_new_string(mem, index->target_index));
	json_set(row, STR("verdict"),
		 json_new_string(mem, str_from(verify_verdict_name(index->verdict))));
	if (index->reason.len)
		json_set(row, STR("reason"), json_new_string(mem, index->reason));
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		json_set(row, str_from(counts[i].name),
			 json_new_i64(mem, (int64_t)counts[i].value));
	json_set(row, STR("counted_in_part"), json_new_bool(mem, index->counted_in_part));
	for (size_t i = 0; i < index->difference_count; i++)
		json_append(list, difference_json(&index->differences[i], mem));
	json_set(row, STR("differences"), list);
	return row;
}

static struct json *counts_json(const struct verify_transformed_counts *counts, struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT);

	json_set(row, STR("failed"), json_new_i64(mem, (int64_t)counts->failed));
	json_set(row, STR("dropped"), json_new_i64(mem, (int64_t)counts->dropped));
	json_set(row, STR("deletes"), json_new_i64(mem, (int64_t)counts->deletes));
	return row;
}

int verify_report_print_json(const struct verify_report *report, const struct verify_facts *facts,
			     FILE *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = json_new(&mem, JSON_OBJECT), *list = json_new(&mem, JSON_ARRAY);

	for (size_t i = 0; i < report->count; i++)
		json_append(list, index_json(&report->indices[i], &mem));
	json_set(root, STR("source"), json_new_string(&mem, str_from(facts->source)));
	json_set(root, STR("target"), json_new_string(&mem, str_from(facts->target)));
	json_set(root, STR("equal"), json_new_bool(&mem, facts->equal));
	if (facts->sample < 1)
		json_set(root, STR("sample"),
			 json_new_number(&mem, arena_printf(&mem, "%g", facts->sample)));
	if (facts->query)
		json_set(root, STR("query"), json_new_string(&mem, str_from(facts->query)));
	if (facts->since)
		json_set(root, STR("since_snapshot"),
			 json_new_string(&mem, str_from(facts->since)));
	if (facts->without_ids)
		json_set(root, STR("ids_compared"), json_new_bool(&mem, false));
	if (facts->settle_ms > 0)
		json_set(root, STR("settle_ms"), json_new_i64(&mem, facts->settle_ms));
	if (facts->transformed)
		json_set(root, STR("transformed"), counts_json(facts->transformed, &mem));
	verify_findings_json(facts, &mem, root);
	json_set(root, STR("elapsed_ms"), json_new_i64(&mem, facts->elapsed_ms));
	json_set(root, STR("indices"), list);
	if (facts->err)
		json_set(root, STR("error"), json_new_string(&mem, str_from(facts->err->message)));
	if (mem.failed)
		return arena_fail(&mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fprintf(out, "%s\n", buf_cstr(&text));
	return 0;
}
