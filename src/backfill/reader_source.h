/* Where the documents of a work item come from: its shard of a snapshot or a live index, or what
 * changed in it since an earlier snapshot. */
#ifndef BACKFILL_READER_SOURCE_H
#define BACKFILL_READER_SOURCE_H

#include "backfill/pipeline_internal.h"

/* Those from `first_doc` on. A shard that the snapshot could not take is ERR_UNREADABLE. */
int reader_source_open(const struct pipeline *p, const struct item *item, int64_t first_doc,
		       struct document_source **out, struct err *err);
/* As lucene_documents_parts; a delta and a live index have none. */
size_t reader_source_parts(const struct pipeline *p, const struct document_source *source,
			   const struct checksum_part **parts);
/* Once all was read. A delta that was begun at its first document has compared all checksums; one
 * that was taken up on the way has not, and no parts of it are kept: its shard is read for them. */
int reader_source_end(const struct pipeline *p, const struct item *item, int64_t first_doc,
		      struct err *err);

#endif
