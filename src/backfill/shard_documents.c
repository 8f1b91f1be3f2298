#include "backfill/shard_documents.h"

#include "base/limits.h"

#include <stdlib.h>

struct shard_documents {
	struct document_source base;
	struct document_source *lucene;
	struct snapshot_shard *shard;
	struct arena mem; /* the plan, and the mapping it is of */
	struct rebuild_plan plan;
};

static struct shard_documents *of(struct document_source *source)
{
	return (struct shard_documents *)source;
}

static int next(struct document_source *source, struct document *out, struct err *err)
{
	return document_source_next(of(source)->lucene, out, err);
}

static uint64_t position(const struct document_source *source)
{
	return document_source_position(((const struct shard_documents *)source)->lucene);
}

static void close_shard(struct document_source *source)
{
	document_source_close(of(source)->lucene);
	snapshot_shard_close(of(source)->shard);
	arena_release(&of(source)->mem);
	free(source);
}

static const struct document_source_ops ops = {next, position, close_shard};

static void shard_closep(struct snapshot_shard **shard)
{
	snapshot_shard_close(*shard);
}

int shard_documents_size(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, uint64_t *bytes, struct err *err)
{
	cleanup(shard_closep) struct snapshot_shard *opened = NULL;
	int rc = snapshot_shard_open(snapshot, index, shard, &opened, err);

	if (rc < 0)
		return rc;
	*bytes = opened->total_bytes;
	return 0;
}

int shard_documents_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, const struct lucene_documents_options *options,
			 struct document_source **out, struct err *err)
{
	cleanup(shard_closep) struct snapshot_shard *opened = NULL;
	struct document_source *lucene;
	struct shard_documents *documents;
	int rc = snapshot_shard_open(snapshot, index, shard, &opened, err);

	if (rc < 0)
		return rc;
	rc = lucene_documents_open(opened->directory, options, &lucene, err);
	if (rc < 0)
		return rc;
	documents = mem_zalloc(sizeof(*documents));
	documents->base.ops = &ops;
	documents->base.total_bytes = lucene->total_bytes;
	documents->lucene = lucene;
	documents->shard = take(opened);
	*out = &documents->base;
	return 0;
}

static int make_plan(const struct snapshot *snapshot, const struct snapshot_index *index,
		     bool synthetic, struct arena *mem, struct rebuild_plan *plan, struct err *err)
{
	struct index_metadata metadata;

	if (snapshot_index_metadata(snapshot, index, mem, &metadata, err) < 0)
		return -(int)err->kind;
	return rebuild_plan_make(metadata.mappings, metadata.created_version, synthetic, mem, plan,
				 err);
}

int shard_documents_open_rebuilt(const struct snapshot *snapshot,
				 const struct snapshot_index *index, int32_t shard, bool synthetic,
				 const struct lucene_documents_options *options,
				 struct document_source **out, struct err *err)
{
	struct shard_documents *documents = mem_zalloc(sizeof(*documents));
	struct lucene_documents_options with = *options;

	documents->base.ops = &ops;
	documents->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	if (make_plan(snapshot, index, synthetic, &documents->mem, &documents->plan, err) < 0)
		goto fail;
	if (options->rebuild_memory)
		documents->plan.indexed_most = options->rebuild_memory;
	documents->plan.tally = options->rebuild_tally;
	documents->plan.shard = shard;
	documents->plan.first_doc = options->first_doc;
	with.rebuild = &documents->plan;
	if (snapshot_shard_open(snapshot, index, shard, &documents->shard, err) < 0 ||
	    lucene_documents_open(documents->shard->directory, &with, &documents->lucene, err) < 0)
		goto fail;
	documents->base.total_bytes = documents->lucene->total_bytes;
	*out = &documents->base;
	return 0;
fail:
	close_shard(&documents->base);
	return -(int)err->kind;
}

size_t shard_documents_parts(const struct document_source *source,
			     const struct checksum_part **parts)
{
	return lucene_documents_parts(((const struct shard_documents *)source)->lucene, parts);
}

int shard_documents_divide(const struct snapshot *snapshot, const struct snapshot_index *index,
			   int32_t shard, uint64_t bytes, struct arena *mem, int64_t **starts,
			   uint64_t **sizes, size_t *count, int64_t *total_docs, struct err *err)
{
	cleanup(shard_closep) struct snapshot_shard *opened = NULL;
	int rc = snapshot_shard_open(snapshot, index, shard, &opened, err);

	if (rc < 0)
		return rc;
	return lucene_documents_divide(opened->directory, bytes, mem, starts, sizes, count,
				       total_docs, err);
}

int shard_documents_check(const struct snapshot *snapshot, const struct snapshot_index *index,
			  int32_t shard, const atomic_bool *cancel, struct err *err)
{
	cleanup(shard_closep) struct snapshot_shard *opened = NULL;
	int rc = snapshot_shard_open(snapshot, index, shard, &opened, err);

	return rc < 0 ? rc : lucene_documents_check(opened->directory, cancel, err);
}
