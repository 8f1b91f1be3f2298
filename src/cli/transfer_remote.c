/* A transfer whose documents the target reads itself. */
#include "base/log.h"
#include "base/small_file.h"
#include "cli/transfer_internal.h"
#include "workflow/routes/reindex_allowlist.h"

/* Before Elasticsearch 2.4 no cluster tells its uuid, and none of them is a target. */
static int is_one_cluster(const struct transfer *transfer, bool *same, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *root = NULL;
	int status;

	if (cluster_request(transfer->cluster, "GET", "/", STR_NONE, true, &mem, &status, &root,
			    err) < 0)
		return -(int)err->kind;
	*same = str_eq(json_string(json_get(root, "cluster_uuid")),
		       transfer->source.snapshot->summary.uuid);
	return 0;
}

int transfer_plan_remote(struct transfer *transfer, struct err *err)
{
	const struct transfer_request *request = transfer->request;
	struct remote_reindex_options *options = &transfer->remote.options;
	bool same = false;

	if (!request->remote)
		return 0;
	if (!transfer->cluster)
		return err_set(err, ERR_USAGE,
			       "--mode remote-reindex: '%s' is no cluster that could read the "
			       "source; use --mode pull",
			       transfer->target_name);
	if (transfer->transformer.ptr || strcmp(request->transfer->op_type, "create") == 0 ||
	    request->transfer->source_versions)
		return err_set(
			err, ERR_USAGE,
			"--mode remote-reindex does not go with transforms, --op-type create "
			"and --source-versions; use --mode pull");
	if (is_one_cluster(transfer, &same, err) < 0 ||
	    remote_fields_plan(request->remote, request->source, same, transfer->mem,
			       &transfer->remote, err) < 0)
		return -(int)err->kind;
	options->source = transfer->live_cluster;
	options->target = transfer->cluster;
	options->remote = same ? NULL : &transfer->remote.remote;
	options->query = str_from(request->query);
	if (request->plan)
		return 0;
	options->of = transfer->session.fingerprint;
	options->path = arena_printf(transfer->mem, "%s/work/%s.reindex",
				     transfer->session.state_dir, transfer->session.name)
				.ptr;
	if (!options->path)
		return arena_fail(transfer->mem, "--state-dir", err);
	return request->work->restart ? small_file_remove(options->path, err) : 0;
}

void transfer_log_allowlist(const struct transfer *transfer, int ended)
{
	const struct remote_reindex_options *options = &transfer->remote.options;

	if (transfer->request->remote && options->remote && ended >= 0 && transfer->report.agrees)
		log_info("copy", "'" STR_FMT "' may be taken out of the target's %s again",
			 STR_ARG(options->address),
			 reindex_allowlist_name(cluster_version(transfer->cluster)));
}
