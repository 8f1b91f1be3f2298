/* The list of an index's hashed paths; the first byte is type and shard. What is found must lie at
 * the shard's own end of a path. */
#include "snapshot/shard_path.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct snapshot_index index = {.name = STR("logs"), .id = STR("XygYVwqZQmmRBYlH78v-rQ")};
	int32_t shard = size > 0 ? data[0] >> 1 & 3 : 0;
	struct str list = str_of(data + 1, size ? size - 1 : 0), end;
	struct shard_path path;
	struct err err = {0};

	index.shard_path_type =
		size && data[0] & 1 ? SHARD_PATH_HASHED_PREFIX : SHARD_PATH_HASHED_INFIX;
	if (shard_path_parse(list, &index, shard, &mem, &path, &err) < 0) {
		if (!err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	end = arena_printf(&mem, "/indices/" STR_FMT "/%d", STR_ARG(index.id), shard);
	if (!str_ends(path.folder, end))
		BUG("a path of something else");
	return 0;
}
