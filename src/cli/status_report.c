#include "cli/status_report.h"

#include "base/json.h"
#include "cli/number_text.h"
#include "cli/table.h"

#include <inttypes.h>

static const char *const state_names[] = {[WORK_WAITING] = "waiting",
					  [WORK_LEASED] = "leased",
					  [WORK_COMPLETED] = "done",
					  [WORK_PARKED] = "parked"};

static uint64_t bytes_done(const struct work_status *status)
{
	const struct work_item *item = &status->item;
	int64_t done = status->progress.next_doc - item->first_doc, all;

	if (status->state == WORK_COMPLETED)
		return item->bytes;
	all = item->end_doc - item->first_doc;
	if (item->end_doc == WORK_TO_END || done <= 0 || all <= 0)
		return 0;
	return (uint64_t)((double)item->bytes * (double)MIN(done, all) / (double)all);
}

static void add(struct status_index *to, const struct work_status *status)
{
	to->items[status->state]++;
	to->documents += status->progress.documents;
	to->sent += status->progress.sent;
	to->failed += status->progress.failed;
	to->superseded += status->progress.superseded;
	to->bytes_total += status->item.bytes;
	to->bytes_done += bytes_done(status);
}

int status_report_make(const char *session, const struct work_status *items, size_t count,
		       struct arena *mem, struct status_report *out, struct err *err)
{
	*out = (struct status_report){.session = session, .items = items, .item_count = count};
	out->indices = arena_zalloc(mem, count, sizeof(*out->indices));
	if (!out->indices)
		return arena_fail(mem, "the status of the work", err);
	out->total.target_documents = -1;
	for (size_t i = 0; i < count; i++) {
		struct status_index *last = &out->indices[out->count ? out->count - 1 : 0];

		if (out->count == 0 || !str_eq(last->name, items[i].item.index)) {
			last = &out->indices[out->count++];
			*last = (struct status_index){.name = items[i].item.index,
						      .target_documents = -1};
		}
		add(last, &items[i]);
		add(&out->total, &items[i]);
	}
	return 0;
}

void status_report_pace(struct status_report *report, const struct status_report *before,
			int64_t elapsed_ms)
{
	uint64_t from = before->total.bytes_done, to = report->total.bytes_done;

	if (elapsed_ms > 0 && to > from)
		report->bytes_per_second = (double)(to - from) * 1000 / (double)elapsed_ms;
}

static uint64_t items_of(const struct status_index *index)
{
	uint64_t items = 0;

	for (size_t i = 0; i < COUNT_OF(index->items); i++)
		items += index->items[i];
	return items;
}

unsigned status_percent(const struct status_index *index)
{
	uint64_t all = items_of(index), done = index->items[WORK_COMPLETED];
	double part = all ? (double)done / (double)all : 1;

	if (done == all)
		return 100;
	if (index->bytes_total > 0)
		part = (double)index->bytes_done / (double)index->bytes_total;
	return MIN((unsigned)(part * 100), 99U);
}

int64_t status_seconds_left(const struct status_report *report)
{
	const struct status_index *total = &report->total;
	double left = (double)(total->bytes_total - total->bytes_done);

	if (status_is_finished(report))
		return 0;
	if (report->bytes_per_second <= 0 || left / report->bytes_per_second > 1e9)
		return -1;
	return (int64_t)(left / report->bytes_per_second + 0.5);
}

bool status_is_finished(const struct status_report *report)
{
	return report->total.items[WORK_WAITING] + report->total.items[WORK_LEASED] == 0;
}

bool status_misses_documents(const struct status_index *index)
{
	return index->target_reason.ptr ||
	       (index->target_documents >= 0 && (uint64_t)index->target_documents < index->sent);
}

static void add_row(struct table *table, struct str name, const struct status_index *index,
		    bool asked_target)
{
	table_cell(table, name);
	table_cell_printf(table, "%u%%", status_percent(index));
	table_cell_printf(table, "%" PRIu64, index->items[WORK_COMPLETED]);
	table_cell_printf(table, "%" PRIu64, index->items[WORK_LEASED]);
	table_cell_printf(table, "%" PRIu64, index->items[WORK_WAITING]);
	table_cell_printf(table, "%" PRIu64, index->items[WORK_PARKED]);
	table_cell_printf(table, "%" PRIu64, index->documents);
	table_cell_printf(table, "%" PRIu64, index->sent);
	table_cell_printf(table, "%" PRIu64, index->failed);
	if (!asked_target)
		return;
	if (index->target_documents < 0)
		table_cell(table, index->target_reason.ptr ? index->target_reason : STR("-"));
	else
		table_cell_printf(table, "%" PRId64 "%s", index->target_documents,
				  status_misses_documents(index) ? " (fewer than sent)" : "");
}

static void print_head(const struct status_report *report, FILE *out)
{
	char done[NUMBER_TEXT_MAX], all[NUMBER_TEXT_MAX], eta[NUMBER_TEXT_MAX];
	int64_t left = status_seconds_left(report);

	fprintf(out, "session %s: %u%%, %s of %s", report->session, status_percent(&report->total),
		bytes_text(report->total.bytes_done, done),
		bytes_text(report->total.bytes_total, all));
	if (status_is_finished(report))
		fprintf(out, report->total.items[WORK_PARKED] ? ", nothing left but parked items"
							      : ", finished");
	else if (report->paused)
		fputs(", paused", out);
	else if (report->total.items[WORK_LEASED] == 0)
		fputs(", nobody works on it", out);
	else if (left >= 0)
		fprintf(out, ", ETA %s", duration_text((uint64_t)left, eta));
	fputc('\n', out);
}

static void print_parked(const struct status_report *report, struct arena *mem, FILE *out)
{
	for (size_t i = 0; i < report->item_count; i++) {
		const struct work_status *status = &report->items[i];
		struct str name = text_printable(status->item.index, mem);
		struct str reason = text_printable(
			status->reason.ptr ? status->reason : STR("no reason is known"), mem);

		if (status->state != WORK_PARKED)
			continue;
		fprintf(out, "parked: " STR_FMT "[%d] from document %" PRId64 " on: " STR_FMT "\n",
			STR_ARG(name), status->item.shard, status->progress.next_doc,
			STR_ARG(reason));
	}
}

int status_report_print(const struct status_report *report, struct arena *mem, FILE *out,
			struct err *err)
{
	static const struct table_column columns[] = {
		{"index", TABLE_LEFT},      {"read", TABLE_RIGHT},    {"done", TABLE_RIGHT},
		{"leased", TABLE_RIGHT},    {"waiting", TABLE_RIGHT}, {"parked", TABLE_RIGHT},
		{"documents", TABLE_RIGHT}, {"sent", TABLE_RIGHT},    {"failed", TABLE_RIGHT},
		{"on target", TABLE_RIGHT},
	};
	struct table table;

	print_head(report, out);
	table_init(&table, mem, columns, COUNT_OF(columns) - !report->asked_target);
	for (size_t i = 0; i < report->count; i++)
		add_row(&table, report->indices[i].name, &report->indices[i], report->asked_target);
	if (report->count > 1)
		add_row(&table, STR("all"), &report->total, report->asked_target);
	if (report->count > 0 && table_print(&table, out, err) < 0)
		return -(int)err->kind;
	print_parked(report, mem, out);
	return 0;
}

static void set_count(struct json *object, const char *name, uint64_t count, struct arena *mem)
{
	json_set(object, str_from(name), json_new_i64(mem, (int64_t)count));
}

static struct json *index_json(const struct status_index *index, bool asked, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT), *items = json_new(mem, JSON_OBJECT);

	if (index->name.ptr)
		json_set(object, STR("index"), json_new_string(mem, index->name));
	set_count(object, "percent", status_percent(index), mem);
	for (size_t i = 0; i < COUNT_OF(state_names); i++)
		set_count(items, state_names[i], index->items[i], mem);
	json_set(object, STR("items"), items);
	set_count(object, "documents", index->documents, mem);
	set_count(object, "sent", index->sent, mem);
	set_count(object, "failed", index->failed, mem);
	set_count(object, "superseded", index->superseded, mem);
	set_count(object, "bytes_done", index->bytes_done, mem);
	set_count(object, "bytes_total", index->bytes_total, mem);
	if (asked && index->name.ptr) {
		json_set(object, STR("target_documents"),
			 index->target_documents < 0 ? json_new(mem, JSON_NULL)
						     : json_new_i64(mem, index->target_documents));
		json_set(object, STR("target_has_all"),
			 json_new_bool(mem, !status_misses_documents(index)));
	}
	return object;
}

static struct json *parked_json(const struct work_status *status, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	json_set(object, STR("index"), json_new_string(mem, status->item.index));
	json_set(object, STR("shard"), json_new_i64(mem, status->item.shard));
	json_set(object, STR("next_doc"), json_new_i64(mem, status->progress.next_doc));
	json_set(object, STR("failures"), json_new_i64(mem, status->failures));
	json_set(object, STR("reason"), json_new_string(mem, status->reason));
	return object;
}

struct json *status_report_json(const struct status_report *report, struct arena *mem)
{
	struct json *root = json_new(mem, JSON_OBJECT), *indices = json_new(mem, JSON_ARRAY);
	struct json *parked = json_new(mem, JSON_ARRAY);
	int64_t left = status_seconds_left(report);

	json_set(root, STR("session"), json_new_string(mem, str_from(report->session)));
	json_set(root, STR("finished"), json_new_bool(mem, status_is_finished(report)));
	json_set(root, STR("paused"), json_new_bool(mem, report->paused));
	json_set(root, STR("seconds_left"),
		 left < 0 ? json_new(mem, JSON_NULL) : json_new_i64(mem, left));
	json_set(root, STR("total"), index_json(&report->total, false, mem));
	for (size_t i = 0; i < report->count; i++)
		json_append(indices, index_json(&report->indices[i], report->asked_target, mem));
	json_set(root, STR("indices"), indices);
	for (size_t i = 0; i < report->item_count; i++)
		if (report->items[i].state == WORK_PARKED)
			json_append(parked, parked_json(&report->items[i], mem));
	json_set(root, STR("parked"), parked);
	return root;
}

static uint64_t count_of(const struct json *object, const char *name)
{
	return (uint64_t)MAX(json_i64_or(json_get(object, name), 0), (int64_t)0);
}

bool status_total_read(const struct json *session, struct status_index *out)
{
	const struct json *total = json_get(session, "total"), *items = json_get(total, "items");

	*out = (struct status_index){.target_documents = -1,
				     .documents = count_of(total, "documents"),
				     .sent = count_of(total, "sent"),
				     .failed = count_of(total, "failed"),
				     .superseded = count_of(total, "superseded"),
				     .bytes_done = count_of(total, "bytes_done"),
				     .bytes_total = count_of(total, "bytes_total")};
	for (size_t i = 0; i < COUNT_OF(state_names); i++)
		out->items[i] = count_of(items, state_names[i]);
	return items_of(out) > 0;
}
