#include "snapshot/metadata_format.h"
#include "snapshot/repository_internal.h"
#include "snapshot/shard_directory.h"
#include "snapshot/shard_elsewhere.h"
#include "snapshot/shard_files.h"
#include "snapshot/shard_path.h"
#include "snapshot/shard_shelf.h"
#include "snapshot/snapshot_blob.h"

#include <stdio.h>
#include <stdlib.h>

/* A shard lies in a folder of its own (see shard_path.c): snap-<snapshot uuid>.dat, or in
 * Elasticsearch 1 snapshot-<snapshot>, lists its files (see shard_files.c), the blobs __… beside it
 * hold them. Blobs are shared by all snapshots that have the same file. */

static int read_list(struct snapshot_shard *shard, const struct snapshot *snapshot,
		     const struct snapshot_index *index, struct blob_store *store,
		     struct str folder, struct err *err)
{
	const struct metadata_format *format = snapshot->format;
	struct str blob = metadata_format_blob(format, folder, format->snapshot_prefix,
					       snapshot->summary.uuid, &shard->mem);
	struct json *root;
	int rc;

	if (!blob.ptr)
		return arena_fail(&shard->mem, "a blob's name", err);
	rc = format->read(store, blob, "snapshot", &shard->mem, &root, err);
	if (rc == -ERR_NOT_FOUND)
		return shard_elsewhere_shallow(snapshot, store, folder, &shard->mem, rc, err);
	if (rc < 0)
		return rc;
	if (shard_files_read(root, shard, err) < 0)
		return err_wrap(err, "blob '" STR_FMT "'", STR_ARG(blob));
	/* Even an empty shard has its segments_N. */
	if (shard->file_count == 0)
		return shard_elsewhere_mounted(snapshot, index, &shard->mem, err);
	return 0;
}

/* The last `count` components of a URI; false when it has fewer below its first slash. */
static bool last_components(struct str uri, int count, struct str *out)
{
	size_t at;

	while (uri.len > 0 && uri.ptr[uri.len - 1] == '/')
		uri.len--;
	for (at = uri.len; at > 0; at--)
		if (uri.ptr[at - 1] == '/' && --count == 0)
			break;
	*out = str_from_offset(uri, at);
	return at > 1 && uri.ptr[at - 2] != '/';
}

/* A path that was worked out is below the repository's base path, which nothing says: the end of
 * its URI. Tries them from the shortest on. */
static int search_above(struct snapshot_shard *shard, const struct snapshot *snapshot,
			const struct snapshot_index *index, struct shard_path *path,
			struct err *err)
{
	struct blob_store *store = snapshot->repository->store;
	struct str head, tail, base, folder;
	struct err attempt;
	int rc;

	str_split(path->folder, '/', &head, &tail);
	for (int count = 1; last_components(str_from(store->uri), count, &base); count++) {
		cleanup(blob_store_closep) struct blob_store *above = NULL;

		folder = arena_printf(&shard->mem, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(head),
				      STR_ARG(base), STR_ARG(tail));
		if (!folder.ptr)
			return arena_fail(&shard->mem, "a path", err);
		if (blob_store_open_above(store, base, &above, &attempt) < 0)
			break;
		rc = read_list(shard, snapshot, index, above, folder, &attempt);
		if (rc == -ERR_NOT_FOUND)
			continue;
		if (rc < 0 && err)
			*err = attempt;
		path->folder = folder;
		shard->outside = take(above);
		return rc;
	}
	return err_wrap(err,
			"its path is hashed, the repository has no list of such paths in the "
			"folder snapshot_shard_paths, and it does not lie where it would without "
			"a prefix; copy that folder, too");
}

static int open_outside(struct snapshot_shard *shard, const struct snapshot *snapshot,
			const struct shard_path *path, struct err *err)
{
	const struct blob_store *store = snapshot->repository->store;

	if (path->base.len == 0)
		return 0;
	if (blob_store_open_above(store, path->base, &shard->outside, err) < 0)
		return err_wrap(err,
				"it lies at '" STR_FMT "' outside of the repository's base path "
				"'" STR_FMT "', in which --repo-uri must end",
				STR_ARG(path->folder), STR_ARG(path->base));
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
	struct str name = arena_printf(&shard->mem, "shard %d of index '" STR_FMT "'", number,
				       STR_ARG(index->name));
	struct shard_path path;
	int rc;

	if (!name.ptr)
		return arena_fail(&shard->mem, "a shard's name", err);
	rc = shard_path_find(snapshot, index, number, &shard->mem, &path, err);
	if (rc == 0)
		rc = open_outside(shard, snapshot, &path, err);
	if (rc == 0)
		rc = read_list(shard, snapshot, index, shard->outside ? shard->outside : store,
			       path.folder, err);
	if (rc == -ERR_NOT_FOUND && index->shard_path_type != SHARD_PATH_FIXED && !path.listed)
		rc = search_above(shard, snapshot, index, &path, err);
	if (rc < 0)
		return rc;
	shard->directory = shard_directory_new(shard->outside ? shard->outside : store, path.folder,
					       name, shard->files, shard->file_count);
	return 0;
}

int snapshot_shard_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			int32_t number, struct snapshot_shard **out, struct err *err)
{
	cleanup(snapshot_shard_closep) struct snapshot_shard *shard = NULL;
	struct str failure;
	int rc;

	if (snapshot->shelf && (*out = shard_shelf_take(snapshot->shelf, index, number)))
		return 0;
	shard = mem_zalloc(sizeof(*shard));
	shard->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	rc = load(shard, snapshot, index, number, err);
	if (rc == 0) {
		*out = take(shard);
		if (snapshot->shelf)
			*out = shard_shelf_put(snapshot->shelf, index, number, *out);
		return 0;
	}
	failure = failure_of(snapshot, index, number);
	if (rc == -ERR_NOT_FOUND && failure.len > 0)
		err_wrap(err, "the snapshot is partial and says '" STR_FMT "'", STR_ARG(failure));
	return err_wrap(err, "shard %d of index '" STR_FMT "'", number, STR_ARG(index->name));
}

void snapshot_shard_close(struct snapshot_shard *shard)
{
	if (shard && shard->place)
		shard_shelf_give_back(shard);
	else
		snapshot_shard_free(shard);
}

void snapshot_shard_free(struct snapshot_shard *shard)
{
	if (!shard)
		return;
	lucene_directory_close(shard->directory);
	blob_store_close(shard->outside);
	arena_release(&shard->mem);
	free(shard);
}

void snapshot_shard_closep(struct snapshot_shard **shard)
{
	snapshot_shard_close(*shard);
	*shard = NULL;
}
