#include "snapshot/metadata_format.h"
#include "snapshot/repository_internal.h"
#include "snapshot/shard_shelf.h"
#include "snapshot/shard_path.h"

#include <inttypes.h>
#include <stdlib.h>

/* snap-<uuid>.dat, codec "snapshot"; in Elasticsearch 1 snapshot-<snapshot>, JSON:
 *
 *   {"snapshot": {name, uuid, version_id, indices [name], state, include_global_state, start_time,
 *    end_time, total_shards, successful_shards, failures [{index, shard_id, reason}]}}
 *
 * Where an index lies is said by index-N only. It has no checksum, so the names there are held
 * against those of the snapshot, which has one. Before 5.0 it lies in the folder of its name, see
 * snapshot_names.c.
 *
 * Source: Elasticsearch 7.10.2 SnapshotInfo; OpenSearch 2.19 SnapshotInfo. */

static int32_t i32_of(const struct json *v)
{
	int64_t n = json_i64_or(v, 0);

	return n < 0 || n > INT32_MAX ? 0 : (int32_t)n;
}

static int read_failures(struct snapshot *snapshot, const struct json *failures, struct err *err)
{
	size_t i = 0;

	if (!failures || failures->type != JSON_ARRAY)
		return 0;
	snapshot->failures = arena_zalloc(&snapshot->mem, failures->count, sizeof(struct str));
	json_each (failure, failures) {
		if (snapshot->mem.failed)
			break;
		snapshot->failures[i++] = arena_printf(
			&snapshot->mem, STR_FMT "[%" PRId64 "]: " STR_FMT,
			STR_ARG(json_text_or(json_get(failure, "index"), STR("?"))),
			json_i64_or(json_get(failure, "shard_id"), -1),
			STR_ARG(json_text_or(json_get(failure, "reason"), STR("no reason given"))));
	}
	snapshot->failure_count = i;
	return snapshot->mem.failed ? arena_fail(&snapshot->mem, "the list of failures", err) : 0;
}

static int read_info(struct snapshot *snapshot, const struct json *info, struct err *err)
{
	struct snapshot_summary *summary = &snapshot->summary;
	struct str name = json_string(json_get(info, "name"));

	if (!info || info->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "holds no snapshot");
	if (!str_eq(name, summary->name))
		return err_set(err, ERR_FORMAT, "is snapshot '" STR_FMT "', not '" STR_FMT "'",
			       STR_ARG(name), STR_ARG(summary->name));
	summary->state = json_text_or(json_get(info, "state"), summary->state);
	if (summary->version.len == 0)
		summary->version = repository_version_of_id(
			json_i64_or(json_get(info, "version_id"), 0), &snapshot->mem);
	snapshot->start_ms = json_i64_or(json_get(info, "start_time"), 0);
	snapshot->end_ms = json_i64_or(json_get(info, "end_time"), 0);
	snapshot->total_shards = i32_of(json_get(info, "total_shards"));
	snapshot->successful_shards = i32_of(json_get(info, "successful_shards"));
	snapshot->includes_global_state =
		json_bool_or(json_get(info, "include_global_state"), true);
	snapshot->shallow_copy =
		json_bool_or(json_get(info, "remote_store_index_shallow_copy"), false);
	return read_failures(snapshot, json_get(info, "failures"), err);
}

/* Snapshots of an index: uuids; in 5.0 to 5.4.0 objects with name and uuid. */
static bool index_is_in(const struct json *entry, struct str uuid)
{
	json_each (of, json_get(entry, "snapshots")) {
		struct str name = json_text_or(json_get(of, "name"), STR_NONE);

		if (of->type == JSON_OBJECT &&
		    str_eq(json_text_or(json_get(of, "uuid"), name), uuid))
			return true;
		if (of->type == JSON_STRING && str_eq(of->text, uuid))
			return true;
	}
	return false;
}

/* From 7.9 on index metadata is shared by snapshots: the index's id leads to a key, the key to the
 * blob. A snapshot taken before, in the same repository, has its own. */
static int find_metadata_blob(struct snapshot *snapshot, const struct member_table *lookup,
			      struct snapshot_index *index, struct err *err)
{
	const struct member_table *identifiers = &snapshot->repository->metadata_identifiers;
	struct json *key = member_table_get(lookup, index->id);
	struct str blob = snapshot->summary.uuid;

	if (key) {
		blob = json_string(member_table_get(identifiers, json_string(key)));
		if (repository_check_component(blob, "the name of index metadata", err) < 0)
			return err_wrap(err, "index '" STR_FMT "'", STR_ARG(index->name));
	}
	index->metadata_blob =
		arena_printf(&snapshot->mem, "indices/" STR_FMT "/meta-" STR_FMT ".dat",
			     STR_ARG(index->id), STR_ARG(blob));
	return index->metadata_blob.ptr ? 0 : arena_fail(&snapshot->mem, "a blob's name", err);
}

static int add_index(struct snapshot *snapshot, const struct json *entry,
		     const struct member_table *lookup, struct err *err)
{
	struct snapshot_index *index = &snapshot->indices[snapshot->index_count];

	index->name = entry->key;
	index->id = json_text_or(json_get(entry, "id"), entry->key);
	index->shard_path_type = json_i64_or(json_get(entry, "shard_path_type"), 0);
	if (repository_check_component(index->id, "the id of an index", err) < 0)
		return err_wrap(err, "index '" STR_FMT "'", STR_ARG(index->name));
	snapshot->index_count++;
	return find_metadata_blob(snapshot, lookup, index, err);
}

static int compare_indices(const void *a, const void *b)
{
	return str_cmp(((const struct snapshot_index *)a)->name,
		       ((const struct snapshot_index *)b)->name);
}

int snapshot_sort_indices(struct snapshot *snapshot, struct err *err)
{
	struct snapshot_index *indices = snapshot->indices;

	if (snapshot->index_count > 0)
		qsort(indices, snapshot->index_count, sizeof(*indices), compare_indices);
	for (size_t i = 1; i < snapshot->index_count; i++)
		if (str_eq(indices[i - 1].name, indices[i].name))
			return err_set(err, ERR_FORMAT, "lists index '" STR_FMT "' twice",
				       STR_ARG(indices[i].name));
	return 0;
}

/* The indices that index-N gives this snapshot, sorted. `entry` is the snapshot's there. */
static int find_indices(struct snapshot *snapshot, const struct json *entry, struct err *err)
{
	struct json *all = json_get(snapshot->repository->root, "indices");
	struct member_table lookup;
	size_t count = 0;
	int rc = member_table_build(json_get(entry, "index_metadata_lookup"), &snapshot->mem,
				    &lookup, err);

	json_each (index, all)
		count += index_is_in(index, snapshot->summary.uuid);
	snapshot->indices = arena_zalloc(&snapshot->mem, count, sizeof(struct snapshot_index));
	if (!snapshot->indices)
		return arena_fail(&snapshot->mem, "the list of indices", err);
	json_each (index, all) {
		if (rc == 0 && index_is_in(index, snapshot->summary.uuid))
			rc = add_index(snapshot, index, &lookup, err);
	}
	return rc < 0 ? rc : snapshot_sort_indices(snapshot, err);
}

/* Both lists of indices must agree. Only a finished snapshot is sure to have both. */
static int compare_lists(const struct snapshot *snapshot, const struct json *names, struct err *err)
{
	bool finished = str_is(snapshot->summary.state, "SUCCESS") ||
			str_is(snapshot->summary.state, "PARTIAL");

	if (!finished || !names || names->type != JSON_ARRAY)
		return 0;
	json_each (name, names) {
		if (!snapshot_find_index(snapshot, json_string(name)))
			return err_set(err, ERR_FORMAT,
				       "the snapshot holds index '" STR_FMT "', and '" STR_FMT
				       "' does not say where: one of them is damaged",
				       STR_ARG(json_string(name)),
				       STR_ARG(snapshot->repository->index_blob));
	}
	if (names->count < snapshot->index_count)
		return err_set(err, ERR_FORMAT,
			       "the snapshot holds %zu indices, and '" STR_FMT
			       "' lists %zu: one of them is damaged",
			       names->count, STR_ARG(snapshot->repository->index_blob),
			       snapshot->index_count);
	return 0;
}

static int read_own_blob(struct snapshot *snapshot, const struct metadata_format *format,
			 struct str *blob, struct json **root, struct err *err)
{
	struct arena *mem = &snapshot->mem;

	snapshot->format = format;
	*blob = metadata_format_blob(format, STR(""), format->snapshot_prefix,
				     snapshot->summary.uuid, mem);
	if (!blob->ptr)
		return arena_fail(mem, "a blob's name", err);
	return format->read(snapshot->repository->store, *blob, "snapshot", mem, root, err);
}

/* The snapshot's own blob says by its name which format all of its metadata has. */
static int find_own_blob(struct snapshot *snapshot, struct str *blob, struct json **root,
			 struct err *err)
{
	int rc = read_own_blob(snapshot, &metadata_format_dat, blob, root, err);
	struct str newer = *blob;

	if (rc != -ERR_NOT_FOUND || !str_eq(snapshot->summary.uuid, snapshot->summary.name))
		return rc;
	rc = read_own_blob(snapshot, &metadata_format_text, blob, root, err);
	if (rc != -ERR_NOT_FOUND)
		return rc;
	return err_set(err, ERR_NOT_FOUND,
		       "there is neither a blob '" STR_FMT "' nor '" STR_FMT
		       "', as Elasticsearch 1 writes it: the copy is incomplete",
		       STR_ARG(newer), STR_ARG(*blob));
}

/* Where the indices lie is said by index-N, and both lists must agree. */
static int read_index_lists(struct snapshot *snapshot, const struct json *entry,
			    const struct json *names, struct err *err)
{
	int rc;

	if (find_indices(snapshot, entry, err) < 0)
		return err_wrap(err, "blob '" STR_FMT "'",
				STR_ARG(snapshot->repository->index_blob));
	rc = compare_lists(snapshot, names, err);
	return rc < 0 ? rc : shard_paths_locate(snapshot, err);
}

static int load(struct snapshot *snapshot, const struct json *entry, struct err *err)
{
	struct json *root, *info;
	struct str blob;
	bool has_ids;
	int rc = find_own_blob(snapshot, &blob, &root, err);

	if (rc < 0)
		return rc;
	has_ids = snapshot->repository->has_ids && entry != NULL &&
		  snapshot->format == &metadata_format_dat;
	info = json_get(root, "snapshot");
	rc = read_info(snapshot, info, err);
	if (rc == 0 && !has_ids)
		rc = snapshot_names_read(snapshot, info, err);
	if (rc < 0)
		return err_wrap(err, "blob '" STR_FMT "'", STR_ARG(blob));
	return has_ids ? read_index_lists(snapshot, entry, json_get(info, "indices"), err) : 0;
}

static int no_such_snapshot(const struct repository *repository, struct str name, struct err *err)
{
	cleanup(buf_release) struct buf names = BUF_INIT(KIB(1));

	for (size_t i = 0; i < repository->snapshot_count; i++) {
		if (names.len > 500) {
			buf_printf(&names, ", …");
			break;
		}
		buf_printf(&names, "%s" STR_FMT, i ? ", " : "",
			   STR_ARG(repository->snapshots[i].name));
	}
	return err_set(err, ERR_NOT_FOUND,
		       "no snapshot '" STR_FMT "' in repository '%s'; there %s: %s", STR_ARG(name),
		       repository->store->uri, repository->snapshot_count == 1 ? "is" : "are",
		       repository->snapshot_count ? buf_cstr(&names) : "none");
}

int snapshot_open(struct repository *repository, struct str name, struct snapshot **out,
		  struct err *err)
{
	cleanup(snapshot_closep) struct snapshot *snapshot = NULL;
	size_t i = 0;

	while (i < repository->snapshot_count && !str_eq(repository->snapshots[i].name, name))
		i++;
	if (i == repository->snapshot_count)
		return no_such_snapshot(repository, name, err);
	snapshot = mem_zalloc(sizeof(*snapshot));
	snapshot->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	snapshot->repository = repository;
	if (blob_store_is_remote(repository->store))
		snapshot->shelf = shard_shelf_new();
	snapshot->summary = repository->snapshots[i];
	if (load(snapshot, repository->entries[i], err) < 0)
		return err_wrap(err, "snapshot '" STR_FMT "'", STR_ARG(name));
	*out = take(snapshot);
	return 0;
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	shard_shelf_free(snapshot->shelf);
	arena_release(&snapshot->mem);
	free(snapshot);
}

void snapshot_closep(struct snapshot **snapshot)
{
	snapshot_close(*snapshot);
	*snapshot = NULL;
}

const struct snapshot_index *snapshot_find_index(const struct snapshot *snapshot, struct str name)
{
	struct snapshot_index key = {.name = name};

	if (snapshot->index_count == 0)
		return NULL;
	return bsearch(&key, snapshot->indices, snapshot->index_count, sizeof(key),
		       compare_indices);
}
