/* snapshot status */
#include "cli/number_text.h"
#include "cli/snapshot_options.h"

#include <stdio.h>

static void set(struct json *object, const char *key, int64_t value, struct arena *mem)
{
	json_set(object, str_from(key), json_new_i64(mem, value));
}

static int print_json(const struct snapshot_progress *p, struct arena *mem, struct err *err)
{
	struct json *root = json_new(mem, JSON_OBJECT);

	json_set(root, STR("state"), json_new_string(mem, p->state));
	set(root, "shards_total", p->shards_total, mem);
	set(root, "shards_done", p->shards_done, mem);
	set(root, "shards_failed", p->shards_failed, mem);
	set(root, "bytes_total", p->bytes_total, mem);
	set(root, "bytes_done", p->bytes_done, mem);
	set(root, "started_ms", p->started_ms, mem);
	set(root, "elapsed_ms", p->elapsed_ms, mem);
	return mem->failed ? arena_fail(mem, "the report", err) : snapshot_print_json(root, err);
}

static void print_text(const struct snapshot_progress *p)
{
	char done[NUMBER_TEXT_MAX], total[NUMBER_TEXT_MAX], elapsed[NUMBER_TEXT_MAX];

	printf("state:   " STR_FMT "\n", STR_ARG(p->state));
	printf("shards:  %lld of %lld, %lld failed\n", (long long)p->shards_done,
	       (long long)p->shards_total, (long long)p->shards_failed);
	printf("data:    %s of %s\n", bytes_text((uint64_t)MAX(p->bytes_done, 0), done),
	       bytes_text((uint64_t)MAX(p->bytes_total, 0), total));
	printf("elapsed: %s\n", duration_text((uint64_t)MAX(p->elapsed_ms, 0) / 1000, elapsed));
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct snapshot_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct snapshot_progress progress;

	if (snapshot_connect(f, cli->mem, &cluster, err) < 0 ||
	    snapshot_api_status(cluster, str_from(f->repository), str_from(f->snapshot), cli->mem,
				&progress, err) < 0)
		return -(int)err->kind;
	if (f->general.json)
		return print_json(&progress, cli->mem, err);
	print_text(&progress);
	return EXIT_CODE_OK;
}

static const struct opt_part parts[] = {
	{snapshot_repository_options, 0}, {snapshot_name_options, 0}, SNAPSHOT_CLUSTER_PARTS, {0}};

const struct command command_snapshot_status = {
	.options = {.name = "snapshot status",
		    .summary = "How far a snapshot is that a cluster takes",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot status --from https://old:9200 "
			       "--repo backups --snapshot nightly"},
	.fields_size = sizeof(struct snapshot_fields),
	.run = run,
};
