/* A reader thread: takes shards and turns their documents into bulks. */
#include "backfill/pipeline_internal.h"
#include "backfill/shard_documents.h"
#include "backfill/source_check.h"

#include <stdio.h>

#define PUBLISH_EVERY 1024 /* documents, for progress between two bulks */

struct reader {
	struct pipeline *p;
	struct pooled_bulk *filling; /* NULL: none is held */
	const struct work_shard *shard;
	uint64_t sequence;  /* of the next bulk of the shard */
	struct bulk action; /* scratch, for documents that are not sent */

	/* What was counted since it was last published. */
	uint64_t documents, failed, source_bytes;
	uint64_t position; /* of the source, as published */
};

static const struct backfill_index *index_of(const struct reader *r)
{
	return &r->p->indices[r->shard->index];
}

static void mark_unreadable(struct reader *r, const struct err *err)
{
	struct backfill_index_result *result = &r->p->results[r->shard->index];
	char name[WORK_ITEM_MAX];

	pipeline_work_item(index_of(r), r->shard->shard, name);
	pthread_mutex_lock(&r->p->lock);
	if (!result->unreadable)
		snprintf(result->reason, sizeof(result->reason), "%s: %s", name, err->message);
	result->unreadable = true;
	pthread_mutex_unlock(&r->p->lock);
}

static void publish(struct reader *r, const struct document_source *source)
{
	struct backfill_index_result *result = &r->p->results[r->shard->index];
	struct progress *progress = r->p->progress;
	uint64_t position = document_source_position(source);

	pthread_mutex_lock(&r->p->lock);
	result->documents += r->documents;
	result->failed += r->failed;
	result->source_bytes += r->source_bytes;
	pthread_mutex_unlock(&r->p->lock);
	atomic_fetch_add(&progress->documents_read, r->documents);
	atomic_fetch_add(&progress->documents_failed, r->failed);
	atomic_fetch_add(&progress->bytes_read, position - r->position);
	r->documents = r->failed = r->source_bytes = 0;
	r->position = position;
}

/* Hands the bulk on; the reader holds none after. */
static void push(struct reader *r)
{
	struct pooled_bulk *bulk = r->filling;

	if (!bulk)
		return;
	r->filling = NULL;
	bulk->index = r->shard->index;
	bulk->origin = (struct bulk_origin){.index = index_of(r)->target_name,
					    .shard = r->shard->shard,
					    .sequence = r->sequence++};
	if (!bounded_queue_push(r->p->queue, bulk, bulk->bulk.body.len))
		bulk_pool_give(r->p->pool, bulk);
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
	if (!r->p->failed)
		return 0;
	pipeline_work_item(index_of(r), r->shard->shard, work_item);
	record.work_item = str_from(work_item);
	empty.source = STR_NONE;
	bulk_reset(&r->action);
	if (bulk_add(&r->action, &empty, NULL) == 0)
		record.action = str_of(r->action.body.ptr, r->action.items[0].source_start - 1);
	return failed_documents_add(r->p->failed, &record, err);
}

static struct bulk_document to_send(const struct reader *r, const struct document *document)
{
	struct bulk_document out = {.index = index_of(r)->target_name,
				    .id = document->id,
				    .routing = document->routing,
				    .source = document->source};

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
		if (refuse(r, &out, refusal, &err) == 0)
			return true;
		pipeline_stop(r->p, &err);
		return false;
	}
	r->source_bytes += document->source.len;
	if (!hold_room_for(r, bulk_size_of(&out)))
		return false;
	if (bulk_add(&r->filling->bulk, &out, NULL) < 0)
		BUG("a bulk that has room refuses a document");
	return true;
}

static int copy_documents(struct reader *r, struct document_source *source, struct err *err)
{
	uint64_t bulks = r->sequence;
	struct document document;
	int rc = 0;

	while (!pipeline_stopping(r->p) &&
	       (rc = document_source_next(source, &document, err)) > 0) {
		if (!deliver(r, &document))
			break;
		if (bulks == r->sequence && r->documents < PUBLISH_EVERY)
			continue;
		bulks = r->sequence;
		publish(r, source);
	}
	publish(r, source);
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

static int open_shard(struct reader *r, struct document_source **source, struct err *err)
{
	char name[WORK_ITEM_MAX];
	struct str failure;

	pipeline_work_item(index_of(r), r->shard->shard, name);
	failure = failure_in_snapshot(r->p->snapshot, name);
	if (failure.ptr)
		return err_set(err, ERR_UNREADABLE, "failed when the snapshot was taken: " STR_FMT,
			       STR_ARG(failure));
	return shard_documents_open(r->p->snapshot, index_of(r)->source, r->shard->shard, NULL,
				    source, err);
}

static void read_shard(struct reader *r)
{
	struct document_source *source = NULL;
	struct progress *progress = r->p->progress;
	struct err err;
	int rc = open_shard(r, &source, &err);

	r->sequence = r->position = 0;
	work_list_opened(r->p->work, r->shard, rc < 0 ? 0 : source->total_bytes,
			 &progress->bytes_total);
	if (rc == 0)
		rc = copy_documents(r, source, &err);
	if (rc < 0)
		mark_unreadable(r, &err);
	push(r);
	document_source_close(source);
	atomic_fetch_add(&progress->shards_done, 1);
}

void *reader_main(void *pipeline)
{
	struct reader r = {.p = pipeline};

	bulk_init(&r.action, KIB(64));
	while (!pipeline_stopping(r.p) && (r.shard = work_list_next(r.p->work)))
		read_shard(&r);
	bulk_release(&r.action);
	pthread_mutex_lock(&r.p->lock);
	if (--r.p->readers_left == 0)
		bounded_queue_close(r.p->queue);
	pthread_mutex_unlock(&r.p->lock);
	return NULL;
}
