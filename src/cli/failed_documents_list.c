#include "cli/command.h"
#include "cli/failed_documents_options.h"
#include "cli/output.h"
#include "cli/table.h"

#include <inttypes.h>

struct list_fields {
	struct general_fields general;
	struct failed_fields which;
	int64_t limit;
};

/* A listing under way. */
struct listing {
	struct table table;
	struct output lines; /* of --json */
	bool json;
	uint64_t limit, shown, total;
	size_t damaged;
};

static void listing_release(struct listing *listing)
{
	output_release(&listing->lines);
}

static void add_row(struct table *table, const struct failed_record *record)
{
	struct str time = record->timestamp;

	table_cell(table, record->target_index);
	table_cell(table, record->id.ptr ? record->id : STR("-"));
	table_cell(table, record->failure_type);
	table_cell(table, str_of(time.ptr, MIN(time.len, (size_t)19)));
	table_cell(table, record->reason);
}

static void set_text(struct json *object, const char *name, struct str text, struct arena *mem)
{
	json_set(object, str_from(name),
		 text.ptr ? json_new_string(mem, text) : json_new(mem, JSON_NULL));
}

static int print_line(struct listing *listing, const struct failed_record *record, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	cleanup(buf_release) struct buf line = BUF_INIT(MIB(64));
	struct json *object = json_new(&mem, JSON_OBJECT);

	set_text(object, "index", record->target_index, &mem);
	set_text(object, "id", record->id, &mem);
	set_text(object, "operation", str_from(failed_record_operation_name(record)), &mem);
	set_text(object, "type", record->failure_type, &mem);
	json_set(object, STR("status"), json_new_i64(&mem, record->status));
	set_text(object, "reason", record->reason, &mem);
	set_text(object, "time", record->timestamp, &mem);
	set_text(object, "session", record->session, &mem);
	set_text(object, "work_item", record->work_item, &mem);
	if (mem.failed)
		return arena_fail(&mem, "a failed document's line", err);
	json_write(&line, object);
	buf_append_byte(&line, '\n');
	if (buf_check(&line, "a failed document's line", err) < 0)
		return -(int)err->kind;
	output_append(&listing->lines, buf_str(&line));
	return output_is_open(&listing->lines) ? 0 : 1;
}

static int visit(void *user, const struct failed_pending *pending, struct err *err)
{
	struct listing *listing = user;

	if (pending->repeated)
		return 0;
	listing->total++;
	if (listing->limit && listing->shown == listing->limit)
		return 0;
	listing->shown++;
	if (listing->json)
		return print_line(listing, pending->record, err);
	add_row(&listing->table, pending->record);
	return listing->table.failed ? arena_fail(listing->table.mem, "the table", err) : 0;
}

static void tell(void *user, bool damaged, const char *what)
{
	failed_documents_tell(&((struct listing *)user)->damaged, damaged, what);
}

static int print(struct listing *listing, const struct failed_filter *filter, struct err *err)
{
	if (listing->json)
		return output_flush(&listing->lines, err);
	if (listing->total == 0) {
		printf("no failed document is waiting below %s\n", filter->folder);
		return 0;
	}
	if (table_print(&listing->table, stdout, err) < 0)
		return -(int)err->kind;
	if (listing->shown < listing->total)
		printf("… and %" PRIu64 " more: --limit 0 shows all\n",
		       listing->total - listing->shown);
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	static const struct table_column columns[] = {
		{"index", TABLE_LEFT},      {"id", TABLE_LEFT},     {"type", TABLE_LEFT},
		{"time (utc)", TABLE_LEFT}, {"reason", TABLE_LEFT},
	};
	const struct list_fields *f = fields;
	cleanup(listing_release) struct listing listing = {.json = f->general.json,
							   .limit = (uint64_t)f->limit};
	const struct failed_visitor visitor = {.visit = visit, .tell = tell, .user = &listing};
	struct failed_filter filter;

	table_init(&listing.table, cli->mem, columns, COUNT_OF(columns));
	output_init(&listing.lines);
	if (failed_fields_filter(&f->which, &f->general, cli->mem, &filter, err) < 0 ||
	    failed_documents_visit(&filter, &visitor, err) < 0 || print(&listing, &filter, err) < 0)
		return -(int)err->kind;
	return listing.damaged ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

static const struct opt list_options[] = {
	{.name = "limit",
	 .type = OPT_INT,
	 OPT_FIELD(struct list_fields, limit),
	 .category = "Documents",
	 .fallback = "100",
	 .min = 0,
	 .max = INT64_MAX,
	 .help = "Show this many; 0: all."},
	{0},
};

static const struct opt_part parts[] = {
	{failed_options, offsetof(struct list_fields, which)},
	{failed_store_options, offsetof(struct list_fields, which.store)},
	{list_options, 0},
	{general_options, offsetof(struct list_fields, general)},
	{0},
};

const struct command command_failed_documents_list = {
	.options =
		{
			.name = "failed-documents list",
			.summary = "Name the documents that the target refused",
			.parts = parts,
			.details = "Those that a retry brought in since are left out; of a "
				   "document that failed several times the last failure is "
				   "shown.\n"
				   "\n"
				   "Exit codes: 0; 1 a stream is damaged and was read in part.\n"
				   "\n"
				   "Example:\n"
				   "  shardlift failed-documents list --index books --limit 20",
		},
	.fields_size = sizeof(struct list_fields),
	.run = run,
};
