/* The line of a failed document (docs/formats/failed-documents.md).
 *
 * Source: opensearch-migrations FailedDocumentStreamRecord, BulkOperationSpec. */
#ifndef BACKFILL_FAILED_RECORD_WRITE_H
#define BACKFILL_FAILED_RECORD_WRITE_H

#include "backfill/failed_documents.h"
#include "base/buf.h"

struct failed_stream_ids {
	const char *session, *worker;
};

/* Appends the line and its line break; what does not fit, `out` tells. */
void failed_record_write(struct buf *out, const struct failed_stream_ids *ids,
			 const struct failed_document *document);

#endif
