#include "cli/command.h"
#include "cli/snapshot_source.h"
#include "cli/source_options.h"
#include "cli/table.h"

#include "base/clock.h"
#include "base/log.h"
#include "cluster/snapshot_api.h"

#include <stdlib.h>

struct list_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	const char *registered; /* its name on the cluster */
};

static const struct opt list_options[] = {
	{.name = "repo",
	 .type = OPT_STRING,
	 OPT_FIELD(struct list_fields, registered),
	 .category = "Snapshot",
	 .metavar = "NAME",
	 .help = "With --from URL: the repository by the name that the cluster has it under."},
	{0},
};

/* One line of the list. */
struct entry {
	const struct snapshot_summary *summary;
	struct str state, version;
	size_t index_count;
	int64_t start_ms;
	bool readable;
};

static void closep(struct snapshot **snapshot)
{
	snapshot_close(*snapshot);
}

/* The repository's index knows names alone for certain; the rest is in the snapshot's own file. */
static struct entry read_entry(struct repository *repository,
			       const struct snapshot_summary *summary, struct arena *mem)
{
	struct entry entry = {
		.summary = summary, .state = summary->state, .version = summary->version};
	cleanup(closep) struct snapshot *snapshot = NULL;
	struct err err = {0};

	if (snapshot_open(repository, summary->name, &snapshot, &err) < 0) {
		log_error("snapshot", "%s", err.message);
		return entry;
	}
	entry.state = arena_str(mem, snapshot->summary.state);
	entry.version = arena_str(mem, snapshot->summary.version);
	entry.index_count = snapshot->index_count;
	entry.start_ms = snapshot->start_ms;
	entry.readable = true;
	return entry;
}

/* Oldest first; those that cannot be read have no time and come before. */
static int by_start(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->start_ms != y->start_ms)
		return x->start_ms < y->start_ms ? -1 : 1;
	return str_cmp(x->summary->name, y->summary->name);
}

static void add_row(struct table *table, const struct entry *entry)
{
	char started[25] = "";

	if (entry->start_ms > 0)
		clock_format_utc(entry->start_ms, started);
	table_cell(table, entry->summary->name);
	table_cell_state(table, entry->readable ? entry->state : STR("unreadable"));
	table_cell(table, entry->version);
	table_cell(table, str_of(started, MIN(strlen(started), (size_t)19)));
	if (entry->readable)
		table_cell_printf(table, "%zu", entry->index_count);
	else
		table_cell(table, STR("-"));
}

static int print_table(const struct entry *entries, size_t count, struct arena *mem,
		       struct err *err)
{
	static const struct table_column columns[] = {
		{"snapshot", TABLE_LEFT},      {"state", TABLE_LEFT},    {"version", TABLE_LEFT},
		{"started (utc)", TABLE_LEFT}, {"indices", TABLE_RIGHT},
	};
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++)
		add_row(&table, &entries[i]);
	return table_print(&table, stdout, err);
}

static int print_json(const struct entry *entries, size_t count, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = json_new(mem, JSON_OBJECT);
	struct json *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < count; i++) {
		struct json *one = json_new(mem, JSON_OBJECT);

		json_set(one, STR("name"), json_new_string(mem, entries[i].summary->name));
		json_set(one, STR("uuid"), json_new_string(mem, entries[i].summary->uuid));
		json_set(one, STR("state"), json_new_string(mem, entries[i].state));
		json_set(one, STR("version"), json_new_string(mem, entries[i].version));
		json_set(one, STR("start_ms"), json_new_i64(mem, entries[i].start_ms));
		json_set(one, STR("indices"), json_new_i64(mem, (int64_t)entries[i].index_count));
		json_set(one, STR("readable"), json_new_bool(mem, entries[i].readable));
		json_append(list, one);
	}
	json_set(root, STR("snapshots"), list);
	if (mem->failed)
		return arena_fail(mem, "the list of snapshots", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the list of snapshots", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static struct entry entry_of(const struct json *told, struct snapshot_summary *summary)
{
	const struct json *indices = json_get(told, "indices");

	*summary = (struct snapshot_summary){.name = json_string(json_get(told, "snapshot")),
					     .uuid = json_string(json_get(told, "uuid"))};
	return (struct entry){
		.summary = summary,
		.state = json_string(json_get(told, "state")),
		.version = json_string(json_get(told, "version")),
		.index_count = indices ? indices->count : 0,
		.start_ms = json_i64_or(json_get(told, "start_time_in_millis"), 0),
		.readable = true,
	};
}

/* As the cluster tells them. */
static int run_cluster(struct list_fields *f, struct arena *mem, struct err *err)
{
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct snapshot_summary *summaries;
	enum source_origin origin;
	struct entry *entries;
	struct json *list;
	size_t count = 0;

	if (!f->registered)
		return err_set(
			err, ERR_USAGE,
			"--from URL needs --repo NAME; `shardlift snapshot repos --from URL` "
			"lists those there are");
	if (source_fields_resolve(&f->source, &f->repository, &origin, mem, err) < 0)
		return -(int)err->kind;
	if (origin != SOURCE_CLUSTER)
		return err_set(err, ERR_USAGE, "--repo goes with --from URL");
	if (source_connect(&f->source, &cluster, err) < 0 ||
	    snapshot_api_list(cluster, str_from(f->registered), mem, &list, err) < 0)
		return -(int)err->kind;
	entries = arena_zalloc(mem, list->count + 1, sizeof(*entries));
	summaries = arena_zalloc(mem, list->count + 1, sizeof(*summaries));
	if (!entries || !summaries)
		return arena_fail(mem, "the list of snapshots", err);
	json_each (told, list) {
		entries[count] = entry_of(told, &summaries[count]);
		count++;
	}
	qsort(entries, count, sizeof(*entries), by_start);
	return f->general.json ? print_json(entries, count, mem, err)
			       : print_table(entries, count, mem, err);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct list_fields *f = fields;
	cleanup(snapshot_source_release) struct snapshot_source source = {0};
	const struct snapshot_summary *summaries;
	bool all_readable = true;
	struct entry *entries;
	size_t count;
	int printed;

	if (f->registered || f->source.host ||
	    (f->repository.from && str_starts(str_from(f->repository.from), STR("http"))))
		return run_cluster(f, cli->mem, err);
	if (repository_fields_resolve(&f->repository, false, cli->mem, err) < 0)
		return -(int)err->kind;
	f->repository.snapshot_name = NULL;
	if (snapshot_source_open(&source, &f->repository, err) < 0)
		return -(int)err->kind;
	summaries = repository_snapshots(source.repository, &count);
	entries = arena_zalloc(cli->mem, count, sizeof(*entries));
	if (!entries)
		return arena_fail(cli->mem, "the list of snapshots", err);
	for (size_t i = 0; i < count; i++) {
		entries[i] = read_entry(source.repository, &summaries[i], cli->mem);
		all_readable &= entries[i].readable;
	}
	qsort(entries, count, sizeof(*entries), by_start);
	printed = f->general.json ? print_json(entries, count, cli->mem, err)
				  : print_table(entries, count, cli->mem, err);
	return printed < 0 ? printed : all_readable ? 0 : EXIT_CODE_SOURCE_UNREADABLE;
}

static const struct opt_part parts[] = {
	{repository_options, offsetof(struct list_fields, repository)},
	{store_options, offsetof(struct list_fields, repository.store)},
	{list_options, 0},
	{source_options, offsetof(struct list_fields, source)},
	{general_options, offsetof(struct list_fields, general)},
	{0},
};

const struct command command_snapshot_list = {
	.options =
		{
			.name = "snapshot list",
			.summary = "List the snapshots of a repository",
			.parts = parts,
			.details = "Examples:\n  shardlift snapshot list --repo-uri /backups\n"
				   "  shardlift snapshot list --from https://old:9200 --repo "
				   "backups",
		},
	.fields_size = sizeof(struct list_fields),
	.run = run,
};
