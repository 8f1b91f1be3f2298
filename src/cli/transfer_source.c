/* Where the documents of a transfer come from, and what their indices are called. */
#include "base/log.h"
#include "cli/transfer_internal.h"
#include "metadata/index_renames.h"
#include "workflow/routes/input_snapshot.h"
#include "workflow/routes/internal_indices.h"
#include "workflow/routes/live_indices.h"

/* A name that is not in the snapshot is a slip of the user's, and no reason to move less. */
static int check_entry(const struct transfer *transfer, size_t entry, struct err *err)
{
	const struct snapshot *snapshot = transfer->source.snapshot;

	for (size_t i = 0; i < snapshot->index_count; i++)
		if (index_filter_entry_accepts(transfer->filter, entry, snapshot->indices[i].name))
			return 0;
	if (transfer->request->source)
		return err_set(err, ERR_USAGE, "the source has no index that matches '%s'",
			       index_filter_entry(transfer->filter, entry));
	return err_set(err, ERR_USAGE,
		       "--index-allowlist: snapshot '" STR_FMT "' has no index that matches '%s'; "
		       "`shardlift snapshot show --repo-uri %s --snapshot-name " STR_FMT
		       "` lists those it has",
		       STR_ARG(snapshot->summary.name), index_filter_entry(transfer->filter, entry),
		       transfer->request->repository->repo_uri, STR_ARG(snapshot->summary.name));
}

static int check_entries(const struct transfer *transfer, struct err *err)
{
	for (size_t i = 0; i < index_filter_entry_count(transfer->filter); i++)
		if (check_entry(transfer, i, err) < 0)
			return -(int)err->kind;
	return 0;
}

int transfer_name_targets(struct transfer *transfer, struct err *err)
{
	const struct snapshot *snapshot = transfer->source.snapshot;
	struct arena *mem = transfer->mem;
	struct str *names = arena_zalloc(mem, snapshot->index_count + 1, sizeof(*names));
	struct str *out = arena_zalloc(mem, snapshot->index_count + 1, sizeof(*out)), *targets;
	size_t count = 0;

	if (mem->failed)
		return arena_fail(mem, "--rename", err);
	for (size_t i = 0; i < snapshot->index_count; i++)
		if (index_filter_accepts(transfer->filter, snapshot->indices[i].name))
			names[count++] = snapshot->indices[i].name;
	if (index_renames_apply(transfer->renames, names, count, mem, &targets, err) < 0)
		return -(int)err->kind;
	count = 0;
	for (size_t i = 0; i < snapshot->index_count; i++)
		if (index_filter_accepts(transfer->filter, snapshot->indices[i].name))
			out[i] = targets[count++];
	if (transfer->files.index.ptr)
		out[0] = transfer->files.index;
	transfer->target_names = out;
	return 0;
}

static bool is_system_named(const struct transfer *transfer, struct str name)
{
	const struct opt_list *system = transfer->request->system;

	for (size_t i = 0; system && i < system->count; i++)
		if (str_is(name, system->items[i]))
			return true;
	return false;
}

static int check_internal(const struct transfer *transfer, size_t i, struct err *err)
{
	struct str name = transfer->source.snapshot->indices[i].name;
	const struct cluster_version *target =
		transfer->cluster ? cluster_version(transfer->cluster) : NULL;
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(16));
	struct str line, rest;

	if (internal_index_check(name, transfer->target_names[i], is_system_named(transfer, name),
				 target, err) < 0)
		return -(int)err->kind;
	if (!target || !index_is_internal(name))
		return 0;
	internal_index_warnings(name, target, &text);
	for (rest = buf_str(&text); str_split(rest, '\n', &line, &rest);)
		log_warn("copy", STR_FMT, STR_ARG(line));
	return 0;
}

int transfer_check_internal(const struct transfer *transfer, struct err *err)
{
	const struct snapshot *snapshot = transfer->source.snapshot;

	for (size_t i = 0; transfer->request->source && i < snapshot->index_count; i++)
		if (index_filter_accepts(transfer->filter, snapshot->indices[i].name) &&
		    check_internal(transfer, i, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int open_live(struct transfer *transfer, struct err *err)
{
	const struct transfer_request *request = transfer->request;

	if (source_connect(request->source, &transfer->live_cluster, err) < 0 ||
	    live_indices_read(transfer->live_cluster, transfer->filter, str_from(request->query),
			      !request->plan, &transfer->source.snapshot, &transfer->live, err) < 0)
		return -(int)err->kind;
	return check_entries(transfer, err);
}

static int open_files(struct transfer *transfer, struct err *err)
{
	const struct input_fields *input = transfer->request->input;
	struct str name;

	if (transfer->kind == TARGET_FILES)
		return err_set(err, ERR_USAGE,
			       "--from file: and --to %s: files are read into a cluster; to change "
			       "their form, read them into one",
			       transfer->target_name);
	if (input_files_open(input->path, &transfer->input, err) < 0)
		return -(int)err->kind;
	input_fields_describe(input, &transfer->input, &transfer->files);
	if (transfer->input.once && !transfer->files.index.ptr)
		log_info("copy", "standard input has no name: lines that do not say their index "
				 "fail without --index");
	if (transfer->input.once)
		log_info("copy",
			 "standard input cannot be read again: a run that is stopped is not "
			 "taken up, and begins anew");
	name = str_from(transfer->request->repository->repo_uri);
	return input_snapshot_new(&transfer->files, name, &transfer->source.snapshot, err);
}

int transfer_open_source(struct transfer *transfer, struct err *err)
{
	bool allow_partial = transfer->request->transfer->allow_partial_snapshot;
	const struct snapshot *snapshot;

	if (transfer->request->source)
		return open_live(transfer, err);
	if (transfer->request->input)
		return open_files(transfer, err);
	if (snapshot_source_open(&transfer->source, transfer->request->repository, err) < 0)
		return -(int)err->kind;
	snapshot = transfer->source.snapshot;
	if (snapshot_check_complete(snapshot, allow_partial, err) < 0)
		return -(int)err->kind;
	if (str_is(snapshot->summary.state, "PARTIAL"))
		log_warn("snapshot",
			 "snapshot '" STR_FMT
			 "' is PARTIAL: %zu shards failed when it was taken and are not in it",
			 STR_ARG(snapshot->summary.name), snapshot->failure_count);
	if (check_entries(transfer, err) < 0)
		return -(int)err->kind;
	return delta_fields_open(transfer->request->delta, transfer->request->transfer->op_type,
				 transfer->source.repository, allow_partial, &transfer->previous,
				 &transfer->delta_mode, err);
}
