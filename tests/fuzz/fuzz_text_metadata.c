/* The texts that Elasticsearch 1 keeps as metadata, maybe compressed, each in a repository that is
 * otherwise sound. The first byte says which one it is. */
#include "snapshot/repository.h"
#include "memory_store.h"
#include "fuzz.h"

static const char *const names[] = {
	"index",      "snapshot-s", "indices/books/snapshot-s", "indices/books/0/snapshot-s",
	"metadata-s",
};

static struct memory_store *make_repository(void)
{
	struct memory_store *memory = memory_store_new();

	memory_store_put_text(memory, "index", "{\"snapshots\":[\"s\"]}");
	memory_store_put_text(memory, "snapshot-s",
			      "{\"snapshot\":{\"name\":\"s\",\"indices\":[\"books\"],"
			      "\"state\":\"SUCCESS\",\"total_shards\":1,\"failures\":[]}}");
	memory_store_put_text(memory, "indices/books/snapshot-s",
			      "{\"books\":{\"settings\":{\"index.number_of_shards\":\"1\"}}}");
	memory_store_put_text(memory, "indices/books/0/snapshot-s",
			      "{\"files\":[{\"name\":\"__0\",\"physical_name\":\"segments_1\","
			      "\"length\":3,\"meta_hash\":\"YWJj\"}]}");
	memory_store_put_text(memory, "indices/books/0/__0", "abc");
	memory_store_put_text(memory, "metadata-s", "{\"meta-data\":{}}");
	return memory;
}

static void check_told(int code, const struct err *err)
{
	if (code < 0 && !err->message[0])
		BUG("an error that says nothing");
}

static void read_shard(const struct snapshot *snapshot, const struct snapshot_index *index)
{
	cleanup(snapshot_shard_closep) struct snapshot_shard *shard = NULL;
	struct bytes_source *source;
	struct err err = {0};
	int rc = snapshot_shard_open(snapshot, index, 0, &shard, &err);

	check_told(rc, &err);
	for (size_t i = 0; rc == 0 && i < shard->file_count; i++)
		if (lucene_directory_open(shard->directory, shard->files[i].physical_name, &source,
					  &err) == 0)
			bytes_source_close(source);
}

static void read_snapshot(const struct snapshot *snapshot)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
	struct index_metadata metadata;
	struct json *global;
	struct err err = {0};

	check_told(snapshot_global_metadata(snapshot, &mem, &global, &err), &err);
	for (size_t i = 0; i < MIN(snapshot->index_count, (size_t)10); i++) {
		const struct snapshot_index *index = &snapshot->indices[i];

		if (snapshot_find_index(snapshot, index->name) != index)
			BUG("an index is not found by its name");
		check_told(snapshot_index_metadata(snapshot, index, &mem, &metadata, &err), &err);
		read_shard(snapshot, index);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_store *memory = make_repository();
	struct repository *repository = NULL;
	struct snapshot *snapshot = NULL;
	struct err err = {0};
	int rc;

	memory_store_put(memory, names[size ? data[0] % COUNT_OF(names) : 0],
			 str_of(data + 1, size ? size - 1 : 0));
	rc = repository_open(memory_store_blobs(memory), &repository, &err);
	if (rc == 0)
		rc = snapshot_open(repository, STR("s"), &snapshot, &err);
	check_told(rc, &err);
	if (rc == 0)
		read_snapshot(snapshot);
	snapshot_close(snapshot);
	repository_close(repository);
	memory_store_free(memory);
	return 0;
}
