#include "snapshot/repository_internal.h"
#include "snapshot/text_blob.h"

#include "base/limits.h"
#include "base/rd.h"

#include <inttypes.h>
#include <stdlib.h>

/* The root of a repository:
 *
 *   index-N       JSON: which snapshots there are and which indices they hold; N grows
 *   index.latest  BE64 N, a hint for stores that cannot list
 *   snap-<uuid>.dat, meta-<uuid>.dat, indices/<id>/…
 *
 * index-N, by the fields that are there:
 *   5.0 to 5.4.0 snapshots [{name, uuid, state}], indices {name: {id, snapshots [{name, uuid}]}}
 *   5.4.1 to 7.8 indices.*.snapshots [uuid]
 *   7.9 on       and snapshots[].{version, index_metadata_lookup}, index_metadata_identifiers
 *   OpenSearch 2.17 on: and indices.*.shard_path_type
 *
 * Source: Elasticsearch 7.10.2 BlobStoreRepository, RepositoryData, SnapshotState. */

#define INDEX_PREFIX STR("index-")
#define INDEX_LATEST STR("index.latest")
#define OLD_INDEX STR("index") /* before 5.0, see snapshot_names.c */
/* The root listing and index.latest are dropped with this arena. */
#define LISTING_ARENA_LIMIT MIB(512)

int repository_check_component(struct str text, const char *what, struct err *err)
{
	if (text.len > 0 && !memchr(text.ptr, '/', text.len) && !memchr(text.ptr, '\0', text.len) &&
	    !str_is(text, ".") && !str_is(text, ".."))
		return 0;
	return err_set(err, ERR_FORMAT, "'" STR_FMT "' cannot be %s", STR_ARG(text), what);
}

/* Elasticsearch itself writes these numbers; the words are those of its API. */
static struct str state_name(const struct json *state)
{
	static const char *const names[] = {"IN_PROGRESS", "SUCCESS", "FAILED", "PARTIAL",
					    "INCOMPATIBLE"};
	int64_t number = json_i64_or(state, -1);

	if (number >= 0 && (size_t)number < COUNT_OF(names))
		return str_from(names[number]);
	return json_text_or(state, STR(""));
}

/* OpenSearch sets this bit in its version ids. */
#define OPENSEARCH_VERSION_BIT 0x08000000
/* From here on Elasticsearch counts changes of its index format, not releases. */
#define FIRST_INDEX_VERSION 8500000
#define FIRST_INDEX_VERSION_OF_9 9000000

/* 7100299 is 7.10.2; 8500010 is some 8.x. */
struct str repository_version_of_id(int64_t id, struct arena *mem)
{
	if (id <= 0 || id > INT32_MAX)
		return STR("");
	if (id >= FIRST_INDEX_VERSION && !(id & OPENSEARCH_VERSION_BIT))
		return arena_printf(mem, "%" PRId64 ".x", id / 1000000);
	id &= ~(int64_t)OPENSEARCH_VERSION_BIT;
	return arena_printf(mem, "%" PRId64 ".%" PRId64 ".%" PRId64, id / 1000000, id / 10000 % 100,
			    id / 100 % 100);
}

/* version is a text, in 8.9 and 8.10 an id. From 8.11 on it is always "8.11.0", and index_version
 * holds the id: only that of 9 says more. */
static struct str read_version(const struct json *entry, struct arena *mem)
{
	const struct json *version = json_get(entry, "version");
	int64_t index_version = json_i64_or(json_get(entry, "index_version"), 0);

	if (index_version >= FIRST_INDEX_VERSION_OF_9)
		return repository_version_of_id(index_version, mem);
	if (version && version->type == JSON_NUMBER)
		return repository_version_of_id(json_i64_or(version, 0), mem);
	return json_text_or(version, STR(""));
}

/* Snapshots of before 5.0 are a bare name, which is their uuid too. */
int repository_parse_summary(const struct json *entry, struct arena *mem,
			     struct snapshot_summary *out, struct err *err)
{
	struct str name = json_string(entry->type == JSON_STRING ? entry : json_get(entry, "name"));
	int rc;

	if (name.len == 0)
		return err_set(err, ERR_FORMAT, "a snapshot has no name");
	out->name = name;
	out->uuid = json_text_or(json_get(entry, "uuid"), name);
	out->state = state_name(json_get(entry, "state"));
	out->version = read_version(entry, mem);
	if (mem->failed)
		return arena_fail(mem, "a version", err);
	rc = repository_check_component(out->uuid, "the uuid of a snapshot", err);
	return rc < 0 ? err_wrap(err, "snapshot '" STR_FMT "'", STR_ARG(name)) : 0;
}

static int parse_snapshots(struct repository *repository, struct err *err)
{
	struct json *list = json_get(repository->root, "snapshots");
	struct json *indices = json_get(repository->root, "indices");
	size_t i = 0;
	int rc = 0;

	if (!list || list->type != JSON_ARRAY || (indices && indices->type != JSON_OBJECT))
		return err_set(err, ERR_FORMAT, "holds no list of snapshots and indices");
	repository->snapshots =
		arena_zalloc(&repository->mem, list->count, sizeof(struct snapshot_summary));
	repository->entries = arena_zalloc(&repository->mem, list->count, sizeof(struct json *));
	if (repository->mem.failed)
		return arena_fail(&repository->mem, "the list of snapshots", err);
	json_each (entry, list) {
		repository->entries[i] = entry;
		rc = repository_parse_summary(entry, &repository->mem, &repository->snapshots[i++],
					      err);
		if (rc < 0)
			return rc;
	}
	repository->snapshot_count = list->count;
	return 0;
}

/* Encryption by the cluster, in OpenSearch the message of the AWS Encryption SDK: u8 1, u8 0x80, or
 * u8 2 and BE16 0x0478 or 0x0578. */
static int check_is_json(struct str text, struct err *err)
{
	bool sdk = str_starts(text, STR("\1\x80")) || str_starts(text, STR("\2\4\x78")) ||
		   str_starts(text, STR("\2\5\x78"));

	if (sdk)
		return err_set(err, ERR_UNSUPPORTED,
			       "is a message of the AWS Encryption SDK: the cluster encrypts this "
			       "repository, and it is not readable without its keys; take the "
			       "snapshot into a repository without client-side encryption");
	while (text.len > 0 && strchr(" \t\r\n", text.ptr[0]))
		text = str_from_offset(text, 1);
	if (!str_starts(text, STR("{")))
		return err_set(err, ERR_FORMAT,
			       "is not JSON: it is damaged, or the cluster encrypts this "
			       "repository; then take the snapshot into one that it does not");
	return 0;
}

/* Parses the content of index-N or index, which is `text` in repository->mem. */
static int repository_parse(struct repository *repository, struct str text, struct err *err)
{
	struct arena *mem = &repository->mem;
	int rc = check_is_json(text, err);

	if (rc == 0)
		rc = json_parse(text, mem, &repository->root, err);
	if (rc == 0)
		rc = parse_snapshots(repository, err);
	if (rc == 0)
		rc = member_table_build(json_get(repository->root, "index_metadata_identifiers"),
					mem, &repository->metadata_identifiers, err);
	return rc;
}

/* The blob index-N of the highest N; an empty name if there is none. */
static struct str newest_index(const struct blob_listing *root, uint64_t *generation)
{
	struct str newest = STR_NONE;
	uint64_t n;

	for (size_t i = 0; i < root->count; i++) {
		struct str name = root->blobs[i].name;

		if (!str_starts(name, INDEX_PREFIX) ||
		    !str_to_u64(str_from_offset(name, INDEX_PREFIX.len), &n))
			continue;
		if (newest.len == 0 || n > *generation) {
			newest = name;
			*generation = n;
		}
	}
	return newest;
}

static bool holds(const struct blob_listing *root, struct str name)
{
	for (size_t i = 0; i < root->count; i++)
		if (str_eq(root->blobs[i].name, name))
			return true;
	return false;
}

static int no_index(struct blob_store *store, struct err *err)
{
	return err_set(
		err, ERR_NOT_FOUND,
		"'%s' is no snapshot repository: it holds no blob 'index-N' (index-0, index-1, "
		"…) nor 'index' (Elasticsearch 1 and 2); --repo-uri must name the folder that "
		"holds it",
		store->uri);
}

/* The listing decides, as in Elasticsearch for stores that can list. index.latest is written after
 * index-N and may lag behind, or be missing or broken, without harm; when it is ahead, the newest
 * index-N is not here, and what the older one says may be gone. */
static int check_latest(struct blob_store *store, const struct blob_listing *root,
			uint64_t generation, struct arena *mem, struct err *err)
{
	struct str bytes;
	struct rd rd;
	uint64_t latest;
	int rc;

	if (!holds(root, INDEX_LATEST))
		return 0;
	rc = blob_store_read(store, INDEX_LATEST, mem, KIB(64), &bytes, err);
	if (rc < 0)
		return rc;
	rd = rd_over(bytes);
	latest = rd_be64(&rd);
	if (bytes.len != 8 || latest <= generation)
		return 0;
	return err_set(
		err, ERR_FORMAT,
		"'index.latest' of repository '%s' names index-%llu, and the newest there is is "
		"index-%llu: the copy is incomplete, or a snapshot is being written; copy it "
		"again",
		store->uri, (unsigned long long)latest, (unsigned long long)generation);
}

static int find_index(struct repository *repository, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LISTING_ARENA_LIMIT);
	struct blob_listing root;
	uint64_t generation = 0;
	struct str newest;
	int rc = blob_store_list(repository->store, STR(""), &mem, &root, err);

	if (rc < 0)
		return rc;
	newest = newest_index(&root, &generation);
	repository->has_ids = newest.len > 0;
	if (!repository->has_ids && holds(&root, OLD_INDEX))
		newest = OLD_INDEX;
	if (newest.len == 0)
		return no_index(repository->store, err);
	repository->index_blob = arena_str(&repository->mem, newest);
	if (!repository->index_blob.ptr)
		return arena_fail(&repository->mem, "a blob's name", err);
	return repository->has_ids ? check_latest(repository->store, &root, generation, &mem, err)
				   : 0;
}

static int load(struct repository *repository, struct err *err)
{
	struct str text;
	int rc = find_index(repository, err);

	if (rc < 0)
		return rc;
	rc = blob_store_read(repository->store, repository->index_blob, &repository->mem,
			     LIMIT_REPOSITORY_INDEX, &text, err);
	if (rc == 0 && !repository->has_ids)
		rc = text_blob_expand(text, &repository->mem, &text, err);
	if (rc == 0)
		rc = repository_parse(repository, text, err);
	if (rc < 0)
		return err_wrap(err, "blob '" STR_FMT "' of repository '%s'",
				STR_ARG(repository->index_blob), repository->store->uri);
	return repository->has_ids ? repository_add_incompatible(repository, err) : 0;
}

int repository_open(struct blob_store *store, struct repository **out, struct err *err)
{
	cleanup(repository_closep) struct repository *repository = mem_zalloc(sizeof(*repository));
	int rc;

	repository->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	repository->store = store;
	rc = load(repository, err);
	if (rc == 0)
		*out = take(repository);
	return rc;
}

void repository_close(struct repository *repository)
{
	if (!repository)
		return;
	arena_release(&repository->mem);
	free(repository);
}

void repository_closep(struct repository **repository)
{
	repository_close(*repository);
	*repository = NULL;
}

const struct snapshot_summary *repository_snapshots(const struct repository *repository,
						    size_t *count)
{
	*count = repository->snapshot_count;
	return repository->snapshots;
}
