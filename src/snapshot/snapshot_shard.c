#include "snapshot/metadata_format.h"
#include "snapshot/repository_internal.h"
#include "snapshot/shard_directory.h"
#include "snapshot/shard_files.h"

#include <stdio.h>
#include <stdlib.h>

/* A shard lies at indices/<index id>/<shard>/: snap-<snapshot uuid>.dat, or in Elasticsearch 1
 * snapshot-<snapshot>, lists its files (see shard_files.c), the blobs __… beside it hold them.
 * Blobs are shared by all snapshots that have the same file. */

static int refuse(const struct snapshot *snapshot, const struct snapshot_index *index,
		  struct err *err)
{
	if (index->shard_path_type != 0)
		return err_set(
			err, ERR_UNSUPPORTED,
			"its shards lie at hashed paths (shard_path_type %lld), which are not "
			"read yet",
			(long long)index->shard_path_type);
	if (snapshot->shallow_copy)
		return err_set(
			err, ERR_UNSUPPORTED,
			"the snapshot is a shallow copy: its documents are in a remote store, "
			"not in this repository");
	return 0;
}

/* What a partial snapshot said about the shard, or "". */
static struct str failure_of(const struct snapshot *snapshot, const struct snapshot_index *index,
			     int32_t shard)
{
	char prefix[512];

	snprintf(prefix, sizeof(prefix), STR_FMT "[%d]: ", STR_ARG(index->name), shard);
	for (size_t i = 0; i < snapshot->failure_count; i++)
		if (str_starts(snapshot->failures[i], str_from(prefix)))
			return str_from_offset(snapshot->failures[i], strlen(prefix));
	return STR("");
}

static int load(struct snapshot_shard *shard, const struct snapshot *snapshot,
		const struct snapshot_index *index, int32_t number, struct err *err)
{
	struct blob_store *store = snapshot->repository->store;
	struct str folder =
		arena_printf(&shard->mem, "indices/" STR_FMT "/%d", STR_ARG(index->id), number);
	struct str blob =
		metadata_format_blob(snapshot->format, folder, snapshot->format->snapshot_prefix,
				     snapshot->summary.uuid, &shard->mem);
	struct str name = arena_printf(&shard->mem, "shard %d of index '" STR_FMT "'", number,
				       STR_ARG(index->name));
	struct json *root;
	int rc;

	if (shard->mem.failed)
		return arena_fail(&shard->mem, "a blob's name", err);
	rc = snapshot->format->read(store, blob, "snapshot", &shard->mem, &root, err);
	if (rc < 0)
		return rc;
	if (shard_files_read(root, shard, err) < 0)
		return err_wrap(err, "blob '" STR_FMT "'", STR_ARG(blob));
	shard->directory =
		shard_directory_new(store, folder, name, shard->files, shard->file_count);
	return 0;
}

int snapshot_shard_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			int32_t number, struct snapshot_shard **out, struct err *err)
{
	cleanup(snapshot_shard_closep) struct snapshot_shard *shard = mem_zalloc(sizeof(*shard));
	struct str failure;
	int rc = refuse(snapshot, index, err);

	shard->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	if (rc == 0)
		rc = load(shard, snapshot, index, number, err);
	if (rc == 0) {
		*out = take(shard);
		return 0;
	}
	failure = failure_of(snapshot, index, number);
	if (rc == -ERR_NOT_FOUND && failure.len > 0)
		err_wrap(err, "the snapshot is partial and says '" STR_FMT "'", STR_ARG(failure));
	return err_wrap(err, "shard %d of index '" STR_FMT "'", number, STR_ARG(index->name));
}

void snapshot_shard_close(struct snapshot_shard *shard)
{
	if (!shard)
		return;
	lucene_directory_close(shard->directory);
	arena_release(&shard->mem);
	free(shard);
}

void snapshot_shard_closep(struct snapshot_shard **shard)
{
	snapshot_shard_close(*shard);
	*shard = NULL;
}
