#include "backfill/reader_source.h"

#include "backfill/delta_shard.h"
#include "backfill/shard_documents.h"

/* The reason the snapshot gives when it could not take the shard; ptr NULL: it could. */
static struct str failure_in_snapshot(const struct snapshot *snapshot, const char *shard_name)
{
	for (size_t i = 0; i < snapshot->failure_count; i++) {
		struct str failure = snapshot->failures[i];

		if (str_starts(failure, str_from(shard_name)) &&
		    str_starts(str_from_offset(failure, strlen(shard_name)), STR(": ")))
			return str_from_offset(failure, strlen(shard_name) + 2);
	}
	return STR_NONE;
}

/* `which` snapshot it is, for the message. */
static int check_was_taken(const struct snapshot *snapshot, const char *which,
			   const struct backfill_index *index, int32_t shard, struct err *err)
{
	char name[WORK_ITEM_MAX];
	struct str failure;

	pipeline_work_item(index, shard, name);
	failure = failure_in_snapshot(snapshot, name);
	if (!failure.ptr)
		return 0;
	return err_set(err, ERR_UNREADABLE, "failed when the %s was taken: " STR_FMT, which,
		       STR_ARG(failure));
}

static int64_t end_of(const struct work_item *item)
{
	return item->end_doc == WORK_TO_END ? 0 : item->end_doc;
}

static int open_delta(const struct pipeline *p, const struct item *item, int64_t first_doc,
		      struct document_source **out, struct err *err)
{
	const struct backfill_index *index = &p->indices[item->index];
	const struct work_item *work = &item->claim.item;
	const struct delta_options options = {
		.mode = p->options->delta_mode,
		.versions = p->options->source_versions,
		.first_doc = first_doc,
		.end_doc = end_of(work),
	};

	if (check_was_taken(p->options->previous, "previous snapshot", index, work->shard, err) <
		    0 ||
	    delta_shard_check(p->options->previous, p->snapshot, index->source, err) < 0)
		return -(int)err->kind;
	return delta_shard_open(p->options->previous, p->snapshot, index->source, work->shard,
				&options, out, err);
}

int reader_source_open(const struct pipeline *p, const struct item *item, int64_t first_doc,
		       struct document_source **out, struct err *err)
{
	const struct backfill_index *index = &p->indices[item->index];
	const struct work_item *work = &item->claim.item;
	const struct lucene_documents_options options = {
		.first_doc = first_doc,
		.end_doc = end_of(work),
		.versions = p->options->source_versions,
		.recovery_source = p->options->recovery_source,
		.rebuild_memory = (size_t)p->options->sourceless_memory,
		.rebuild_tally = index->tally,
	};
	int rc;

	if (p->options->files) {
		struct file_documents_options files = *p->options->files;

		files.first_doc = first_doc;
		return file_documents_open(&files, out, err);
	}
	if (p->options->live)
		return live_shard_open(p->options->live, pipeline_live_place(p, item->index),
				       index->source->name, work->shard, first_doc,
				       p->options->source_versions, out, err);
	rc = check_was_taken(p->snapshot, "snapshot", index, work->shard, err);

	if (rc < 0)
		return rc;
	if (p->options->previous)
		return open_delta(p, item, first_doc, out, err);
	if (index->rebuild)
		return shard_documents_open_rebuilt(p->snapshot, index->source, work->shard,
						    index->synthetic, &options, out, err);
	return shard_documents_open(p->snapshot, index->source, work->shard, &options, out, err);
}

size_t reader_source_parts(const struct pipeline *p, const struct document_source *source,
			   const struct checksum_part **parts)
{
	*parts = NULL;
	return p->options->previous || p->options->live || p->options->files
		       ? 0
		       : shard_documents_parts(source, parts);
}

int reader_source_end(const struct pipeline *p, const struct item *item, int64_t first_doc,
		      struct err *err)
{
	if (!p->options->previous || first_doc == 0)
		return 0;
	return shard_documents_check(p->snapshot, p->indices[item->index].source,
				     item->claim.item.shard, p->cancel, err);
}
