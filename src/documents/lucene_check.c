#include "documents/lucene_documents.h"

#include "base/limits.h"
#include "lucene/segment_reader.h"

static void close_segment(struct segment_reader **segment)
{
	segment_reader_close(*segment);
}

static int check_segment(struct lucene_directory *dir, const struct segment_commit *commit,
			 const atomic_bool *cancel, struct err *err)
{
	cleanup(close_segment) struct segment_reader *segment = NULL;
	struct stored_chunk chunk;
	int got;

	if (segment_reader_open(dir, commit, &segment, err) < 0)
		return -(int)err->kind;
	stored_fields_limit(segment->stored, 0, 0);
	while ((got = stored_fields_next_chunk(segment->stored, NULL, &chunk, err)) > 0)
		if (atomic_load_explicit(cancel, memory_order_relaxed))
			return err_set(err, ERR_CANCELLED, "interrupted");
	return got;
}

int lucene_documents_check(struct lucene_directory *dir, const atomic_bool *cancel, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct segment_infos infos;
	int rc = segment_infos_read(dir, &mem, &infos, err);

	for (size_t i = 0; rc == 0 && i < infos.count; i++)
		rc = check_segment(dir, &infos.segments[i], cancel, err);
	return rc;
}
