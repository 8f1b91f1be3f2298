/* snapshot unregister */
#include "cli/snapshot_options.h"

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct snapshot_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str repository = str_from(f->repository);
	struct snapshot_request request;
	struct json *answer;

	if (snapshot_connect(f, cli->mem, &cluster, err) < 0 ||
	    snapshot_api_repository(cluster, repository, cli->mem, &answer, err) < 0 ||
	    snapshot_request_unregister(repository, cli->mem, &request, err) < 0 ||
	    snapshot_send(f, cluster, &request, cli->mem, &answer, err) < 0)
		return -(int)err->kind;
	return snapshot_tell(f, "unregistered; its snapshots stay where they are", f->repository,
			     cli->mem, err);
}

static const struct opt_part parts[] = {
	{snapshot_repository_options, 0}, {snapshot_plan_options, 0}, SNAPSHOT_CLUSTER_PARTS, {0}};

const struct command command_snapshot_unregister = {
	.options = {.name = "snapshot unregister",
		    .summary = "Make a cluster forget a repository; its files stay",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot unregister --to https://new:9200 "
			       "--repo old-backups"},
	.fields_size = sizeof(struct snapshot_fields),
	.run = run,
};
