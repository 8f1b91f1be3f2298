/* Failed document streams in a blob store, brought to this host: what reads and settles them works
 * on files. */
#ifndef BACKFILL_FAILED_COPIES_H
#define BACKFILL_FAILED_COPIES_H

#include "store/blob_store.h"

/* Copies all *.ndjson.gz below the store's root, or where there is a folder session=… of `session`
 * (NULL: of all) below that, to the same names below `folder`, which is made. Objects that are
 * there with the same size are left: streams are never changed. What came whole stays when it
 * fails. */
int failed_documents_fetch(struct blob_store *store, const char *session, const char *folder,
			   struct err *err);

#endif
