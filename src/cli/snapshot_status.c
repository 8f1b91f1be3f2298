/* snapshot status; and the same of one that no cluster is asked about */
#include "cli/number_text.h"
#include "cli/snapshot_options.h"
#include "cli/snapshot_source.h"
#include "cli/table.h"

#include <stdio.h>

struct status_fields {
	struct snapshot_fields api;
	bool deep;
};

static const struct opt status_options[] = {
	{.name = "deep-check",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct status_fields, deep),
	 .category = "Snapshot",
	 .help = "Tell it of each index, with the reasons of shards that failed; slow where there "
		 "are many."},
	{0},
};

static void set(struct json *object, const char *key, int64_t value, struct arena *mem)
{
	json_set(object, str_from(key), json_new_i64(mem, value));
}

/* Why shards of an index failed: the first reason. */
static struct str reason_of(const struct json *index)
{
	json_each (shard, json_get(index, "shards")) {
		struct str reason = json_string(json_get(shard, "reason"));

		if (reason.len > 0)
			return reason;
	}
	return STR_NONE;
}

static struct json *index_json(const struct json *index, struct arena *mem)
{
	const struct json *shards = json_get(index, "shards_stats");
	struct json *row = json_new(mem, JSON_OBJECT);
	struct str reason = reason_of(index);

	json_set(row, STR("index"), json_new_string(mem, index->key));
	set(row, "shards_total", json_i64_or(json_get(shards, "total"), 0), mem);
	set(row, "shards_done", json_i64_or(json_get(shards, "done"), 0), mem);
	set(row, "shards_failed", json_i64_or(json_get(shards, "failed"), 0), mem);
	if (reason.len > 0)
		json_set(row, STR("reason"), json_new_string(mem, reason));
	return row;
}

static int print_json(const struct snapshot_progress *p, const struct json *indices,
		      struct arena *mem, struct err *err)
{
	struct json *root = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);

	json_set(root, STR("state"), json_new_string(mem, p->state));
	set(root, "shards_total", p->shards_total, mem);
	set(root, "shards_done", p->shards_done, mem);
	set(root, "shards_failed", p->shards_failed, mem);
	if (p->bytes_total >= 0) {
		set(root, "bytes_total", p->bytes_total, mem);
		set(root, "bytes_done", p->bytes_done, mem);
	}
	set(root, "started_ms", p->started_ms, mem);
	set(root, "elapsed_ms", p->elapsed_ms, mem);
	json_each (index, indices)
		json_append(list, index_json(index, mem));
	if (indices)
		json_set(root, STR("indices"), list);
	return mem->failed ? arena_fail(mem, "the report", err) : snapshot_print_json(root, err);
}

static int print_indices(const struct json *indices, struct arena *mem, struct err *err)
{
	static const struct table_column columns[] = {{"index", TABLE_LEFT},
						      {"shards", TABLE_RIGHT},
						      {"done", TABLE_RIGHT},
						      {"failed", TABLE_RIGHT},
						      {"reason", TABLE_LEFT}};
	static const char *const counts[] = {"total", "done", "failed"};
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	json_each (index, indices) {
		table_cell(&table, index->key);
		for (size_t i = 0; i < COUNT_OF(counts); i++)
			table_cell_printf(
				&table, "%lld",
				(long long)json_i64_or(
					json_path(index, "shards_stats", counts[i], NULL), 0));
		table_cell(&table, reason_of(index));
	}
	printf("\n");
	return table_print(&table, stdout, err);
}

static void print_text(const struct snapshot_progress *p)
{
	char done[NUMBER_TEXT_MAX], total[NUMBER_TEXT_MAX], elapsed[NUMBER_TEXT_MAX];

	printf("state:   ");
	terminal_print_state(stdout, p->state);
	putchar('\n');
	printf("shards:  %lld of %lld, %lld failed\n", (long long)p->shards_done,
	       (long long)p->shards_total, (long long)p->shards_failed);
	if (p->bytes_total >= 0)
		printf("data:    %s of %s\n", bytes_text((uint64_t)MAX(p->bytes_done, 0), done),
		       bytes_text((uint64_t)p->bytes_total, total));
	printf("elapsed: %s\n", duration_text((uint64_t)MAX(p->elapsed_ms, 0) / 1000, elapsed));
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct status_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct snapshot_progress progress;
	struct json *indices = NULL;
	int rc = 0;

	if (snapshot_connect(&f->api, cli->mem, &cluster, err) < 0 ||
	    snapshot_api_status(cluster, str_from(f->api.repository), str_from(f->api.snapshot),
				cli->mem, &progress, f->deep ? &indices : NULL, err) < 0)
		return -(int)err->kind;
	if (f->api.general.json) {
		rc = print_json(&progress, indices, cli->mem, err);
	} else {
		print_text(&progress);
		rc = indices ? print_indices(indices, cli->mem, err) : 0;
	}
	if (rc < 0)
		return rc;
	return f->deep && progress.shards_failed > 0 ? EXIT_CODE_COMPLETED_WITH_ERRORS
						     : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {{snapshot_repository_options, 0},
					{snapshot_name_options, 0},
					{status_options, 0},
					SNAPSHOT_CLUSTER_PARTS,
					{0}};

const struct command command_snapshot_status = {
	.options = {.name = "snapshot status",
		    .summary = "How far a snapshot is that a cluster takes",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot status --from https://old:9200 "
			       "--repo backups --snapshot nightly"},
	.fields_size = sizeof(struct status_fields),
	.run = run,
};

/* --- Of a repository, by its files --- */

struct state_fields {
	struct general_fields general;
	struct repository_fields repository;
};

/* How many bytes it wrote is not said there. */
static struct snapshot_progress progress_of(const struct snapshot *snapshot)
{
	struct str state = snapshot->summary.state;

	return (struct snapshot_progress){.state = state.len > 0 ? state : STR("SUCCESS"),
					  .shards_total = snapshot->total_shards,
					  .shards_done = snapshot->successful_shards,
					  .shards_failed = snapshot->total_shards -
							   snapshot->successful_shards,
					  .bytes_total = -1,
					  .started_ms = snapshot->start_ms,
					  .elapsed_ms = snapshot->end_ms - snapshot->start_ms};
}

static int run_state(struct cli *cli, void *fields, struct err *err)
{
	struct state_fields *f = fields;
	cleanup(snapshot_source_release) struct snapshot_source source = {0};
	struct snapshot_progress progress;

	if (repository_fields_resolve(&f->repository, true, cli->mem, err) < 0 ||
	    snapshot_source_open(&source, &f->repository, err) < 0)
		return -(int)err->kind;
	progress = progress_of(source.snapshot);
	if (f->general.json)
		return print_json(&progress, NULL, cli->mem, err);
	print_text(&progress);
	return EXIT_CODE_OK;
}

static const struct opt_part state_parts[] = {
	{repository_options, offsetof(struct state_fields, repository)},
	{store_options, offsetof(struct state_fields, repository.store)},
	{general_options, offsetof(struct state_fields, general)},
	{0},
};

const struct command command_snapshot_state = {
	.options = {.name = "snapshot state",
		    .summary = "State of a snapshot",
		    .parts = state_parts},
	.fields_size = sizeof(struct state_fields),
	.run = run_state,
};
