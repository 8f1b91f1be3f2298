#include "workflow/routes/input_snapshot.h"

#include "base/json_hash.h"

#include <inttypes.h>

static uint64_t identity_of(const struct file_documents_options *options)
{
	const struct str texts[] = {options->index, options->id_field, options->routing_field};
	uint64_t h = (uint64_t)options->format * 2 + options->remove_id_field;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		h = h * 0x100000001b3 ^ (texts[i].ptr ? bytes_hash(texts[i]).low : i);
	for (size_t i = 0; i < options->files->count; i++)
		h = h * 0x100000001b3 ^ options->files->files[i].identity;
	return h;
}

int input_snapshot_new(const struct file_documents_options *options, struct str name,
		       struct snapshot **out, struct err *err)
{
	cleanup(snapshot_closep) struct snapshot *snapshot = mem_zalloc(sizeof(*snapshot));
	struct arena *mem = &snapshot->mem;
	struct index_metadata *metadata;

	*mem = ARENA_INIT(MIB(16));
	snapshot->indices = arena_zalloc(mem, 1, sizeof(*snapshot->indices));
	metadata = arena_zalloc(mem, 1, sizeof(*metadata));
	if (mem->failed)
		return arena_fail(mem, "the names of files", err);
	name = arena_str(mem, name);
	snapshot->indices[snapshot->index_count++] =
		(struct snapshot_index){.name = name, .id = name};
	*metadata = (struct index_metadata){.name = name,
					    .shard_count = 1,
					    .settings = json_new(mem, JSON_OBJECT),
					    .mappings = json_new(mem, JSON_OBJECT),
					    .aliases = json_new(mem, JSON_OBJECT)};
	snapshot->live = metadata;
	snapshot->summary = (struct snapshot_summary){
		.name = arena_printf(mem, "%zu file%s of %" PRIu64 " bytes, %016" PRIx64,
				     options->files->count, options->files->count == 1 ? "" : "s",
				     options->files->bytes, identity_of(options)),
		.uuid = STR("files"),
		.version = STR("files"),
		.state = STR("SUCCESS")};
	if (mem->failed)
		return arena_fail(mem, "the names of files", err);
	*out = take(snapshot);
	return 0;
}
