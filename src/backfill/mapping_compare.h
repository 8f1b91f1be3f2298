/* Fields that two mappings give different types: documents that fit the one may not fit the other.
 */
#ifndef BACKFILL_MAPPING_COMPARE_H
#define BACKFILL_MAPPING_COMPARE_H

#include "base/json.h"

/* Appends up to `most` of them to `out`, as "a.b (long, there text), c (…)"; returns how many there
 * are. `source` is an index's mappings as its metadata has them (type name -> mapping), `target`
 * the mapping of the index there. Fields that only one has do not count, nor do the successors of
 * types that no longer exist: string became text or keyword. */
size_t mapping_compare(const struct json *source, const struct json *target, size_t most,
		       struct buf *out);
/* The fields that the target's mapping lacks, as "a.b (long), c (text)". */
size_t mapping_missing(const struct json *source, const struct json *target, size_t most,
		       struct buf *out);

#endif
