#include "cli/metadata_dashboards_report.h"

#include "cli/table.h"

static const char *outcome_name(enum saved_object_outcome outcome)
{
	static const char *const names[] = {
		[SAVED_OBJECT_READY] = "ready",     [SAVED_OBJECT_WRITTEN] = "written",
		[SAVED_OBJECT_EXISTED] = "existed", [SAVED_OBJECT_FAILED] = "failed",
		[SAVED_OBJECT_DROPPED] = "dropped", [SAVED_OBJECT_EXCLUDED] = "excluded",
	};

	return names[outcome];
}

static size_t count_of(const struct dashboards_report *report, enum saved_object_outcome outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < report->set->count; i++)
		count += report->set->items[i]->outcome == outcome;
	return count;
}

size_t dashboards_report_problems(const struct dashboards_report *report)
{
	return count_of(report, SAVED_OBJECT_FAILED) + report->set->unreadable->count;
}

static struct str shown_space(struct str space)
{
	return space.len > 0 ? space : STR("default");
}

static void add_row(struct table *table, const struct saved_object *object)
{
	table_cell(table, shown_space(object->space));
	table_cell(table, object->type);
	table_cell(table, object->id);
	table_cell(table, saved_object_title(object));
	table_cell(table, str_from(outcome_name(object->outcome)));
	table_cell(table, object->reason);
	for (const struct saved_object_note *note = object->notes; note; note = note->next) {
		for (int i = 0; i < 5; i++)
			table_cell(table, STR(""));
		table_cell_printf(table, "%s" STR_FMT, note->warning ? "warning: " : "",
				  STR_ARG(note->text));
	}
}

static void print_line(const char *head, struct str text, struct arena *mem)
{
	struct str shown = text_printable(text, mem);

	if (shown.ptr)
		printf("%s" STR_FMT "\n", head, STR_ARG(shown));
}

int dashboards_report_print(const struct dashboards_report *report, struct arena *mem,
			    struct err *err)
{
	static const struct table_column columns[] = {
		{"space", TABLE_LEFT}, {"type", TABLE_LEFT},    {"id", TABLE_LEFT},
		{"title", TABLE_LEFT}, {"outcome", TABLE_LEFT}, {"remark", TABLE_LEFT}};
	struct table table;

	print_line("Source: ", arena_printf(mem, "%s, %s", report->source, report->source_place),
		   mem);
	print_line("Target: ", arena_printf(mem, "%s, %s", report->target, report->target_place),
		   mem);
	putchar('\n');
	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < report->set->count; i++)
		if (report->set->items[i]->outcome != SAVED_OBJECT_EXCLUDED)
			add_row(&table, report->set->items[i]);
	if (report->set->count > 0 && table_print(&table, stdout, err) < 0)
		return -(int)err->kind;
	json_each (text, report->set->unreadable)
		print_line("not readable: ", json_string(text), mem);
	printf("\n%zu objects: %zu %s, %zu there already, %zu dropped, %zu failed\n",
	       report->set->count - count_of(report, SAVED_OBJECT_EXCLUDED),
	       count_of(report, report->plan ? SAVED_OBJECT_READY : SAVED_OBJECT_WRITTEN),
	       report->plan ? "ready" : "written", count_of(report, SAVED_OBJECT_EXISTED),
	       count_of(report, SAVED_OBJECT_DROPPED), count_of(report, SAVED_OBJECT_FAILED));
	return 0;
}

static struct json *notes_json(const struct saved_object *object, struct arena *mem)
{
	struct json *list = json_new(mem, JSON_ARRAY);

	for (const struct saved_object_note *note = object->notes; note; note = note->next) {
		struct json *row = json_new(mem, JSON_OBJECT);

		json_set(row, STR("level"),
			 json_new_string(mem, note->warning ? STR("warning") : STR("change")));
		json_set(row, STR("text"), json_new_string(mem, note->text));
		json_append(list, row);
	}
	return list;
}

static struct json *object_json(const struct dashboards_report *report,
				const struct saved_object *object, struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT);
	struct str tenant = json_string(json_get_str(report->spaces, object->space));

	json_set(row, STR("space"), json_new_string(mem, shown_space(object->space)));
	json_set(row, STR("tenant"), json_new_string(mem, tenant.len > 0 ? tenant : STR("global")));
	json_set(row, STR("type"), json_new_string(mem, object->type));
	json_set(row, STR("id"), json_new_string(mem, object->id));
	json_set(row, STR("title"), json_new_string(mem, saved_object_title(object)));
	json_set(row, STR("outcome"),
		 json_new_string(mem, str_from(outcome_name(object->outcome))));
	if (object->reason.len > 0)
		json_set(row, STR("reason"), json_new_string(mem, object->reason));
	if (object->notes)
		json_set(row, STR("notes"), notes_json(object, mem));
	return row;
}

/* As the Java tool's sanitizer counts: how many were read and taken, and of which types the rest
 * is.
 */
static void set_counts(const struct dashboards_report *report, struct json *root, struct arena *mem)
{
	struct json *skipped = json_new(mem, JSON_OBJECT), *details = json_new(mem, JSON_OBJECT);
	size_t dropped = count_of(report, SAVED_OBJECT_DROPPED), made = 0;

	for (size_t i = 0; i < report->set->count; i++) {
		const struct saved_object *object = report->set->items[i];

		made += object->made;
		if (object->outcome == SAVED_OBJECT_DROPPED)
			json_set(details, object->type,
				 json_new_i64(mem,
					      json_i64_or(json_get_str(details, object->type), 0) +
						      1));
	}
	json_set(root, STR("total"), json_new_i64(mem, (int64_t)(report->set->count - made)));
	json_set(root, STR("processed"),
		 json_new_i64(mem, (int64_t)(report->set->count - made - dropped -
					     count_of(report, SAVED_OBJECT_EXCLUDED))));
	json_set(skipped, STR("count"), json_new_i64(mem, (int64_t)dropped));
	json_set(skipped, STR("details"), details);
	json_set(root, STR("skipped"), skipped);
}

static struct json *place_json(const char *type, const char *place, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	json_set(object, STR("type"), json_new_string(mem, str_from(type)));
	json_set(object, STR("uri"), json_new_string(mem, str_from(place)));
	return object;
}

static struct json *errors_json(const struct dashboards_report *report, struct arena *mem)
{
	struct json *errors = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < report->set->count; i++) {
		const struct saved_object *object = report->set->items[i];

		if (object->outcome == SAVED_OBJECT_FAILED)
			json_append(errors,
				    json_new_string(
					    mem,
					    arena_printf(mem, STR_FMT " " STR_FMT ": " STR_FMT,
							 STR_ARG(object->type), STR_ARG(object->id),
							 STR_ARG(object->reason))));
	}
	json_each (text, report->set->unreadable)
		json_append(errors, json_copy(mem, text));
	if (report->err)
		json_append(errors, json_new_string(mem, str_from(report->err->message)));
	return errors;
}

int dashboards_report_print_json(const struct dashboards_report *report, struct arena *mem,
				 struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = json_new(mem, JSON_OBJECT), *items = json_new(mem, JSON_ARRAY);
	struct json *clusters = json_new(mem, JSON_OBJECT);

	json_set(clusters, STR("source"), place_json(report->source, report->source_place, mem));
	json_set(clusters, STR("target"), place_json(report->target, report->target_place, mem));
	json_set(root, STR("clusters"), clusters);
	json_set(root, STR("dryRun"), json_new_bool(mem, report->plan));
	set_counts(report, root, mem);
	for (size_t i = 0; i < report->set->count; i++)
		json_append(items, object_json(report, report->set->items[i], mem));
	json_set(root, STR("items"), items);
	json_set(root, STR("errors"), errors_json(report, mem));
	json_set(root, STR("errorCount"),
		 json_new_i64(mem, (int64_t)dashboards_report_problems(report)));
	if (mem->failed)
		return arena_fail(mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fwrite(text.ptr, 1, text.len, stdout);
	putchar('\n');
	return 0;
}
