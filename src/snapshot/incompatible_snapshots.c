#include "snapshot/repository_internal.h"

#include "base/limits.h"

/* The blob incompatible-snapshots, which Elasticsearch 5 puts beside index-N when it finds
 * snapshots of 1.x, and 6 beside those it finds of before 5.0. It will not restore them; all their
 * blobs are still there.
 *
 *   {"incompatible-snapshots": [{"name": "<snapshot>", "uuid": "<snapshot>"}]}
 *
 * Source: Elasticsearch 5.6.16 and 6.8.23 RepositoryData, BlobStoreRepository. */

#define BLOB STR("incompatible-snapshots")

/* Makes room for `more` snapshots. */
static int grow(struct repository *repository, size_t more, struct err *err)
{
	struct arena *mem = &repository->mem;
	size_t count = repository->snapshot_count;
	struct snapshot_summary *snapshots = arena_zalloc(mem, count + more, sizeof(*snapshots));
	struct json **entries = arena_zalloc(mem, count + more, sizeof(struct json *));

	if (mem->failed)
		return arena_fail(mem, "the list of snapshots", err);
	for (size_t i = 0; i < count; i++) {
		snapshots[i] = repository->snapshots[i];
		entries[i] = repository->entries[i];
	}
	repository->snapshots = snapshots;
	repository->entries = entries;
	return 0;
}

static int add_all(struct repository *repository, struct str text, struct err *err)
{
	const struct json *list;
	struct json *root;
	int rc = json_parse(text, &repository->mem, &root, err);

	if (rc < 0)
		return rc;
	list = json_get(root, "incompatible-snapshots");
	if (!list || list->type != JSON_ARRAY)
		return err_set(err, ERR_FORMAT, "holds no list of snapshots");
	rc = grow(repository, list->count, err);
	if (rc < 0)
		return rc;
	json_each (entry, list) {
		rc = repository_parse_summary(entry, &repository->mem,
					      &repository->snapshots[repository->snapshot_count],
					      err);
		if (rc < 0)
			return rc;
		repository->snapshot_count++;
	}
	return 0;
}

int repository_add_incompatible(struct repository *repository, struct err *err)
{
	struct err read;
	struct str text;
	int rc = blob_store_read(repository->store, BLOB, &repository->mem, LIMIT_REPOSITORY_INDEX,
				 &text, &read);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	if (rc < 0)
		return err_set(err, read.kind, "%s", read.message);
	if (add_all(repository, text, err) < 0)
		return err_wrap(err, "blob '" STR_FMT "' of repository '%s'", STR_ARG(BLOB),
				repository->store->uri);
	return 0;
}
