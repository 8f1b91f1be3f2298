/* The SMILE of an index's metadata (first byte even) or of a shard's list of files (odd), in a
 * repository that is otherwise sound. */
#include "snapshot/repository.h"
#include "memory_store.h"
#include "fuzz.h"

static struct memory_store *make_repository(void)
{
	struct memory_store *memory = memory_store_new();

	memory_store_put_text(memory, "index-0",
			      "{\"snapshots\":[{\"name\":\"s\",\"uuid\":\"U\"}],\"indices\":{"
			      "\"books\":{\"id\":\"I\",\"snapshots\":[\"U\"]}}}");
	memory_store_put_dat(memory, "snap-U.dat", "snapshot",
			     "{\"snapshot\":{\"name\":\"s\",\"state\":\"SUCCESS\","
			     "\"indices\":[\"books\"]}}");
	return memory;
}

static void read_metadata(const struct snapshot *snapshot)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(512));
	struct index_metadata metadata;
	struct err err = {0};

	if (snapshot_index_metadata(snapshot, snapshot->indices, &mem, &metadata, &err) < 0)
		return;
	json_write(&out, metadata.settings);
	json_write(&out, metadata.mappings);
	json_write(&out, metadata.aliases);
}

static void read_shard(const struct snapshot *snapshot)
{
	cleanup(snapshot_shard_closep) struct snapshot_shard *shard = NULL;
	struct bytes_source *source;
	struct err err = {0};

	if (snapshot_shard_open(snapshot, snapshot->indices, 0, &shard, &err) < 0)
		return;
	for (size_t i = 0; i < shard->file_count; i++)
		if (lucene_directory_open(shard->directory, shard->files[i].physical_name, &source,
					  &err) == 0)
			bytes_source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct memory_store *memory = make_repository();
	cleanup(repository_closep) struct repository *repository = NULL;
	cleanup(snapshot_closep) struct snapshot *snapshot = NULL;
	struct str smile = str_of(data + 1, size ? size - 1 : 0);
	bool list = size && data[0] & 1;
	struct err err = {0};

	memory_store_put(memory, list ? "indices/I/0/snap-U.dat" : "indices/I/meta-U.dat",
			 enveloped(list ? "snapshot" : "index-metadata", smile, &mem));
	if (repository_open(memory_store_blobs(memory), &repository, &err) < 0 ||
	    snapshot_open(repository, STR("s"), &snapshot, &err) < 0)
		BUG(err.message);
	if (list)
		read_shard(snapshot);
	else
		read_metadata(snapshot);
	memory_store_free(memory);
	return 0;
}
