/* Soft deletes: which files say it, and what they say held against the commit.
 *
 * The commit counts the soft-deleted documents that are not hard-deleted too; the set in the doc
 * values may hold both. Source: Lucene 9.12.1 index/PendingSoftDeletes, index/SegmentCommitInfo. */
#include "lucene/soft_deletes.h"

#include "lucene/indexed_disi.h"
#include "lucene/lucene_internal.h"

static const struct field_info *find_soft_deletes(const struct field_infos *infos)
{
	for (size_t i = 0; i < infos->count; i++)
		if (infos->fields[i].soft_deletes &&
		    infos->fields[i].doc_values == DOC_VALUES_NUMERIC)
			return &infos->fields[i];
	return NULL;
}

static int check_range(const struct bytes_source *source, const struct docs_with_field *docs,
		       int32_t max_doc, struct err *err)
{
	uint64_t size = source->size;
	uint64_t end = size < CODEC_FOOTER_LENGTH ? 0 : size - CODEC_FOOTER_LENGTH;
	uint64_t offset = (uint64_t)docs->offset, length = (uint64_t)docs->length;

	/* Negative numbers are too large here. An empty body would leave the header unseen. */
	if (end == 0 || offset > end || length > end - offset ||
	    length > indexed_disi_max_size(max_doc) ||
	    length < (uint64_t)MAX(docs->jump_table_entries, 0) * 8)
		return err_set(err, ERR_FORMAT,
			       "has %llu bytes, and the set of soft-deleted documents is said to "
			       "lie at %lld with %lld bytes",
			       (unsigned long long)size, (long long)docs->offset,
			       (long long)docs->length);
	return 0;
}

static int apply_set(const struct doc_values_files *files, const struct doc_values_meta *meta,
		     struct arena *mem, struct live_docs *live, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	const struct docs_with_field *docs = &meta->docs;
	struct indexed_disi set = {.little = meta->format->little,
				   .dense_rank_power = docs->dense_rank_power};
	char *range;

	if (lucene_directory_open(files->dir, files->data, &source, err) < 0)
		return -(int)err->kind;
	if (check_range(source, docs, live->max_doc, err) < 0)
		return lucene_file_wrap(files->dir, files->data, err);
	range = arena_alloc(mem, (size_t)docs->length);
	if (!range)
		return arena_fail(mem, "soft-deleted documents", err);
	set.blocks = (struct str){range, (size_t)docs->length -
						 (size_t)MAX(docs->jump_table_entries, 0) * 8};
	/* All of the file: a flipped bit in the set could swap which documents are live and leave
	 * their number as it is. */
	if (doc_values_files_prove(files, meta, source, (uint64_t)docs->offset,
				   (uint64_t)docs->length, range, err) < 0 ||
	    indexed_disi_clear(&set, live, err) < 0)
		return lucene_file_wrap(files->dir, files->data, err);
	return 0;
}

static int apply_files(const struct doc_values_files *files, struct arena *mem,
		       struct live_docs *live, struct err *err)
{
	struct doc_values_meta meta;

	if (doc_values_files_meta(files, mem, &meta, err) < 0)
		return -(int)err->kind;
	if (!meta.found || meta.docs.offset == -2)
		return 0;
	if (meta.docs.bitset || meta.docs.list)
		return err_set(err, ERR_UNSUPPORTED,
			       "'" STR_FMT "' in '%s' has soft deletes in doc values of Lucene 6 "
			       "or before, which had none",
			       STR_ARG(files->meta), files->dir->name);
	if (meta.docs.offset == -1) {
		memset(live->words, 0, ((size_t)live->max_doc + 63) / 64 * 8);
		live->live_count = 0;
		return 0;
	}
	return apply_set(files, &meta, mem, live, err);
}

static int apply(const struct segment_files *segment, struct arena *mem, struct live_docs *live,
		 struct err *err)
{
	const struct segment_commit *commit = segment->commit;
	const struct field_info *newest = find_soft_deletes(segment->newest);
	struct doc_values_files files;

	if (!newest)
		return err_set(err, ERR_FORMAT,
			       "segment '" STR_FMT "' has no field of soft deletes, and the commit "
			       "says %d documents are soft-deleted",
			       STR_ARG(commit->name), commit->soft_del_count);
	if (!live->words)
		live->words = live_docs_all_set(mem, live->max_doc);
	if (!live->words)
		return arena_fail(mem, "live documents", err);
	if (doc_values_files_find(segment, newest, mem, &files, err) < 0)
		return -(int)err->kind;
	return apply_files(&files, mem, live, err);
}

int soft_deletes_apply(const struct segment_files *segment, struct arena *mem,
		       struct live_docs *live, struct err *err)
{
	const struct segment_commit *commit = segment->commit;
	int32_t before = live->live_count, dead;

	if (commit->soft_del_count == 0)
		return 0;
	if (apply(segment, mem, live, err) < 0)
		return -(int)err->kind;
	dead = before - live->live_count;
	if (dead != commit->soft_del_count)
		return err_set(err, ERR_FORMAT,
			       "segment '" STR_FMT "' has %d soft-deleted documents, and the "
			       "commit says %d",
			       STR_ARG(commit->name), dead, commit->soft_del_count);
	return 0;
}
