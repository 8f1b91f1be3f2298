#include "cli/compare_report.h"

#include "cli/table.h"

#include <inttypes.h>

static const double parts[] = {0.5, 0.9, 0.99};

static void status_text(int status, char text[static 16])
{
	if (status > 0)
		snprintf(text, 16, "%d", status);
	else
		snprintf(text, 16, "none");
}

static int print_endpoints(const struct tuple_tally *tally, struct arena *mem, FILE *out,
			   struct err *err)
{
	static const struct table_column columns[] = {{"endpoint", TABLE_LEFT},
						      {"requests", TABLE_RIGHT},
						      {"compared", TABLE_RIGHT},
						      {"differ", TABLE_RIGHT},
						      {"statuses", TABLE_LEFT}};
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < tally->endpoint_count; i++) {
		const struct tuple_endpoint_tally *endpoint = tally->endpoints[i];
		cleanup(buf_release) struct buf cells = BUF_INIT(KIB(16));

		for (size_t j = 0; j < endpoint->status_count; j++) {
			const struct tuple_statuses *cell = &endpoint->statuses[j];
			char source[16], target[16];

			status_text(cell->status[TUPLE_SOURCE], source);
			status_text(cell->status[TUPLE_TARGET], target);
			buf_printf(&cells, "%s%s->%s: %" PRIu64, j ? ", " : "", source, target,
				   cell->count);
		}
		table_cell(&table, endpoint->name);
		table_cell_printf(&table, "%" PRIu64, endpoint->tuples);
		table_cell_printf(&table, "%" PRIu64, endpoint->compared);
		table_cell_printf(&table, "%" PRIu64, endpoint->different);
		table_cell(&table, buf_str(&cells));
	}
	return table_print(&table, out, err);
}

static void latency_row(struct table *table, struct str name,
			struct latency *const latency[TUPLE_SIDES])
{
	if (!latency[TUPLE_SOURCE] || latency[TUPLE_SOURCE]->count == 0)
		return;
	table_cell(table, name);
	table_cell_printf(table, "%" PRIu64, latency[TUPLE_SOURCE]->count);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		for (size_t side = 0; side < TUPLE_SIDES; side++)
			table_cell_printf(table, "%.1f",
					  latency_percentile(latency[side], parts[i]) / 1000);
	table_cell_printf(table, "%.2f", tuple_latency_ratio(latency, 0.99));
}

static int print_latency_table(const struct tuple_tally *tally, const char *title, bool first_byte,
			       struct arena *mem, FILE *out, struct err *err)
{
	const struct table_column columns[] = {
		{title, TABLE_LEFT},     {"answers", TABLE_RIGHT}, {"p50", TABLE_RIGHT},
		{"target", TABLE_RIGHT}, {"p90", TABLE_RIGHT},     {"target", TABLE_RIGHT},
		{"p99", TABLE_RIGHT},    {"target", TABLE_RIGHT},  {"p99 ratio", TABLE_RIGHT}};
	struct latency *const *all = first_byte ? tally->first_byte : tally->latency;
	struct table table;

	if (all[TUPLE_SOURCE]->count == 0)
		return 0;
	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < tally->endpoint_count; i++)
		latency_row(&table, tally->endpoints[i]->name,
			    first_byte ? tally->endpoints[i]->first_byte
				       : tally->endpoints[i]->latency);
	latency_row(&table, STR("(all)"), all);
	fputc('\n', out);
	return table_print(&table, out, err);
}

static int print_latencies(const struct tuple_tally *tally, const struct compare_facts *facts,
			   struct arena *mem, FILE *out, struct err *err)
{
	if (print_latency_table(tally, "milliseconds", false, mem, out, err) < 0)
		return -(int)err->kind;
	/* Of two targets they are alike. */
	if (!facts->matched && tally->latency[TUPLE_SOURCE]->count > tally->same_span)
		fprintf(out, "The target's times may include connecting and sending; with replay "
			     "--tuple-latency-spans both sides' have the same span.\n");
	return print_latency_table(tally, "to the first byte", true, mem, out, err);
}

static int print_classes(const struct tuple_tally *tally, struct arena *mem, FILE *out,
			 struct err *err)
{
	static const struct table_column columns[] = {
		{"errors of", TABLE_LEFT}, {"class", TABLE_LEFT}, {"count", TABLE_RIGHT}};
	struct table table;

	if (tally->class_count == 0)
		return 0;
	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < tally->class_count; i++) {
		table_cell(&table,
			   tally->classes[i].side == TUPLE_SOURCE ? STR("source") : STR("target"));
		table_cell(&table, tally->classes[i].name);
		table_cell_printf(&table, "%" PRIu64, tally->classes[i].count);
	}
	fputc('\n', out);
	return table_print(&table, out, err);
}

static int print_kind(const struct tuple_kind_tally *kind, const char *name, struct arena *mem,
		      FILE *out, struct err *err)
{
	static const struct table_column columns[] = {{"where", TABLE_LEFT},
						      {"source", TABLE_LEFT},
						      {"target", TABLE_LEFT},
						      {"request", TABLE_LEFT},
						      {"connection", TABLE_LEFT}};
	struct table table;

	if (kind->differences == 0)
		return 0;
	fprintf(out, "\n%s: %" PRIu64 " in %" PRIu64 " answers\n", name, kind->differences,
		kind->tuples);
	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < kind->example_count; i++) {
		const struct tuple_example *example = &kind->examples[i];

		table_cell(&table, example->path);
		table_cell(&table, example->source);
		table_cell(&table, example->target);
		table_cell_printf(&table, STR_FMT " " STR_FMT, STR_ARG(example->method),
				  STR_ARG(example->uri));
		table_cell(&table, example->connection_id);
	}
	if (kind->example_count > 0 && table_print(&table, out, err) < 0)
		return -(int)err->kind;
	if (kind->differences > kind->example_count)
		fprintf(out, "and %" PRIu64 " more; --max-named names more of them\n",
			kind->differences - kind->example_count);
	return 0;
}

/* Texts from outside, line by line, for a terminal. */
static void print_lines(struct str text, struct arena *mem, FILE *out)
{
	struct str line, printable;

	while (str_split(text, '\n', &line, &text)) {
		printable = text_printable(line, mem);
		fprintf(out, STR_FMT "\n", STR_ARG(printable));
	}
}

static void print_verdict(const struct tuple_tally *tally, const struct compare_facts *facts,
			  struct arena *mem, FILE *out)
{
	fprintf(out,
		"\n%s: %" PRIu64 " of %" PRIu64 " compared answers differ (%.3g %%); %" PRIu64
		" errors of the target\n",
		facts->within ? "Within the limits" : "Beyond the limits", tally->different,
		tally->compared,
		tally->compared ? 100.0 * (double)tally->different / (double)tally->compared : 0.0,
		tally->errors);
	print_lines(facts->why, mem, out);
	if (tally->not_compared > 0)
		fprintf(out, "Not compared, for there is no answer of the source: %" PRIu64 "\n",
			tally->not_compared);
	if (tally->retried > 0)
		fprintf(out, "Asked more than once: %" PRIu64 "\n", tally->retried);
	if (facts->matched)
		fprintf(out,
			"Requests that only one set has: %" PRIu64 " the first, %" PRIu64
			" the second\n",
			facts->unmatched[TUPLE_SOURCE], facts->unmatched[TUPLE_TARGET]);
	if (facts->damaged > 0) {
		fprintf(out, "Lines that could not be read: %" PRIu64 "\n", facts->damaged);
		print_lines(facts->damages, mem, out);
	}
	if (facts->interrupted)
		fprintf(out, "It was interrupted before the end.\n");
}

int compare_report_print(const struct tuple_tally *tally, const struct compare_facts *facts,
			 FILE *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);

	if (print_endpoints(tally, &mem, out, err) < 0 ||
	    print_latencies(tally, facts, &mem, out, err) < 0 ||
	    print_classes(tally, &mem, out, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < TUPLE_DIFFERENCES; i++)
		if (print_kind(&tally->kinds[i], tuple_difference_name((enum tuple_difference)i),
			       &mem, out, err) < 0)
			return -(int)err->kind;
	print_verdict(tally, facts, &mem, out);
	return 0;
}

static void set_count(struct json *row, const char *name, uint64_t count, struct arena *mem)
{
	json_set(row, str_from(name), json_new_i64(mem, (int64_t)count));
}

static void set_text(struct json *row, const char *name, struct str text, struct arena *mem)
{
	json_set(row, str_from(name), json_new_string(mem, text));
}

static void set_decimal(struct json *row, const char *name, double value, struct arena *mem)
{
	json_set(row, str_from(name), json_new_number(mem, arena_printf(mem, "%.6g", value)));
}

static struct json *percentiles_json(struct latency *const latency[TUPLE_SIDES], struct arena *mem)
{
	static const char *const names[] = {"p50", "p90", "p99"};
	static const char *const sides[] = {"source_ms", "target_ms"};
	struct json *row = json_new(mem, JSON_OBJECT), *ratios = json_new(mem, JSON_OBJECT);

	if (!latency[0] || latency[0]->count == 0)
		return json_new(mem, JSON_NULL);
	set_count(row, "answers", latency[0]->count, mem);
	for (size_t side = 0; side < TUPLE_SIDES; side++) {
		struct json *values = json_new(mem, JSON_OBJECT);

		for (size_t i = 0; i < COUNT_OF(parts); i++)
			set_decimal(values, names[i],
				    latency_percentile(latency[side], parts[i]) / 1000, mem);
		json_set(row, str_from(sides[side]), values);
	}
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		set_decimal(ratios, names[i], tuple_latency_ratio(latency, parts[i]), mem);
	json_set(row, STR("ratio"), ratios);
	return row;
}

static struct json *latency_json(struct latency *const latency[TUPLE_SIDES],
				 struct latency *const first_byte[TUPLE_SIDES], struct arena *mem)
{
	struct json *row = percentiles_json(latency, mem);

	if (first_byte[0] && first_byte[0]->count > 0)
		json_set(row, STR("first_byte"), percentiles_json(first_byte, mem));
	return row;
}

static struct json *endpoint_json(const struct tuple_endpoint_tally *endpoint, struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT), *cells = json_new(mem, JSON_ARRAY);

	set_text(row, "endpoint", endpoint->name, mem);
	set_count(row, "requests", endpoint->tuples, mem);
	set_count(row, "compared", endpoint->compared, mem);
	set_count(row, "different", endpoint->different, mem);
	for (size_t i = 0; i < endpoint->status_count; i++) {
		const struct tuple_statuses *cell = &endpoint->statuses[i];
		struct json *one = json_new(mem, JSON_OBJECT);

		set_count(one, "source", (uint64_t)cell->status[TUPLE_SOURCE], mem);
		set_count(one, "target", (uint64_t)cell->status[TUPLE_TARGET], mem);
		set_count(one, "count", cell->count, mem);
		json_append(cells, one);
	}
	json_set(row, STR("statuses"), cells);
	json_set(row, STR("latency"), latency_json(endpoint->latency, endpoint->first_byte, mem));
	return row;
}

static struct json *kind_json(const struct tuple_kind_tally *kind, const char *name,
			      struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT), *examples = json_new(mem, JSON_ARRAY);

	set_text(row, "kind", str_from(name), mem);
	set_count(row, "differences", kind->differences, mem);
	set_count(row, "answers", kind->tuples, mem);
	for (size_t i = 0; i < kind->example_count; i++) {
		const struct tuple_example *example = &kind->examples[i];
		struct json *one = json_new(mem, JSON_OBJECT);

		set_text(one, "connectionId", example->connection_id, mem);
		set_text(one, "method", example->method, mem);
		set_text(one, "uri", example->uri, mem);
		set_text(one, "path", example->path, mem);
		set_text(one, "source", example->source, mem);
		set_text(one, "target", example->target, mem);
		json_append(examples, one);
	}
	json_set(row, STR("examples"), examples);
	return row;
}

static struct json *lines_json(struct str text, struct arena *mem)
{
	struct json *list = json_new(mem, JSON_ARRAY);
	struct str line;

	while (str_split(text, '\n', &line, &text))
		json_append(list, json_new_string(mem, line));
	return list;
}

static void set_facts(struct json *root, const struct tuple_tally *tally,
		      const struct compare_facts *facts, struct arena *mem)
{
	json_set(root, STR("within_limits"), json_new_bool(mem, facts->within));
	json_set(root, STR("beyond"), lines_json(facts->why, mem));
	set_count(root, "requests", tally->tuples, mem);
	set_count(root, "compared", tally->compared, mem);
	set_count(root, "different", tally->different, mem);
	set_count(root, "not_compared", tally->not_compared, mem);
	set_count(root, "target_errors", tally->errors, mem);
	set_count(root, "retried", tally->retried, mem);
	set_count(root, "files", facts->files, mem);
	set_count(root, "damaged_lines", facts->damaged, mem);
	json_set(root, STR("damages"), lines_json(facts->damages, mem));
	if (facts->matched) {
		set_count(root, "only_first", facts->unmatched[TUPLE_SOURCE], mem);
		set_count(root, "only_second", facts->unmatched[TUPLE_TARGET], mem);
	}
	if (facts->interrupted)
		json_set(root, STR("interrupted"), json_new_bool(mem, true));
	json_set(root, STR("latency"), latency_json(tally->latency, tally->first_byte, mem));
	set_count(root, "same_span", tally->same_span, mem);
}

int compare_report_print_json(const struct tuple_tally *tally, const struct compare_facts *facts,
			      FILE *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = json_new(&mem, JSON_OBJECT), *list = json_new(&mem, JSON_ARRAY);

	set_facts(root, tally, facts, &mem);
	for (size_t i = 0; i < tally->endpoint_count; i++)
		json_append(list, endpoint_json(tally->endpoints[i], &mem));
	json_set(root, STR("endpoints"), list);
	list = json_new(&mem, JSON_ARRAY);
	for (size_t i = 0; i < tally->class_count; i++) {
		struct json *row = json_new(&mem, JSON_OBJECT);

		set_text(row, "side",
			 tally->classes[i].side == TUPLE_SOURCE ? STR("source") : STR("target"),
			 &mem);
		set_text(row, "class", tally->classes[i].name, &mem);
		set_count(row, "count", tally->classes[i].count, &mem);
		json_append(list, row);
	}
	json_set(root, STR("errors"), list);
	list = json_new(&mem, JSON_ARRAY);
	for (size_t i = 0; i < TUPLE_DIFFERENCES; i++)
		if (tally->kinds[i].differences > 0)
			json_append(list, kind_json(&tally->kinds[i],
						    tuple_difference_name((enum tuple_difference)i),
						    &mem));
	json_set(root, STR("differences"), list);
	if (mem.failed)
		return arena_fail(&mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fprintf(out, "%s\n", buf_cstr(&text));
	return 0;
}
