/* A reader thread: claims work items and turns their documents into bulks. */
#include "backfill/pipeline_internal.h"
#include "backfill/shard_documents.h"
#include "backfill/source_check.h"

#include <stdio.h>

#define PUBLISH_EVERY 1024 /* documents, for progress between two bulks */

struct reader {
	struct pipeline *p;
	struct pooled_bulk *filling; /* NULL: none is held */
	struct item *item;
	struct document_source *source;
	struct bulk action; /* scratch, for documents that are not sent */

	/* Acknowledged before a restart, and passed over. */
	const struct doc_range *skip;
	size_t skips;

	int64_t seen;              /* past the last document taken up */
	struct item_counts counts; /* since the last bulk */

	/* What was counted since it was last published. */
	uint64_t documents, failed;
	uint64_t position; /* of the source, as published */
};

static const struct backfill_index *index_of(const struct reader *r)
{
	return &r->p->indices[r->item->index];
}

static void publish(struct reader *r)
{
	struct progress *progress = r->p->progress;
	uint64_t position = document_source_position(r->source);

	atomic_fetch_add(&progress->documents_read, r->documents);
	atomic_fetch_add(&progress->documents_failed, r->failed);
	atomic_fetch_add(&progress->bytes_read, position - r->position);
	r->documents = r->failed = 0;
	r->position = position;
}

static uint64_t next_sequence(struct pipeline *p, size_t index, int32_t shard)
{
	return atomic_fetch_add(&p->sequences[p->first_sequence[index] + (size_t)shard], 1);
}

/* Hands the bulk on; the reader holds none after. */
static void push(struct reader *r)
{
	struct pooled_bulk *bulk = r->filling;
	int32_t shard = r->item->claim.item.shard;
	const struct checksum_part *parts;
	size_t part_count;

	if (!bulk)
		return;
	r->filling = NULL;
	part_count = shard_documents_parts(r->source, &parts);
	bulk->item = r->item;
	bulk->covers = item_add_bulk(r->item, r->seen, parts, part_count);
	bulk->counts = r->counts;
	bulk->origin = (struct bulk_origin){.index = index_of(r)->target_name,
					    .shard = shard,
					    .sequence = next_sequence(r->p, r->item->index, shard)};
	r->counts = (struct item_counts){0};
	item_hold(r->item);
	if (!bounded_queue_push(r->p->queue, bulk, bulk->bulk.body.len)) {
		item_drop(r->item);
		bulk_pool_give(r->p->pool, bulk);
	}
}

/* False when the run is stopped. */
static bool hold_room_for(struct reader *r, size_t size)
{
	const struct bulk *bulk = r->filling ? &r->filling->bulk : NULL;

	if (bulk &&
	    (size > bulk->body.limit - bulk->body.len || bulk->count >= r->p->documents_per_bulk))
		push(r);
	if (!r->filling)
		r->filling = bulk_pool_take(r->p->pool, size);
	return r->filling != NULL;
}

/* Puts the document on record as one that was never sent. */
static int refuse(struct reader *r, const struct bulk_document *document, const char *reason,
		  struct err *err)
{
	struct bulk_document empty = *document;
	struct failed_document record = {.target_index = document->index,
					 .id = document->id,
					 .failure_type = STR("shardlift_source_exception"),
					 .reason = str_from(reason),
					 .source = document->source};
	char work_item[WORK_ITEM_MAX];

	r->failed++;
	r->counts.failed++;
	if (!r->p->failed)
		return 0;
	pipeline_work_item(index_of(r), r->item->claim.item.shard, work_item);
	record.work_item = str_from(work_item);
	empty.source = STR_NONE;
	bulk_reset(&r->action);
	if (bulk_add(&r->action, &empty, NULL) == 0)
		record.action = str_of(r->action.body.ptr, r->action.items[0].source_start - 1);
	return failed_documents_add(r->p->failed, &record, err);
}

static struct bulk_document to_send(const struct reader *r, const struct document *document)
{
	const struct backfill_options *options = r->p->options;
	struct bulk_document out = {.index = index_of(r)->target_name,
				    .id = options->ids == BACKFILL_IDS_KEEP ? document->id
									    : STR_NONE,
				    .routing = document->routing,
				    .source = document->source,
				    .operation = options->operation,
				    .version = document->version,
				    .external = options->source_versions && document->version >= 0};

	if (r->p->options->emit_type || r->p->options->keep_type)
		out.type = document->type.ptr ? document->type : index_of(r)->only_type;
	if (r->p->options->emit_type && !out.type.ptr)
		out.type = STR("_doc");
	return out;
}

/* Why a document is not even sent, or NULL. */
static const char *refusal_of(const struct document *document)
{
	if (document->problem)
		return document->problem;
	return document->source.ptr ? source_check(document->source)
				    : "no _source is stored for this document";
}

/* False when the run is stopped. */
static bool deliver(struct reader *r, const struct document *document)
{
	struct bulk_document out = to_send(r, document);
	const char *refusal = refusal_of(document);
	struct err err;

	r->documents++;
	if (UNLIKELY(refusal)) {
		r->counts.documents++;
		if (refuse(r, &out, refusal, &err) == 0)
			return true;
		pipeline_stop(r->p, &err);
		return false;
	}
	if (!hold_room_for(r, bulk_size_of(&out)))
		return false;
	if (bulk_add(&r->filling->bulk, &out, NULL) < 0)
		BUG("a bulk that has room refuses a document");
	r->counts.documents++;
	r->counts.source_bytes += document->source.len;
	return true;
}

/* Acknowledged before a restart. */
static bool is_done(struct reader *r, int64_t doc)
{
	while (r->skips && doc >= r->skip->end) {
		r->skip++;
		r->skips--;
	}
	return r->skips && doc >= r->skip->first;
}

/* 0: to the end; 1: it was stopped. */
static int copy_documents(struct reader *r, struct err *err)
{
	const struct pooled_bulk *bulk = NULL;
	struct document document;
	int rc;

	while ((rc = document_source_next(r->source, &document, err)) > 0) {
		if (pipeline_stopping(r->p) || !item_is_open(r->item))
			break;
		if (UNLIKELY(r->skips) && is_done(r, document.doc))
			continue;
		/* A bulk that it does not fit into ends here: nothing lies between. */
		r->seen = document.doc;
		if (!deliver(r, &document))
			break;
		r->seen = document.doc + 1;
		if (bulk == r->filling && r->documents < PUBLISH_EVERY)
			continue;
		bulk = r->filling;
		publish(r);
	}
	publish(r);
	return rc;
}

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

static int open_documents(struct reader *r, struct err *err)
{
	const struct work_item *item = &r->item->claim.item;
	struct lucene_documents_options options = {
		.first_doc = r->seen,
		.end_doc = item->end_doc == WORK_TO_END ? 0 : item->end_doc,
		.versions = r->p->options->source_versions,
	};
	char name[WORK_ITEM_MAX];
	struct str failure;

	pipeline_work_item(index_of(r), item->shard, name);
	failure = failure_in_snapshot(r->p->snapshot, name);
	if (failure.ptr)
		return err_set(err, ERR_UNREADABLE, "failed when the snapshot was taken: " STR_FMT,
			       STR_ARG(failure));
	return shard_documents_open(r->p->snapshot, index_of(r)->source, item->shard, &options,
				    &r->source, err);
}

/* Reads what is left of it; 0: to the end; 1: it was stopped. */
static int read_documents(struct reader *r, struct err *err)
{
	const struct work_claim *claim = &r->item->claim;
	int rc;

	if (r->seen >= claim->item.end_doc) {
		work_bytes_open(r->p->bytes, &claim->item, &claim->progress, 0);
		return 0;
	}
	rc = open_documents(r, err);
	work_bytes_open(r->p->bytes, &claim->item, &claim->progress,
			rc < 0 ? 0 : r->source->total_bytes);
	if (rc < 0)
		return rc;
	rc = copy_documents(r, err);
	push(r);
	return rc;
}

static int end_reading(struct reader *r, const struct err *failure, struct err *err)
{
	int64_t end_doc = r->item->claim.item.end_doc;
	struct item_reading reading = {.end_doc = end_doc == WORK_TO_END ? r->seen : end_doc,
				       .rest = r->counts,
				       .failure = failure};

	if (r->source)
		reading.part_count = shard_documents_parts(r->source, &reading.parts);
	return item_end_reading(r->item, &reading, err);
}

static void read_item(struct reader *r)
{
	struct err failure, err;
	int rc;

	r->counts = (struct item_counts){0};
	r->position = 0;
	r->seen = item_begin(r->item, &r->skip, &r->skips);
	rc = read_documents(r, &failure);
	if (rc <= 0 && end_reading(r, rc < 0 ? &failure : NULL, &err) < 0)
		pipeline_stop(r->p, &err);
	document_source_close(r->source);
	r->source = NULL;
}

void *reader_main(void *pipeline)
{
	struct reader r = {.p = pipeline};

	bulk_init(&r.action, KIB(64));
	while ((r.item = claims_next(r.p))) {
		read_item(&r);
		item_drop(r.item);
	}
	bulk_release(&r.action);
	pthread_mutex_lock(&r.p->lock);
	if (--r.p->readers_left == 0)
		bounded_queue_close(r.p->queue);
	pthread_mutex_unlock(&r.p->lock);
	return NULL;
}
