/* index-N, and the snapshot "s" of uuid "U" as it says. */
#include "snapshot/repository.h"
#include "memory_store.h"
#include "fuzz.h"

static void walk(struct repository *repository)
{
	cleanup(snapshot_closep) struct snapshot *snapshot = NULL;
	struct err err = {0};
	size_t count;

	repository_snapshots(repository, &count);
	if (snapshot_open(repository, STR("s"), &snapshot, &err) < 0) {
		if (!err.message[0])
			BUG("an error that says nothing");
		return;
	}
	for (size_t i = 0; i < snapshot->index_count; i++)
		if (snapshot_find_index(snapshot, snapshot->indices[i].name) !=
		    &snapshot->indices[i])
			BUG("an index is not found by its name");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_store *memory = memory_store_new();
	struct repository *repository;
	struct err err = {0};

	memory_store_put(memory, "index-0", str_of(data, size));
	memory_store_put_dat(memory, "snap-U.dat", "snapshot",
			     "{\"snapshot\":{\"name\":\"s\",\"state\":\"FAILED\"}}");
	if (repository_open(memory_store_blobs(memory), &repository, &err) == 0) {
		walk(repository);
		repository_close(repository);
	} else if (!err.message[0]) {
		BUG("an error that says nothing");
	}
	memory_store_free(memory);
	return 0;
}
