/* Documents of a reader that wait to be transformed together. */
#ifndef BACKFILL_READER_BATCH_H
#define BACKFILL_READER_BATCH_H

#include "transform/document_batch.h"

#define READER_BATCH_DOCUMENTS 1024

struct reader_batch {
	struct transform *transform; /* owned; NULL: documents are not transformed */
	struct arena mem;
	struct bulk_document *documents; /* in mem, strings too */
	int64_t *docs;                   /* their Lucene document ids */
	size_t count;
	size_t bytes; /* of their sources */
};

void reader_batch_release(struct reader_batch *batch);
/* Copies the document. */
int reader_batch_add(struct reader_batch *batch, const struct bulk_document *document, int64_t doc,
		     struct err *err);
/* Whether `next_bytes` more of source are too much for a batch of `limit` bytes. */
bool reader_batch_is_full(const struct reader_batch *batch, size_t next_bytes, size_t limit);
/* Forgets them. */
void reader_batch_reset(struct reader_batch *batch);

#endif
