/* Soft deletes: documents that have a value in the soft-deletes field are dead.
 *
 * Only the docs-with-field set of that one numeric field is read, from doc values of Lucene 70, 80
 * and 90 (skippers of Lucene 10 included), base files or the newest generation. */
#ifndef LUCENE_SOFT_DELETES_H
#define LUCENE_SOFT_DELETES_H

#include "lucene/doc_values_files.h"
#include "lucene/live_docs.h"

/* Clears the soft-deleted documents in `live` (its words are allocated in `mem` if need be).
 * ERR_FORMAT when their number is not commit->soft_del_count. */
int soft_deletes_apply(const struct segment_files *segment, struct arena *mem,
		       struct live_docs *live, struct err *err);

#endif
