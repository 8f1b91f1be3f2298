#include "snapshot/metadata_format.h"
#include "snapshot/repository_internal.h"

/* Repositories of Elasticsearch 1 and 2, and what is left of them in later ones: snapshots and
 * indices have no ids. A snapshot itself lists its indices, and each lies in the folder of its
 * name:
 *
 *                          Elasticsearch 1               Elasticsearch 2
 *   all snapshots          index                         index
 *   one of them            snapshot-<snapshot>           snap-<snapshot>.dat
 *   global metadata        metadata-<snapshot>           meta-<snapshot>.dat
 *   metadata of an index   indices/<index>/snapshot-…    indices/<index>/meta-….dat
 *   files of a shard       indices/<index>/<n>/snapshot-…  indices/<index>/<n>/snap-….dat
 *
 *   index:  {"snapshots": ["<snapshot>", …]}
 *
 * Elasticsearch 2 goes on in a repository of Elasticsearch 1 and leaves its blobs as they are.
 *
 * Source: Elasticsearch 1.7.6 and 2.4.6 BlobStoreRepository. */

static bool is_state(struct str state)
{
	static const char *const states[] = {"IN_PROGRESS", "SUCCESS", "FAILED", "PARTIAL",
					     "INCOMPATIBLE"};

	for (size_t i = 0; i < COUNT_OF(states); i++)
		if (str_is(state, states[i]))
			return true;
	return false;
}

/* No checksum tells a damaged text from a sound one, so nothing in it counts as left out. */
static int check_members(const struct json *info, struct err *err)
{
	const struct json *indices = json_get(info, "indices");
	const struct json *failures = json_get(info, "failures");
	struct str state = json_string(json_get(info, "state"));

	if (!indices || indices->type != JSON_ARRAY || !failures || failures->type != JSON_ARRAY)
		return err_set(err, ERR_FORMAT, "holds no list of indices and failures");
	if (!is_state(state))
		return err_set(err, ERR_FORMAT, "is in state '" STR_FMT "', which there is not",
			       STR_ARG(state));
	if (json_i64_or(json_get(info, "total_shards"), -1) < 0)
		return err_set(err, ERR_FORMAT, "holds no number of shards");
	return 0;
}

static int add_index(struct snapshot *snapshot, struct str name, struct err *err)
{
	const struct metadata_format *format = snapshot->format;
	struct snapshot_index *index = &snapshot->indices[snapshot->index_count];
	struct str folder = arena_printf(&snapshot->mem, "indices/" STR_FMT, STR_ARG(name));

	if (repository_check_component(name, "the name of an index", err) < 0)
		return -(int)err->kind;
	*index = (struct snapshot_index){.name = name, .id = name};
	index->metadata_blob = metadata_format_blob(format, folder, format->index_prefix,
						    snapshot->summary.uuid, &snapshot->mem);
	if (snapshot->mem.failed)
		return arena_fail(&snapshot->mem, "a blob's name", err);
	snapshot->index_count++;
	return 0;
}

int snapshot_names_read(struct snapshot *snapshot, const struct json *info, struct err *err)
{
	const struct json *names = json_get(info, "indices");
	int rc = snapshot->format->has_checksum ? 0 : check_members(info, err);

	if (rc < 0)
		return rc;
	if (!names || names->type != JSON_ARRAY)
		return err_set(err, ERR_FORMAT, "holds no list of indices");
	snapshot->indices =
		arena_zalloc(&snapshot->mem, names->count, sizeof(struct snapshot_index));
	if (!snapshot->indices)
		return arena_fail(&snapshot->mem, "the list of indices", err);
	json_each (name, names) {
		rc = add_index(snapshot, json_string(name), err);
		if (rc < 0)
			return rc;
	}
	return snapshot_sort_indices(snapshot, err);
}
