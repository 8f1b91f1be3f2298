#include "lucene/segment_reader.h"

#include "base/limits.h"
#include "lucene/compound.h"
#include "lucene/lucene_internal.h"
#include "lucene/soft_deletes.h"

#include <stdlib.h>

static int check_counts(const struct segment_commit *commit, int32_t max_doc, struct err *err)
{
	if ((int64_t)commit->del_count + commit->soft_del_count > max_doc)
		return err_set(err, ERR_FORMAT,
			       "segment '" STR_FMT "' has %d documents, fewer than the commit's %d "
			       "deleted and %d soft-deleted ones",
			       STR_ARG(commit->name), max_doc, commit->del_count,
			       commit->soft_del_count);
	return 0;
}

/* The base .fnm lies with the segment's own files, newer generations always outside of them. */
static int read_live(struct segment_reader *segment, struct err *err)
{
	const struct segment_commit *commit = &segment->commit;
	const struct segment_files *files = &segment->files;

	if (field_infos_read(files->inner, commit->name, -1, commit->id, &segment->mem,
			     &segment->base_infos, err) < 0)
		return -(int)err->kind;
	segment->field_infos = segment->base_infos;
	if (commit->field_infos_gen >= 0 &&
	    field_infos_read(files->outer, commit->name, commit->field_infos_gen, commit->id,
			     &segment->mem, &segment->field_infos, err) < 0)
		return -(int)err->kind;
	if (live_docs_read(files->outer, commit, segment->info.max_doc, &segment->mem,
			   &segment->live, err) < 0)
		return -(int)err->kind;
	return soft_deletes_apply(files, &segment->mem, &segment->live, err);
}

static int read_segment(struct segment_reader *segment, struct lucene_directory *outer,
			struct err *err)
{
	const struct segment_commit *commit = &segment->commit;
	struct lucene_directory *inner = outer;

	if (segment_info_read(outer, commit->name, commit->id, &segment->mem, &segment->info, err) <
		    0 ||
	    check_counts(commit, segment->info.max_doc, err) < 0)
		return -(int)err->kind;
	if (segment->info.compound) {
		if (compound_open(outer, commit->name, commit->id, &segment->compound, err) < 0)
			return -(int)err->kind;
		inner = segment->compound;
	}
	segment->files = (struct segment_files){.outer = outer,
						.inner = inner,
						.commit = commit,
						.base = &segment->base_infos,
						.newest = &segment->field_infos,
						.max_doc = segment->info.max_doc};
	if (read_live(segment, err) < 0)
		return -(int)err->kind;
	return stored_fields_open(inner, commit->name, commit->id, segment->info.max_doc,
				  &segment->stored, err);
}

int segment_reader_open(struct lucene_directory *dir, const struct segment_commit *commit,
			struct segment_reader **out, struct err *err)
{
	struct segment_reader *segment = mem_zalloc(sizeof(*segment));

	segment->mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	segment->commit = *commit;
	segment->proven = proven_files_new();
	if (read_segment(segment, dir, err) < 0) {
		segment_reader_close(segment);
		return -(int)err->kind;
	}
	*out = segment;
	return 0;
}

void segment_reader_close(struct segment_reader *segment)
{
	if (!segment)
		return;
	stored_fields_close(segment->stored);
	proven_files_free(segment->proven);
	lucene_directory_close(segment->compound);
	arena_release(&segment->mem);
	free(segment);
}
