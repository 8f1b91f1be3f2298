/* The documents a target refused, with their reasons, on disk or in a blob store:
 * <state>/failed-documents/session=<session>/index=<index>/worker=<worker>/
 * failed-document-stream-<time>-<n>.ndjson.gz,
 * one JSON object a line, fields as the Java tool writes them (docs/formats/failed-documents.md).
 */
#ifndef BACKFILL_FAILED_DOCUMENTS_H
#define BACKFILL_FAILED_DOCUMENTS_H

#include "cluster/bulk.h"
#include "store/blob_store.h"

struct failed_documents;

struct failed_document {
	struct str work_item; /* "index[shard]" */
	struct str target_index;
	struct str id;
	struct str failure_type, reason;
	int status;
	struct str action, source; /* as they were to be sent: {"index":{…}}, "create", "delete" */
};

/* Opens the stream below `directory`; nothing is written before the first failure. Thread-safe
 * after. */
int failed_documents_open(const char *directory, const char *session, struct failed_documents **out,
			  struct err *err);
/* As failed_documents_open, into the same layout of a store (borrowed): each flush writes one
 * object for each index with failures; at most about `most` bytes of lines wait in memory.
 * ERR_UNSUPPORTED: the store is only read. */
int failed_documents_open_store(struct blob_store *store, const char *session, size_t most,
				struct failed_documents **out, struct err *err);
int failed_documents_add(struct failed_documents *stream, const struct failed_document *document,
			 struct err *err);
/* Makes everything added so far durable. */
int failed_documents_flush(struct failed_documents *stream, struct err *err);
/* The folder or URI, for messages; lives as long as the stream. */
const char *failed_documents_path(const struct failed_documents *stream);
/* Flushes and closes; accepts NULL. */
int failed_documents_close(struct failed_documents *stream, struct err *err);

#endif
