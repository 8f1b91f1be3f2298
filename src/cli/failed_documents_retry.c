#include "cli/command.h"
#include "cli/failed_documents_options.h"
#include "cli/interrupt.h"
#include "cli/table.h"

#include "backfill/failed_documents_retry.h"

#include <inttypes.h>

struct retry_fields {
	struct general_fields general;
	struct failed_fields which;
	struct target_fields target;
	struct allowed_fields allowed;
	int64_t documents_per_bulk, bytes_per_bulk;
	bool plan;
};

static int connect_target(struct retry_fields *f, struct cluster **out, struct err *err)
{
	const struct cluster_retry retry = {.initial_delay_ms = 1000,
					    .max_delay_ms = 60000,
					    .max_total_ms = f->target.retry_ms};
	struct http_options options;
	enum target_kind kind;
	const char *path;

	if (target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--target-host '%s': failed documents are sent to a cluster again; "
			       "give its URL, or --plan to see what would be sent",
			       f->target.host);
	options = target_http_options(&f->target);
	return cluster_connect(&options, &retry, out, err);
}

static int print_table(const struct failed_retry_report *report, bool plan, struct arena *mem,
		       struct err *err)
{
	static const struct table_column columns[] = {
		{"index", TABLE_LEFT},           {"documents", TABLE_RIGHT},
		{"sent", TABLE_RIGHT},           {"failed again", TABLE_RIGHT},
		{"cannot be sent", TABLE_RIGHT}, {"reason", TABLE_LEFT},
	};
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < report->count; i++) {
		const struct failed_retry_index *index = &report->indices[i];

		table_cell(&table, index->name);
		table_cell_printf(&table, "%" PRIu64, index->pending);
		table_cell_printf(&table, "%" PRIu64, index->sent);
		table_cell_printf(&table, "%" PRIu64, index->failed);
		table_cell_printf(&table, "%" PRIu64, index->unsendable);
		table_cell(&table, index->reason);
	}
	if (report->count == 0) {
		puts("no failed document is waiting");
		return 0;
	}
	if (table_print(&table, stdout, err) < 0)
		return -(int)err->kind;
	if (plan)
		printf("%" PRIu64 " documents would be sent\n",
		       report->pending - report->unsendable);
	return 0;
}

static void set_count(struct json *object, const char *name, uint64_t count, struct arena *mem)
{
	json_set(object, str_from(name), json_new_i64(mem, (int64_t)count));
}

static int print_json(const struct failed_retry_report *report, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(256));
	struct json *root = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);

	set_count(root, "documents", report->pending, mem);
	set_count(root, "sent", report->sent, mem);
	set_count(root, "failed", report->failed, mem);
	set_count(root, "unsendable", report->unsendable, mem);
	for (size_t i = 0; i < report->count; i++) {
		const struct failed_retry_index *index = &report->indices[i];
		struct json *one = json_new(mem, JSON_OBJECT);

		json_set(one, STR("index"), json_new_string(mem, index->name));
		set_count(one, "documents", index->pending, mem);
		set_count(one, "sent", index->sent, mem);
		set_count(one, "failed", index->failed, mem);
		set_count(one, "unsendable", index->unsendable, mem);
		json_set(one, STR("reason"), json_new_string(mem, index->reason));
		json_append(list, one);
	}
	json_set(root, STR("indices"), list);
	if (mem->failed)
		return arena_fail(mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct retry_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	cleanup(failed_retry_report_release) struct failed_retry_report report = {0};
	size_t damaged = 0;
	struct failed_retry retry = {
		.compress = !f->target.disable_compression,
		.documents_per_bulk = (size_t)f->documents_per_bulk,
		.bytes_per_bulk = (size_t)f->bytes_per_bulk,
		.allowed = {f->allowed.types.items, f->allowed.types.count},
		.tell = failed_documents_tell,
		.tell_user = &damaged,
	};
	struct err ended_by = {0};
	int ended, printed;

	if (failed_fields_filter(&f->which, &f->general, cli->mem, &retry.filter, err) < 0)
		return -(int)err->kind;
	if (!f->plan && connect_target(f, &cluster, err) < 0)
		return -(int)err->kind;
	retry.target = cluster;
	ended = failed_documents_retry(&retry, interrupt_catch(), &report, &ended_by);
	printed = f->general.json ? print_json(&report, cli->mem, err)
				  : print_table(&report, f->plan, cli->mem, err);
	if (printed < 0)
		return printed;
	if (ended < 0) {
		*err = ended_by;
		return ended;
	}
	if (report.unsendable + damaged > 0 || report.failed > 0)
		return EXIT_CODE_COMPLETED_WITH_ERRORS;
	return EXIT_CODE_OK;
}

#define FIELD(member) OPT_FIELD(struct retry_fields, member), .category = "Documents"

static const struct opt retry_options[] = {
	{.name = "plan",
	 .type = OPT_BOOL,
	 FIELD(plan),
	 .help = "Tell what would be sent, and send nothing; needs no target."},
	{.name = "documents-per-bulk-request",
	 .env = "RFS_DOCUMENTS_PER_BULK_REQUEST",
	 .type = OPT_INT,
	 FIELD(documents_per_bulk),
	 .fallback = "1000",
	 .min = 1,
	 .max = 100000,
	 .help = "Documents in a bulk request, at most."},
	{.name = "documents-size-per-bulk-request",
	 .env = "RFS_DOCUMENTS_SIZE_PER_BULK_REQUEST",
	 .type = OPT_BYTES,
	 FIELD(bytes_per_bulk),
	 .fallback = "10MiB",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Bytes of a bulk request before compression, at most; a larger document goes "
		 "alone."},
	{0},
};

static const struct opt_part parts[] = {
	{failed_options, offsetof(struct retry_fields, which)},
	{failed_store_options, offsetof(struct retry_fields, which.store)},
	{retry_options, 0},
	{allowed_options, offsetof(struct retry_fields, allowed)},
	{target_options, offsetof(struct retry_fields, target)},
	{general_options, offsetof(struct retry_fields, general)},
	{0},
};

const struct command command_failed_documents_retry = {
	.options =
		{
			.name = "failed-documents retry",
			.summary = "Send them again, after the cause was removed",
			.parts = parts,
			.details =
				"Each document is sent once, as it was recorded last, with its "
				"operation, routing and version. What the target takes is written "
				"down and not sent by a later retry; what fails again stays, with "
				"its new reason. It can be stopped at any time.\n"
				"\n"
				"Exit codes: 0 all are in; 1 some failed again or cannot be sent; "
				"8 interrupted.\n"
				"\n"
				"Example:\n"
				"  shardlift failed-documents retry --index books --target-host "
				"https://search:9200 --target-username admin",
		},
	.fields_size = sizeof(struct retry_fields),
	.run = run,
};
