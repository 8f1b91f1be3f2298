#include "documents/lucene_documents.h"

#include "base/limits.h"
#include "lucene/segment_reader.h"

static void close_segment(struct segment_reader **segment)
{
	segment_reader_close(*segment);
}

static int summarise(struct lucene_directory *dir, const struct segment_commit *commit,
		     struct arena *mem, struct segment_summary *out, struct err *err)
{
	cleanup(close_segment) struct segment_reader *segment = NULL;
	const struct lucene_version *version;

	if (segment_reader_open(dir, commit, &segment, err) < 0)
		return -(int)err->kind;
	version = &segment->info.version;
	*out = (struct segment_summary){
		.name = arena_str(mem, commit->name),
		.version = arena_printf(mem, "%d.%d.%d", version->major, version->minor,
					version->bugfix),
		.info_format = arena_str(mem, segment->info.format),
		.fields_format = arena_str(mem, segment->field_infos.format),
		.stored_format = arena_str(mem, stored_fields_format(segment->stored)),
		.compound = segment->info.compound,
		.max_doc = segment->info.max_doc,
		.live_docs = segment->live.live_count,
		.deleted_docs = commit->del_count,
		.soft_deleted_docs = commit->soft_del_count,
		.stored_bytes = stored_fields_size(segment->stored),
	};
	if (!out->name.ptr || !out->version.ptr || !out->info_format.ptr ||
	    !out->fields_format.ptr || !out->stored_format.ptr)
		return arena_fail(mem, "the summary of segments", err);
	return 0;
}

int lucene_segments_summarise(struct lucene_directory *dir, struct arena *mem,
			      struct segment_summary **out, size_t *count, struct err *err)
{
	cleanup(arena_release) struct arena commit_mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct segment_infos infos;

	if (segment_infos_read(dir, &commit_mem, &infos, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, infos.count, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the summary of segments", err);
	for (size_t i = 0; i < infos.count; i++)
		if (summarise(dir, &infos.segments[i], mem, &(*out)[i], err) < 0)
			return -(int)err->kind;
	*count = infos.count;
	return 0;
}
