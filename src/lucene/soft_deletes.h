/* Soft deletes: documents that have a value in the soft-deletes field are dead.
 *
 * Only the docs-with-field set of that one numeric field is read, from doc values of Lucene 70, 80
 * and 90 (skippers of Lucene 10 included), base files or the newest generation. */
#ifndef LUCENE_SOFT_DELETES_H
#define LUCENE_SOFT_DELETES_H

#include "lucene/field_infos.h"
#include "lucene/live_docs.h"
#include "lucene/segment_infos.h"

/* Clears the soft-deleted documents in `live` (its words are allocated in `mem` if need be).
 * `outer` holds generation files, `inner` the base files (the compound, or the same directory);
 * `base_infos` are the fields of the base .fnm, `newest_infos` those of the newest generation.
 * ERR_FORMAT when their number is not commit->soft_del_count. */
int soft_deletes_apply(struct lucene_directory *outer, struct lucene_directory *inner,
		       const struct segment_commit *commit, const struct field_infos *base_infos,
		       const struct field_infos *newest_infos, struct arena *mem,
		       struct live_docs *live, struct err *err);

#endif
