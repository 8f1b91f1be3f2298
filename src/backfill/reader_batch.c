#include "backfill/reader_batch.h"

void reader_batch_release(struct reader_batch *batch)
{
	transform_free(batch->transform);
	arena_release(&batch->mem);
}

void reader_batch_reset(struct reader_batch *batch)
{
	arena_reset(&batch->mem);
	batch->documents = NULL;
	batch->count = batch->bytes = 0;
}

bool reader_batch_is_full(const struct reader_batch *batch, size_t next_bytes, size_t limit)
{
	return batch->count > 0 &&
	       (batch->count == READER_BATCH_DOCUMENTS || batch->bytes + next_bytes > limit);
}

static void copy(struct arena *mem, struct str *text)
{
	if (text->ptr)
		*text = arena_str(mem, *text);
}

int reader_batch_add(struct reader_batch *batch, const struct bulk_document *document, int64_t doc,
		     struct err *err)
{
	struct arena *mem = &batch->mem;
	struct bulk_document *into;

	mem->limit = LIMIT_SOURCE_ARENA;
	if (!batch->documents) {
		batch->documents = arena_alloc(mem, READER_BATCH_DOCUMENTS * sizeof(*into));
		batch->docs = arena_alloc(mem, READER_BATCH_DOCUMENTS * sizeof(*batch->docs));
	}
	if (mem->failed || batch->count == READER_BATCH_DOCUMENTS)
		return arena_fail(mem, "documents to be transformed", err);
	into = &batch->documents[batch->count];
	*into = *document;
	copy(mem, &into->index);
	copy(mem, &into->id);
	copy(mem, &into->routing);
	copy(mem, &into->type);
	copy(mem, &into->source);
	if (mem->failed)
		return arena_fail(mem, "a document to be transformed", err);
	batch->docs[batch->count++] = doc;
	batch->bytes += document->source.len;
	return 0;
}
