#include "cli/run_report.h"

#include "cli/number_text.h"
#include "cli/table.h"

#include <inttypes.h>

#define OTHERS_SHOWN 20 /* lines about other metadata; the JSON has all */

struct totals {
	uint64_t documents, sent, failed, superseded, source_bytes;
};

static struct totals add_up(const struct migrate_report *report)
{
	struct totals totals = {0};

	for (size_t i = 0; i < report->count; i++) {
		const struct backfill_index_result *r = &report->indices[i].documents;

		totals.documents += r->documents;
		totals.sent += r->sent;
		totals.failed += r->failed;
		totals.superseded += r->superseded;
		totals.source_bytes += r->source_bytes;
	}
	return totals;
}

enum exit_code run_report_exit_code(const struct migrate_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->indices[i].documents.unreadable)
			return EXIT_CODE_SOURCE_UNREADABLE;
	return report->agrees ? EXIT_CODE_OK : EXIT_CODE_COMPLETED_WITH_ERRORS;
}

/* NULL: it did not come to that. */
static const char *outcome_name(const struct migrate_index *index)
{
	if (index->refused)
		return "refused";
	switch (index->creation) {
	case OUTCOME_WRITTEN:
		return "created";
	case OUTCOME_EXISTED:
		return "existed";
	case OUTCOME_FAILED:
	case OUTCOME_BLOCKED:
		return "failed";
	case OUTCOME_READY:
		return "ready";
	case OUTCOME_NONE:
	case OUTCOME_EXCLUDED:
	case OUTCOME_REPORTED:
		return NULL;
	}
	BUG("unknown outcome");
}

static bool is_not_created(const struct migrate_index *index, const struct run_facts *facts)
{
	return facts->creates_indices &&
	       (index->creation == OUTCOME_FAILED || index->creation == OUTCOME_BLOCKED);
}

/* A plan does not read a snapshot's documents, and nothing else tells their number. */
static bool is_counted(const struct run_facts *facts)
{
	return !facts->planned || facts->live;
}

/* Whether its documents were read at all: else there is no count to tell. */
static bool was_read(const struct migrate_index *index, const struct run_facts *facts)
{
	return is_counted(facts) && !index->refused && !is_not_created(index, facts);
}

static const char *verdict(const struct migrate_index *index, const struct run_facts *facts)
{
	if (index->refused)
		return "refused";
	if (index->documents.unreadable)
		return "unreadable";
	if (index->agrees)
		return facts->planned ? "planned" : "ok";
	if (is_not_created(index, facts))
		return "not created";
	return facts->err ? "unfinished" : "differs";
}

/* Everything there is to say of an index, in the order of its life. */
static struct str full_note(const struct migrate_index *index, const struct run_facts *facts,
			    struct arena *mem)
{
	cleanup(buf_release) struct buf note = BUF_INIT(KIB(8));
	struct str parts[] = {
		facts->creates_indices ? index->creation_note : STR_NONE,
		index->note,
		index->documents.unreadable ? str_from(index->documents.reason) : STR_NONE,
	};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		bool said = parts[i].len == 0;

		for (size_t j = 0; j < i && !said; j++)
			said = parts[j].len > 0 &&
			       memmem(parts[j].ptr, parts[j].len, parts[i].ptr, parts[i].len);
		if (said)
			continue;
		if (note.len > 0)
			buf_append_str(&note, STR("; "));
		buf_append_str(&note, parts[i]);
	}
	return arena_str(mem, buf_str(&note));
}

/* Negative: not known. */
static void add_count(struct table *table, int64_t count)
{
	if (count < 0)
		table_cell(table, STR("-"));
	else
		table_cell_printf(table, "%" PRId64, count);
}

static bool is_renamed(const struct migrate_index *index)
{
	return index->target_name.len > 0 && !str_eq(index->name, index->target_name);
}

static void add_row(struct table *table, const struct migrate_index *index,
		    const struct run_facts *facts)
{
	int64_t arrived =
		facts->target_version ? index->target_documents : (int64_t)index->documents.sent;
	bool read = was_read(index, facts);

	if (!is_renamed(index))
		table_cell(table, index->name);
	else
		table_cell_printf(table, STR_FMT " -> " STR_FMT, STR_ARG(index->name),
				  STR_ARG(index->target_name));
	add_count(table, read ? (int64_t)index->documents.documents : -1);
	add_count(table, read ? arrived : -1);
	table_cell_printf(table, "%" PRIu64, index->documents.failed);
	table_cell(table, str_from(verdict(index, facts)));
	table_cell(table, full_note(index, facts, table->mem));
}

/* "N documents sent, N failed; 1.2 GiB of sources in 12.3 s: 48210 documents/s, 123.4 MB/s" */
static void print_totals(const struct totals *totals, const struct run_facts *facts, bool resumed,
			 FILE *out)
{
	char bytes[NUMBER_TEXT_MAX];
	double seconds = (double)MAX(facts->elapsed_ms, (int64_t)1) / 1000;

	fprintf(out, "\n%" PRIu64 " documents sent, %" PRIu64 " failed", totals->sent,
		totals->failed);
	if (totals->superseded > 0)
		fprintf(out, ", %" PRIu64 " superseded by newer ones", totals->superseded);
	fprintf(out, "; %s of sources in ", bytes_text(totals->source_bytes, bytes));
	/* A pace of several runs would be none. */
	if (resumed)
		fprintf(out, "this run of %.1f s and those before it\n", seconds);
	else
		fprintf(out, "%.1f s: %.0f documents/s, %.1f MB/s\n", seconds,
			(double)totals->sent / seconds,
			(double)totals->source_bytes / 1e6 / seconds);
	if (totals->failed > 0 && facts->failed_documents)
		fprintf(out, "Failed documents, with reasons: %s\n", facts->failed_documents);
}

/* The other metadata that did not come to the target, a line each. */
static void print_other_problems(const struct metadata_set *set, struct arena *mem, FILE *out)
{
	size_t left = migrate_metadata_other_problems(set), told = 0;

	for (size_t i = 0; i < set->unreadable_count && told < OTHERS_SHOWN; i++, told++)
		fprintf(out, "%s: not read: " STR_FMT "\n",
			metadata_kind_heading(set->unreadable[i].kind),
			STR_ARG(text_printable(set->unreadable[i].reason, mem)));
	for (size_t i = 0; i < set->count && told < OTHERS_SHOWN; i++) {
		const struct metadata_item *item = set->items[i];

		if (!migrate_metadata_is_other_problem(set, item))
			continue;
		fprintf(out, "%s '" STR_FMT "' was not written: " STR_FMT "\n",
			metadata_kind_name(item->kind), STR_ARG(text_printable(item->name, mem)),
			STR_ARG(text_printable(item->reason, mem)));
		told++;
	}
	if (left > told)
		fprintf(out,
			"%zu more items were not written: `shardlift metadata evaluate` names "
			"them\n",
			left - told);
}

int run_report_print(const struct migrate_report *report, const struct run_facts *facts, FILE *out,
		     struct err *err)
{
	const struct table_column columns[] = {
		{"index", TABLE_LEFT},
		{facts->previous.ptr ? "changed"
		 : facts->live       ? "on source"
				     : "in snapshot",
		 TABLE_RIGHT},
		{facts->target_version ? "on target" : "written", TABLE_RIGHT},
		{"failed", TABLE_RIGHT},
		{"result", TABLE_LEFT},
		{"note", TABLE_LEFT},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct totals totals = add_up(report);
	struct table table;

	table_init(&table, &mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < report->count; i++)
		add_row(&table, &report->indices[i], facts);
	if (table_print(&table, out, err) < 0)
		return -(int)err->kind;
	if (!is_counted(facts))
		fprintf(out, "\nnothing was done\n");
	else if (facts->planned)
		fprintf(out, "\n%" PRIu64 " documents would be copied; nothing was done\n",
			totals.documents);
	else
		print_totals(&totals, facts, report->resumed, out);
	print_other_problems(&report->metadata, &mem, out);
	return 0;
}

static void set_text(struct json *object, const char *key, struct str text, struct arena *mem)
{
	json_set(object, str_from(key),
		 text.ptr ? json_new_string(mem, text) : json_new(mem, JSON_NULL));
}

static void set_number(struct json *object, const char *key, int64_t value, struct arena *mem)
{
	json_set(object, str_from(key), json_new_i64(mem, value));
}

static void set_bool(struct json *object, const char *key, bool value, struct arena *mem)
{
	json_set(object, str_from(key), json_new_bool(mem, value));
}

/* null where it is not known. */
static void set_count(struct json *object, const char *key, int64_t count, struct arena *mem)
{
	json_set(object, str_from(key),
		 count < 0 ? json_new(mem, JSON_NULL) : json_new_i64(mem, count));
}

static struct json *index_json(const struct migrate_index *index, const struct run_facts *facts,
			       struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	set_text(object, "index", index->name, mem);
	if (is_renamed(index))
		set_text(object, "target_index", index->target_name, mem);
	set_text(object, "result", str_from(verdict(index, facts)), mem);
	set_text(object, "source", str_from(source_kind_name(index->source_kind)), mem);
	if (facts->creates_indices)
		set_text(object, "creation",
			 outcome_name(index) ? str_from(outcome_name(index)) : STR_NONE, mem);
	set_count(object, "documents",
		  was_read(index, facts) ? (int64_t)index->documents.documents : -1, mem);
	set_number(object, "sent", (int64_t)index->documents.sent, mem);
	set_number(object, "failed", (int64_t)index->documents.failed, mem);
	set_number(object, "superseded", (int64_t)index->documents.superseded, mem);
	set_number(object, "source_bytes", (int64_t)index->documents.source_bytes, mem);
	set_count(object, "target_documents", index->target_documents, mem);
	set_bool(object, "agrees", index->agrees, mem);
	set_text(object, "note", full_note(index, facts, mem), mem);
	return object;
}

static void set_totals(struct json *object, const struct migrate_report *report,
		       const struct run_facts *facts, struct arena *mem)
{
	struct totals totals = add_up(report);
	struct json *all = json_new(mem, JSON_OBJECT);

	set_number(all, "documents", (int64_t)totals.documents, mem);
	set_number(all, "sent", (int64_t)totals.sent, mem);
	set_number(all, "failed", (int64_t)totals.failed, mem);
	set_number(all, "superseded", (int64_t)totals.superseded, mem);
	set_number(all, "source_bytes", (int64_t)totals.source_bytes, mem);
	set_number(all, "bulk_bytes", (int64_t)atomic_load(&facts->progress->bytes_sent), mem);
	set_number(all, "retries", (int64_t)atomic_load(&facts->progress->retries), mem);
	set_number(all, "elapsed_ms", facts->elapsed_ms, mem);
	json_set(object, STR("totals"), all);
}

static struct json *other_problems_json(const struct metadata_set *set, struct arena *mem)
{
	struct json *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < set->unreadable_count; i++) {
		struct json *row = json_new(mem, JSON_OBJECT);

		set_text(row, "kind", str_from(metadata_kind_name(set->unreadable[i].kind)), mem);
		set_text(row, "name", STR_NONE, mem);
		set_text(row, "reason", set->unreadable[i].reason, mem);
		json_append(list, row);
	}
	for (size_t i = 0; i < set->count; i++) {
		struct json *row = json_new(mem, JSON_OBJECT);

		if (!migrate_metadata_is_other_problem(set, set->items[i]))
			continue;
		set_text(row, "kind", str_from(metadata_kind_name(set->items[i]->kind)), mem);
		set_text(row, "name", set->items[i]->name, mem);
		set_text(row, "reason", set->items[i]->reason, mem);
		json_append(list, row);
	}
	return list;
}

static struct json *report_json(const struct migrate_report *report, const struct run_facts *facts,
				struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);
	struct json *indices = json_new(mem, JSON_ARRAY);

	set_text(object, "command", str_from(facts->command), mem);
	set_text(object, "repository", facts->repository, mem);
	set_text(object, "snapshot", facts->snapshot, mem);
	if (facts->previous.ptr)
		set_text(object, "previous_snapshot", facts->previous, mem);
	set_text(object, "source_version", facts->source_version, mem);
	set_text(object, "target", str_from(facts->target), mem);
	set_text(object, "target_version", str_from(facts->target_version), mem);
	set_bool(object, "agrees", report->agrees && !facts->err, mem);
	set_text(object, "session", str_from(facts->session), mem);
	set_bool(object, "resumed", report->resumed, mem);
	set_text(object, "error", facts->err ? str_from(facts->err->message) : STR_NONE, mem);
	set_text(object, "failed_documents",
		 add_up(report).failed > 0 ? str_from(facts->failed_documents) : STR_NONE, mem);
	set_totals(object, report, facts, mem);
	for (size_t i = 0; i < report->count; i++)
		json_append(indices, index_json(&report->indices[i], facts, mem));
	json_set(object, STR("indices"), indices);
	if (facts->creates_indices)
		json_set(object, STR("other_failures"),
			 other_problems_json(&report->metadata, mem));
	return object;
}

int run_report_print_json(const struct migrate_report *report, const struct run_facts *facts,
			  FILE *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *object = report_json(report, facts, &mem);

	if (mem.failed)
		return arena_fail(&mem, "the report", err);
	json_write_pretty(&text, object);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fprintf(out, "%s\n", buf_cstr(&text));
	return 0;
}
