#include "snapshot/shard_path.h"
#include "snapshot/repository_internal.h"

#include "base/limits.h"

#include <stdio.h>

/* The folder of a shard, by the shard_path_type of its index in index-N:
 *
 *   0  <base path>/indices/<index id>/<shard>
 *   1  <prefix><hash>/<base path>/indices/<index id>/<shard>
 *   2  <base path>/<prefix><hash>/indices/<index id>/<shard>
 *
 * <base path> is the repository's, whose other blobs are all below it; --repo-uri names that
 * folder. So with a base path, type 1 lies outside of it. <prefix> is the cluster's (setting
 * cluster.snapshot.shard.path.prefix), mostly empty, and written nowhere else than in
 *
 *   <base path>/snapshot_shard_paths/snapshot_path_<index id>.<index>.<shards>.<type>.<algorithm>
 *   (2.17.0: without "snapshot_path_"), JSON, no checksum:
 *
 *   {indexId, indexName, number_of_shards, shard_path_type, shard_path_hash_algorithm,
 *    paths ["<path of shard 0>/", …]}
 *
 * The hash is FNV-1a, 64 bits, of the shard's number and the index's id: "0" "vWcs…". Algorithm 0
 * is its base64 for URLs, 1 a digit of base64 for its first 6 bits and the next 14 as they are:
 * "c01101011100010". Snapshots are written with 1.
 *
 * Source: OpenSearch 2.19.6 and 3.8.0 BlobStoreRepository, SnapshotShardPaths, RemoteStoreEnums,
 * RemoteStoreUtils, FNV1a; 2.17.0 for the name of the list. */

#define LIST_FOLDER STR("snapshot_shard_paths")
#define LIST_PREFIX "snapshot_path_"
#define HASH_BITS 14

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint64_t fnv_1a(uint64_t hash, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (uint8_t)bytes.ptr[i]) * 0x100000001b3;
	return hash;
}

struct str shard_path_hash(struct str index_id, int32_t shard, enum shard_path_hash algorithm,
			   char text[static SHARD_PATH_HASH_MAX])
{
	size_t len = 0;
	uint64_t hash;

	len = (size_t)snprintf(text, SHARD_PATH_HASH_MAX, "%d", shard);
	hash = fnv_1a(fnv_1a(0xcbf29ce484222325, str_of(text, len)), index_id);
	len = 0;
	text[len++] = digits[hash >> 58];
	if (algorithm == SHARD_PATH_FNV_1A_COMPOSITE_1) {
		for (int i = 0; i < HASH_BITS; i++)
			text[len++] = hash >> (57 - i) & 1 ? '1' : '0';
	} else {
		for (int shift = 52; shift > 0; shift -= 6)
			text[len++] = digits[hash >> shift & 63];
		text[len++] = digits[hash << 2 & 63];
	}
	return str_of(text, len);
}

/* Cuts `tail` and the slash before it off the end. */
static bool cut_tail(struct str *path, struct str tail)
{
	if (!str_ends(*path, tail) || path->len == tail.len ||
	    path->ptr[path->len - tail.len - 1] != '/')
		return false;
	path->len -= tail.len + 1;
	return true;
}

/* The first component that ends with the hash, and all before it; the rest is the base path. */
static bool split_prefix(struct str path, struct str hash, struct str *head, struct str *base)
{
	for (size_t end = hash.len; end <= path.len; end++) {
		if (end < path.len && path.ptr[end] != '/')
			continue;
		*head = str_of(path.ptr, end);
		*base = str_from_offset(path, end + 1);
		if (str_ends(*head, hash))
			return true;
	}
	return false;
}

/* The last component; what is before it is the base path, which --repo-uri names. */
static bool split_infix(struct str path, struct str hash, struct str *head)
{
	size_t start = path.len;

	while (start > 0 && path.ptr[start - 1] != '/')
		start--;
	*head = str_from_offset(path, start);
	return str_ends(*head, hash);
}

/* A path of the list, held against what is known of it: there is no checksum to find damage. */
static int parse_path(struct str path, struct str hash, const struct snapshot_index *index,
		      int32_t shard, struct arena *mem, struct shard_path *out, struct err *err)
{
	struct str tail = arena_printf(mem, "indices/" STR_FMT "/%d", STR_ARG(index->id), shard);
	struct str rest = path, head = STR_NONE;
	bool sound;

	if (!tail.ptr)
		return arena_fail(mem, "a path", err);
	while (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	sound = path.len <= LIMIT_PATH && cut_tail(&rest, tail);
	if (sound && index->shard_path_type == SHARD_PATH_HASHED_PREFIX)
		sound = split_prefix(rest, hash, &head, &out->base);
	else if (sound)
		sound = split_infix(rest, hash, &head);
	if (!sound)
		return err_set(err, ERR_FORMAT,
			       "has '" STR_FMT "' as the path of shard %d, which should end in "
			       "'" STR_FMT "' and have the hash " STR_FMT,
			       STR_ARG(path), shard, STR_ARG(tail), STR_ARG(hash));
	out->folder =
		out->base.len > 0
			? arena_printf(mem, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(head),
				       STR_ARG(out->base), STR_ARG(tail))
			: arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(head), STR_ARG(tail));
	return out->folder.ptr ? 0 : arena_fail(mem, "a path", err);
}

int shard_path_parse(struct str list, const struct snapshot_index *index, int32_t shard,
		     struct arena *mem, struct shard_path *out, struct err *err)
{
	char hash[SHARD_PATH_HASH_MAX];
	int32_t number = 0;
	int64_t algorithm;
	struct json *root;
	int rc = json_parse(list, mem, &root, err);

	if (rc < 0)
		return rc;
	*out = (struct shard_path){.listed = true};
	algorithm = json_i64_or(json_get(root, "shard_path_hash_algorithm"), -1);
	if (algorithm != SHARD_PATH_FNV_1A_BASE64 && algorithm != SHARD_PATH_FNV_1A_COMPOSITE_1)
		return err_set(err, ERR_UNSUPPORTED,
			       "has no shard_path_hash_algorithm that is known, but %lld",
			       (long long)algorithm);
	json_each (path, json_get(root, "paths")) {
		if (number++ == shard)
			return parse_path(json_string(path),
					  shard_path_hash(index->id, shard,
							  (enum shard_path_hash)algorithm, hash),
					  index, shard, mem, out, err);
	}
	return err_set(err, ERR_FORMAT, "has the paths of %d shards, and none of shard %d", number,
		       shard);
}

/* A repository has no list when writing it failed, which the cluster only logs, or when it was left
 * out of a copy. */
static int work_out(const struct snapshot_index *index, int32_t shard, struct arena *mem,
		    struct shard_path *out, struct err *err)
{
	char hash[SHARD_PATH_HASH_MAX];
	struct str text = shard_path_hash(index->id, shard, SHARD_PATH_FNV_1A_COMPOSITE_1, hash);

	out->folder = arena_printf(mem, STR_FMT "/indices/" STR_FMT "/%d", STR_ARG(text),
				   STR_ARG(index->id), shard);
	return out->folder.ptr ? 0 : arena_fail(mem, "a path", err);
}

int shard_path_find(const struct snapshot *snapshot, const struct snapshot_index *index,
		    int32_t shard, struct arena *mem, struct shard_path *out, struct err *err)
{
	struct str list;
	int rc;

	*out = (struct shard_path){0};
	if (index->shard_path_type == SHARD_PATH_FIXED) {
		out->folder =
			arena_printf(mem, "indices/" STR_FMT "/%d", STR_ARG(index->id), shard);
		return out->folder.ptr ? 0 : arena_fail(mem, "a path", err);
	}
	if (index->shard_path_type != SHARD_PATH_HASHED_PREFIX &&
	    index->shard_path_type != SHARD_PATH_HASHED_INFIX)
		return err_set(err, ERR_UNSUPPORTED,
			       "its shards lie at paths of the unknown shard_path_type %lld",
			       (long long)index->shard_path_type);
	if (index->shard_paths_blob.len == 0)
		return work_out(index, shard, mem, out, err);
	rc = blob_store_read(snapshot->repository->store, index->shard_paths_blob, mem,
			     LIMIT_SNAPSHOT_BLOB, &list, err);
	if (rc == 0 && shard_path_parse(list, index, shard, mem, out, err) < 0)
		rc = err_wrap(err, "blob '" STR_FMT "'", STR_ARG(index->shard_paths_blob));
	return rc;
}

/* The number of shards in the name of a list that is of the index; -1 if it is not. */
static int64_t shards_listed(struct str name, struct str start)
{
	struct str rest = str_from_offset(name, start.len), field;
	uint64_t count;

	if (!str_starts(name, start))
		return -1;
	/* The index's name may have dots, the last three fields have none. */
	for (int fields = 0; rest.len > 0;) {
		size_t at = rest.len;

		while (at > 0 && rest.ptr[at - 1] != '.')
			at--;
		field = str_from_offset(rest, at);
		if (++fields == 3)
			return str_to_u64(field, &count) && count <= LIMIT_SHARDS ? (int64_t)count
										  : -1;
		rest.len = at > 0 ? at - 1 : 0;
	}
	return -1;
}

/* The first blob of the sorted listing that does not come before `name`. */
static size_t lower_bound(const struct blob_listing *listing, struct str name)
{
	size_t low = 0, high = listing->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(listing->blobs[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* When an index is made anew with more shards, its list is written anew; the longest counts. */
static int locate(struct snapshot *snapshot, struct snapshot_index *index,
		  const struct blob_listing *listing, struct err *err)
{
	static const char *const starts[] = {LIST_PREFIX, ""};
	int64_t best = -1;

	for (size_t s = 0; s < COUNT_OF(starts); s++) {
		struct str start =
			arena_printf(&snapshot->mem, STR_FMT "/%s" STR_FMT ".",
				     STR_ARG(LIST_FOLDER), starts[s], STR_ARG(index->id));

		if (!start.ptr)
			return arena_fail(&snapshot->mem, "a blob's name", err);
		for (size_t i = lower_bound(listing, start);
		     i < listing->count && str_starts(listing->blobs[i].name, start); i++) {
			int64_t shards = shards_listed(listing->blobs[i].name, start);

			if (shards <= best)
				continue;
			best = shards;
			index->shard_paths_blob = listing->blobs[i].name;
		}
	}
	if (best < 0)
		return 0;
	index->shard_paths_blob = arena_str(&snapshot->mem, index->shard_paths_blob);
	return index->shard_paths_blob.ptr ? 0 : arena_fail(&snapshot->mem, "a blob's name", err);
}

int shard_paths_locate(struct snapshot *snapshot, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_LISTING);
	struct blob_listing listing;
	bool listed = false;
	int rc = 0;

	for (size_t i = 0; i < snapshot->index_count && rc == 0; i++) {
		if (snapshot->indices[i].shard_path_type == SHARD_PATH_FIXED)
			continue;
		if (!listed)
			rc = blob_store_list(snapshot->repository->store, LIST_FOLDER, &mem,
					     &listing, err);
		listed = true;
		if (rc == 0)
			rc = locate(snapshot, &snapshot->indices[i], &listing, err);
	}
	return rc;
}
