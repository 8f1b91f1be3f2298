/* The ranges of a document, which are one binary doc value. */
#ifndef DOCUMENTS_REBUILD_RANGE_H
#define DOCUMENTS_REBUILD_RANGE_H

#include "documents/rebuild.h"

bool rebuild_is_range(struct str type);
/* Appended to `array` as {"gte": ..., "lte": ...}; a side that is open is null. Lucene's
 * RangeType.encodeRanges of Elasticsearch 6 on. False: damaged. */
bool rebuild_ranges(const struct rebuild_plan *plan, const struct rebuild_field *field,
		    struct str bytes, struct json *array, struct arena *mem);
/* One range, as a point of two dimensions has it: what there is of Elasticsearch 5. NULL: damaged.
 */
struct json *rebuild_range_of_point(const struct rebuild_plan *plan,
				    const struct rebuild_field *field, struct str bytes,
				    struct arena *mem);

#endif
