/* snapshot delete */
#include "cli/snapshot_options.h"

#include <stdio.h>

struct delete_fields {
	struct snapshot_fields api;
	bool yes;
};

static const struct opt delete_options[] = {
	{.name = "yes",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct delete_fields, yes),
	 .category = "Snapshot",
	 .help = "Do not ask for the name to be typed."},
	{0},
};

/* The name typed again: a deleted snapshot does not come back. */
static int confirm(const char *name, struct err *err)
{
	char typed[256];

	fprintf(stderr, "snapshot '%s' will be deleted for good; type its name to go on: ", name);
	if (fgets(typed, sizeof(typed), stdin))
		typed[strcspn(typed, "\r\n")] = '\0';
	else
		typed[0] = '\0';
	if (strcmp(typed, name) == 0)
		return 0;
	return err_set(err, ERR_BLOCKED,
		       "not confirmed, nothing was deleted; type the name '%s', or pass --yes",
		       name);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct delete_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str repository = str_from(f->api.repository), name = str_from(f->api.snapshot);
	struct snapshot_request request;
	struct json *answer;

	if (strpbrk(f->api.snapshot, "*,"))
		return err_set(err, ERR_USAGE, "--snapshot '%s': one snapshot at a time, by name",
			       f->api.snapshot);
	if (snapshot_connect(&f->api, cli->mem, &cluster, err) < 0 ||
	    snapshot_api_get(cluster, repository, name, cli->mem, &answer, err) < 0 ||
	    (!f->api.plan && !f->yes && confirm(f->api.snapshot, err) < 0) ||
	    snapshot_request_delete(repository, name, cli->mem, &request, err) < 0 ||
	    snapshot_send(&f->api, cluster, &request, cli->mem, &answer, err) < 0)
		return -(int)err->kind;
	return snapshot_tell(&f->api, "deleted", f->api.snapshot, cli->mem, err);
}

static const struct opt_part parts[] = {
	{snapshot_repository_options, 0}, {snapshot_name_options, 0}, {delete_options, 0},
	{snapshot_plan_options, 0},       SNAPSHOT_CLUSTER_PARTS,     {0}};

const struct command command_snapshot_delete = {
	.options = {.name = "snapshot delete",
		    .summary = "Delete a snapshot, after its name was typed",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot delete --from https://old:9200 "
			       "--repo backups --snapshot nightly"},
	.fields_size = sizeof(struct delete_fields),
	.run = run,
};
