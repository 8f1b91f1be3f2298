/* A reader thread: claims work items and turns their documents into bulks. */
#include "backfill/ids_under_way.h"
#include "backfill/pipeline_internal.h"
#include "backfill/reader_batch.h"
#include "backfill/reader_source.h"
#include "backfill/source_check.h"
#include "base/log.h"

#include <stdio.h>

#define PUBLISH_EVERY 1024 /* documents, for progress between two bulks */
/* A larger batch for a transform gains nothing. */
#define BATCH_BYTES KIB(256)

struct reader {
	struct pipeline *p;
	struct pooled_bulk *filling; /* NULL: none is held */
	struct item *item;
	struct document_source *source;
	struct bulk action; /* scratch, for documents that are not sent */
	struct reader_batch batch;
	struct json_hasher hasher;
	struct ids_under_way ids; /* of a file's documents, not acknowledged for sure */
	struct hash_list hashes;  /* of what was read since the last bulk, for digests */

	/* Acknowledged before a restart, and passed over. */
	const struct doc_range *skip;
	size_t skips;

	int64_t seen;              /* past the last document taken up */
	bool holds_part;           /* the bulk does, of document `seen` */
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
	part_count = reader_source_parts(r->p, r->source, &parts);
	bulk->item = r->item;
	bulk->covers = item_add_bulk(r->item, r->seen, r->holds_part, parts, part_count);
	bulk->counts = r->counts;
	bulk->origin = (struct bulk_origin){.index = index_of(r)->target_name,
					    .shard = shard,
					    .sequence = next_sequence(r->p, r->item->index, shard),
					    .first_doc = bulk->covers.first};
	r->counts = (struct item_counts){0};
	bulk->hashes = r->hashes;
	r->hashes = (struct hash_list){0};
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
static int refuse(struct reader *r, const struct bulk_document *document, struct str type,
		  const char *reason, struct err *err)
{
	struct bulk_document empty = *document;
	struct failed_document record = {.target_index = document->index,
					 .id = document->id,
					 .failure_type = type,
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

static enum bulk_operation operation_of(const struct reader *r, const struct document *document)
{
	if (document->deleted)
		return BULK_DELETE;
	return document->created || index_of(r)->create_only ? BULK_CREATE
							     : r->p->options->operation;
}

static struct bulk_document to_send(const struct reader *r, const struct document *document)
{
	const struct backfill_options *options = r->p->options;
	struct bulk_document out = {
		.index = document->index.len ? document->index : index_of(r)->target_name,
		.id = options->ids == BACKFILL_IDS_KEEP ? document->id : STR_NONE,
		.routing = document->routing,
		.source = document->source,
		.operation = operation_of(r, document),
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
	if (document->deleted)
		return NULL;
	if (document->problem)
		return document->problem;
	return document->source.ptr ? source_check(document->source)
				    : "no _source is stored for this document";
}

/* False when the run is stopped. */
static bool send_document(struct reader *r, const struct bulk_document *document)
{
	if (!hold_room_for(r, bulk_size_of(document)))
		return false;
	if (bulk_add(&r->filling->bulk, document, NULL) < 0)
		BUG("a bulk that has room refuses a document");
	return true;
}

/* False when the run is stopped. */
static bool fail_document(struct reader *r, const struct bulk_document *document, struct str type,
			  const char *reason)
{
	struct err err;

	r->counts.documents++;
	if (refuse(r, document, type, reason, &err) == 0)
		return true;
	pipeline_stop(r->p, &err);
	return false;
}

/* What became of one document in a transform that failed; false when the run is stopped. */
static bool fail_transform(struct reader *r, const struct bulk_document *document,
			   const struct err *error)
{
	struct err stop = *error;

	switch (r->p->options->on_transform_error) {
	case TRANSFORM_ERROR_FAIL:
		/* Whatever the script did, what has to change is the configuration. */
		stop.kind = ERR_USAGE;
		pipeline_stop(r->p, &stop);
		return false;
	case TRANSFORM_ERROR_SKIP:
		log_warn("backfill", "skipped: %s", error->message);
		r->counts.documents++;
		return true;
	case TRANSFORM_ERROR_RECORD:
		break;
	}
	return fail_document(r, document, STR(TRANSFORM_FAILURE_TYPE), error->message);
}

/* One of the batch and what was made of it; false when the run is stopped. */
static bool deliver_transformed(struct reader *r, size_t input, const struct document_batch *made,
				size_t *output, size_t *failure)
{
	const struct bulk_document *document = &r->batch.documents[input];

	if (*failure < made->failure_count && made->failures[*failure].input == input)
		return fail_transform(r, document, made->failures[(*failure)++].error);
	for (; *output < made->count && made->outputs[*output].input == input; (*output)++) {
		struct bulk_document *out = &made->outputs[*output].document;

		if (!r->p->options->emit_type && !r->p->options->keep_type)
			out->type = STR_NONE;
		else if (r->p->options->emit_type && !out->type.ptr)
			out->type = STR("_doc");
		if (!send_document(r, out))
			return false;
		r->holds_part = true;
	}
	r->holds_part = false;
	r->counts.documents++;
	r->counts.source_bytes += document->source.len;
	return true;
}

static int transform_batch(struct reader *r, struct document_batch *made, struct err *err)
{
	struct reader_batch *batch = &r->batch;
	struct document_batch_failure *failure;
	int rc = document_batch_transform(batch->transform, batch->documents, batch->count,
					  &batch->mem, made, err);

	if (rc >= 0 || err->kind != ERR_LIMIT || batch->count > 1)
		return rc;
	/* One document alone is too large for it, and no reason to send none of the others. */
	failure = mem_zalloc(sizeof(*failure));
	failure->error = err;
	*made = (struct document_batch){.failures = failure, .failure_count = 1};
	return 1;
}

static size_t batch_limit(const struct reader *r)
{
	return MIN((size_t)r->p->options->bytes_per_bulk / 4, (size_t)BATCH_BYTES);
}

/* Transforms what waits and fills bulks with it; false when the run is stopped. What is left of a
 * bulk is handed on where the next batch may not fit, so that bulks end where batches do: only
 * there do the checksums of what was read belong to them. */
static bool deliver_batch(struct reader *r)
{
	struct document_batch made;
	size_t output = 0, failure = 0;
	bool goes_on = true;
	struct err err;
	int rc;

	if (r->batch.count == 0)
		return true;
	rc = transform_batch(r, &made, &err);
	if (rc < 0) {
		pipeline_stop(r->p, &err);
		return false;
	}
	for (size_t i = 0; i < r->batch.count && goes_on; i++) {
		r->seen = r->batch.docs[i];
		goes_on = deliver_transformed(r, i, &made, &output, &failure);
	}
	if (rc == 1)
		mem_freep(&made.failures);
	if (!goes_on)
		return false;
	r->seen++;
	reader_batch_reset(&r->batch);
	if (r->filling &&
	    r->filling->bulk.body.limit - r->filling->bulk.body.len < 2 * batch_limit(r))
		push(r);
	return true;
}

/* Where order counts, bulks in flight must not hold two documents of one id: they may arrive in any
 * order, also after a restart. False when the run is stopped. */
static bool keep_order(struct reader *r, const struct document *document)
{
	if (!r->p->options->files || !document->id.ptr ||
	    ids_under_way_add(&r->ids, document->index, document->id))
		return true;
	if (!deliver_batch(r))
		return false;
	push(r);
	ids_under_way_clear(&r->ids);
	ids_under_way_add(&r->ids, document->index, document->id);
	return item_settle(r->item);
}

/* What is no document at all; false when the run is stopped. */
static bool fail_line(struct reader *r, const struct bulk_document *out, const char *problem)
{
	struct err err;

	switch (r->p->options->on_bad_line) {
	case TRANSFORM_ERROR_FAIL:
		err_set(&err, ERR_FORMAT, "%s; mend it, or pass --on-bad-line record or skip",
			problem);
		pipeline_stop(r->p, &err);
		return false;
	case TRANSFORM_ERROR_SKIP:
		log_warn("backfill", "skipped: %s", problem);
		r->counts.documents++;
		return true;
	case TRANSFORM_ERROR_RECORD:
		break;
	}
	return fail_document(r, out, STR("shardlift_line_exception"), problem);
}

/* False when the run is stopped. */
static bool deliver_later(struct reader *r, const struct document *document,
			  const struct bulk_document *out)
{
	struct bulk_document message = *out;
	struct err err;

	if (reader_batch_is_full(&r->batch, document->source.len, batch_limit(r)) &&
	    !deliver_batch(r))
		return false;
	message.type = document->type.ptr ? document->type : index_of(r)->only_type;
	if (reader_batch_add(&r->batch, &message, document->doc, &err) < 0) {
		pipeline_stop(r->p, &err);
		return false;
	}
	return true;
}

/* Of a document that was read, sent or not: what the snapshot holds. */
static void add_hash(struct reader *r, const struct document *document)
{
	struct document_hash hash;

	document_hash(&r->hasher, document, NULL, &hash);
	hash_list_add(&r->hashes, &hash);
}

/* False when the run is stopped. */
static bool deliver(struct reader *r, const struct document *document)
{
	struct bulk_document out = to_send(r, document);
	const char *refusal = refusal_of(document);

	r->documents++;
	if (!keep_order(r, document))
		return false;
	if (UNLIKELY(r->batch.transform)) {
		if (!refusal)
			return deliver_later(r, document, &out);
		if (!deliver_batch(r))
			return false;
	}
	/* A bulk that it does not fit into ends here: nothing lies between. */
	r->seen = document->doc;
	if (UNLIKELY(refusal && r->p->options->files)) {
		if (!fail_line(r, &out, refusal))
			return false;
	} else if (UNLIKELY(refusal)) {
		if (!fail_document(r, &out, STR("shardlift_source_exception"), refusal))
			return false;
	} else {
		if (!send_document(r, &out))
			return false;
		r->counts.documents++;
		r->counts.source_bytes += document->source.len;
	}
	if (r->p->options->digest_folder)
		add_hash(r, document);
	r->seen = document->doc + 1;
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
		if (document.recovered)
			atomic_fetch_add(&r->p->progress->documents_recovered, 1);
		if (!deliver(r, &document))
			break;
		if (bulk == r->filling && r->documents < PUBLISH_EVERY)
			continue;
		bulk = r->filling;
		publish(r);
	}
	if (rc <= 0 && !deliver_batch(r))
		rc = rc < 0 ? rc : 1;
	reader_batch_reset(&r->batch);
	publish(r);
	return rc;
}

/* What was written of it and not acknowledged goes. */
static int begin_item(const struct reader *r, struct err *err)
{
	const struct backfill_options *options = r->p->options;
	const struct doc_range range = {r->seen, r->item->claim.item.end_doc};

	if (!options->begin_item)
		return 0;
	return options->begin_item(options->open_sink_user, index_of(r)->target_name,
				   r->item->claim.item.shard, range, r->skip, r->skips, err);
}

/* Reads what is left of it; 0: to the end; 1: it was stopped. */
static int read_documents(struct reader *r, struct err *err)
{
	const struct work_claim *claim = &r->item->claim;
	int64_t first_doc = r->seen;
	int rc;

	if (r->seen >= claim->item.end_doc) {
		work_bytes_open(r->p->bytes, &claim->item, &claim->progress, 0);
		return 0;
	}
	rc = begin_item(r, err);
	if (rc == 0)
		rc = reader_source_open(r->p, r->item, first_doc, &r->source, err);
	work_bytes_open(r->p->bytes, &claim->item, &claim->progress,
			rc < 0 ? 0 : r->source->total_bytes);
	if (rc < 0)
		return rc;
	rc = copy_documents(r, err);
	push(r);
	return rc == 0 ? reader_source_end(r->p, r->item, first_doc, err) : rc;
}

static int end_reading(struct reader *r, const struct err *failure, struct err *err)
{
	int64_t end_doc = r->item->claim.item.end_doc;
	struct item_reading reading = {.end_doc = end_doc == WORK_TO_END ? r->seen : end_doc,
				       .rest = r->counts,
				       .hashes = &r->hashes,
				       .failure = failure};

	if (r->source)
		reading.part_count = reader_source_parts(r->p, r->source, &reading.parts);
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
	hash_list_release(&r->hashes);
	ids_under_way_clear(&r->ids);
}

/* Once; false when the run is stopped. */
static bool open_transform(struct reader *r)
{
	const struct backfill_options *options = r->p->options;
	struct err err;

	if (!options->open_transform || r->batch.transform)
		return true;
	if (options->open_transform(options->open_transform_user, &r->batch.transform, &err) == 0)
		return true;
	pipeline_stop(r->p, &err);
	return false;
}

void *reader_main(void *pipeline)
{
	struct reader r = {.p = pipeline};

	bulk_init(&r.action, KIB(64));
	json_hasher_init(&r.hasher);
	while (open_transform(&r) && (r.item = claims_next(r.p))) {
		read_item(&r);
		item_drop(r.item);
	}
	json_hasher_release(&r.hasher);
	bulk_release(&r.action);
	reader_batch_release(&r.batch);
	ids_under_way_release(&r.ids);
	pthread_mutex_lock(&r.p->lock);
	if (--r.p->readers_left == 0)
		bounded_queue_close(r.p->queue);
	pthread_mutex_unlock(&r.p->lock);
	return NULL;
}
