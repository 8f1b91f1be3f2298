/* Indices of several mapping types (until Elasticsearch 6): one plan for the documents of all. */
#ifndef DOCUMENTS_REBUILD_TYPES_H
#define DOCUMENTS_REBUILD_TYPES_H

#include "documents/rebuild.h"

/* An object of the types whose _source is stored as it came, where there are several types; NULL:
 * none is. */
struct json *rebuild_types_whole(const struct json *mappings, struct arena *mem);
/* What several types have alike becomes one field of all; of what they have unlike, each field is
 * of the documents of its type (of nested ones, whose type is not known, none comes back). Before
 * Elasticsearch 5 fields of several paths that have one name in the index do not come back. */
void rebuild_types_merge(struct rebuild_plan *plan, struct arena *mem);

#endif
