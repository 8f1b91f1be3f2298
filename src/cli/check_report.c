#include "cli/check_report.h"

#include "cli/table.h"

#include <stdio.h>

static int print_table(const struct check_report *report, struct err *err)
{
	static const struct table_column columns[] = {{"", TABLE_LEFT},
						      {"side", TABLE_LEFT},
						      {"check", TABLE_LEFT},
						      {"found", TABLE_LEFT}};
	struct table table;

	table_init(&table, report->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < report->count; i++) {
		const struct check_row *row = &report->rows[i];

		table_cell_state(&table, str_from(check_outcome_name(row->outcome)));
		table_cell(&table, str_from(row->side));
		table_cell(&table, str_from(row->name));
		table_cell_printf(&table, STR_FMT "%s" STR_FMT, STR_ARG(row->detail),
				  row->next.len ? "; " : "", STR_ARG(row->next));
	}
	return table_print(&table, stdout, err);
}

static int print_json(const struct check_report *report, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(4));
	struct arena *mem = report->mem;
	struct json *root = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < report->count; i++) {
		const struct check_row *row = &report->rows[i];
		struct json *one = json_new(mem, JSON_OBJECT);

		json_set(one, STR("side"), json_new_string(mem, str_from(row->side)));
		json_set(one, STR("check"), json_new_string(mem, str_from(row->name)));
		json_set(one, STR("outcome"),
			 json_new_string(mem, str_from(check_outcome_name(row->outcome))));
		json_set(one, STR("found"), json_new_string(mem, row->detail));
		json_set(one, STR("next"), json_new_string(mem, row->next));
		json_append(list, one);
	}
	json_set(root, STR("checks"), list);
	if (mem->failed)
		return arena_fail(mem, "the checks", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the checks", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

int check_report_print(const struct check_report *report, bool json, struct err *err)
{
	return json ? print_json(report, err) : print_table(report, err);
}
