#include "cli/snapshot_source.h"

/* As many as an error message holds. */
#define FAILURES_SHOWN 5

int snapshot_source_open(struct snapshot_source *source, const struct repository_fields *fields,
			 struct err *err)
{
	*source = (struct snapshot_source){0};
	if (blob_store_open_with(fields->repo_uri, &fields->store, &source->store, err) < 0)
		return err_wrap(err, "--repo-uri");
	if (repository_open(source->store, &source->repository, err) < 0)
		return -(int)err->kind;
	if (!fields->snapshot_name)
		return 0;
	return snapshot_open(source->repository, str_from(fields->snapshot_name), &source->snapshot,
			     err);
}

void snapshot_source_release(struct snapshot_source *source)
{
	snapshot_close(source->snapshot);
	repository_close(source->repository);
	blob_store_close(source->store);
	*source = (struct snapshot_source){0};
}

static int partial(const struct snapshot *snapshot, struct err *err)
{
	cleanup(buf_release) struct buf shards = BUF_INIT(KIB(64));

	for (size_t i = 0; i < MIN(snapshot->failure_count, (size_t)FAILURES_SHOWN); i++) {
		buf_append_str(&shards, i > 0 ? STR("; ") : STR(": "));
		buf_append_str(&shards, str_of(snapshot->failures[i].ptr,
					       MIN(snapshot->failures[i].len, (size_t)120)));
	}
	if (snapshot->failure_count > FAILURES_SHOWN)
		buf_printf(&shards, "; and %zu more", snapshot->failure_count - FAILURES_SHOWN);
	return err_set(err, ERR_UNREADABLE,
		       "snapshot '" STR_FMT "' is PARTIAL: it holds %d of %d shards; take another "
		       "one, or pass --allow-partial-snapshot to move what it holds%s",
		       STR_ARG(snapshot->summary.name), snapshot->successful_shards,
		       snapshot->total_shards, buf_cstr(&shards));
}

int snapshot_check_complete(const struct snapshot *snapshot, bool allow_partial, struct err *err)
{
	struct str state = snapshot->summary.state;

	if (state.len == 0 || str_is(state, "SUCCESS"))
		return 0;
	if (str_is(state, "PARTIAL"))
		return allow_partial ? 0 : partial(snapshot, err);
	return err_set(err, ERR_UNREADABLE,
		       "snapshot '" STR_FMT "' is in state " STR_FMT
		       " and cannot be read; `shardlift snapshot list` shows those that are "
		       "complete",
		       STR_ARG(snapshot->summary.name), STR_ARG(state));
}
