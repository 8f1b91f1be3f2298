#include "snapshot/shard_elsewhere.h"
#include "snapshot/snapshot_blob.h"

/* OpenSearch can leave the files of an index in its remote store, and take a shallow copy. Beside
 * the other blobs of the shard there is then
 *
 *   shallow-snap-<snapshot uuid>.dat   {name, index_uuid, remote_store_repository,
 *                                       remote_store_repository_base_path, file_names, …}
 *
 * or, with shallow_snapshot_v2, nothing at all. An index that is not in the remote store is copied
 * whole in the same snapshot.
 *
 * An index that is mounted from a snapshot (searchable snapshots) has an empty list of files, and
 * in its settings
 *
 *   Elasticsearch  index.store.snapshot.{repository_name, snapshot_name, index_name}
 *   OpenSearch     index.searchable_snapshot.{repository, snapshot_id.name, index.id}
 *
 * Source: OpenSearch 2.19.6 BlobStoreRepository, RemoteStoreShardShallowCopySnapshot,
 * IndexSettings; Elasticsearch 7.17 BlobStoreRepository, SearchableSnapshots. */

int shard_elsewhere_shallow(const struct snapshot *snapshot, struct blob_store *store,
			    struct str folder, struct arena *mem, int rc, struct err *err)
{
	struct str blob = arena_printf(mem, STR_FMT "/shallow-snap-" STR_FMT ".dat",
				       STR_ARG(folder), STR_ARG(snapshot->summary.uuid));
	struct str where = STR_NONE;
	struct json *root;
	struct err ignored;

	if (!blob.ptr)
		return arena_fail(mem, "a blob's name", err);
	if (snapshot_blob_read(store, blob, "snapshot", mem, &root, &ignored) == 0)
		where = json_text_or(json_get(root, "remote_store_repository"), STR("?"));
	else if (!snapshot->shallow_copy)
		return rc;
	return err_set(err, ERR_UNSUPPORTED,
		       "its files are in the cluster's remote store%s" STR_FMT
		       "%s, and the snapshot is a shallow copy without them; take one into a "
		       "repository with remote_store_index_shallow_copy false",
		       where.len > 0 ? " (repository '" : "", STR_ARG(where),
		       where.len > 0 ? "')" : "");
}

static struct str setting(const struct index_metadata *metadata, const char *opensearch,
			  const char *elasticsearch)
{
	return json_text_or(json_get(metadata->settings, opensearch),
			    json_text_or(json_get(metadata->settings, elasticsearch), STR_NONE));
}

int shard_elsewhere_mounted(const struct snapshot *snapshot, const struct snapshot_index *index,
			    struct arena *mem, struct err *err)
{
	struct index_metadata metadata;
	struct str from, repository;
	int rc = snapshot_index_metadata(snapshot, index, mem, &metadata, err);

	if (rc < 0)
		return rc;
	from = setting(&metadata, "index.searchable_snapshot.snapshot_id.name",
		       "index.store.snapshot.snapshot_name");
	repository = setting(&metadata, "index.searchable_snapshot.repository",
			     "index.store.snapshot.repository_name");
	if (from.len == 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "the snapshot lists no files of it, as of an index that is mounted "
			       "from another snapshot; read that one instead");
	return err_set(err, ERR_UNSUPPORTED,
		       "the index is a searchable snapshot, mounted from snapshot '" STR_FMT
		       "' of the cluster's repository '" STR_FMT
		       "', and its files are there; read that snapshot instead",
		       STR_ARG(from), STR_ARG(repository));
}
