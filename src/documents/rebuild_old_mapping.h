/* Mappings of indices that Elasticsearch made before 5, in the words of those after. */
#ifndef DOCUMENTS_REBUILD_OLD_MAPPING_H
#define DOCUMENTS_REBUILD_OLD_MAPPING_H

#include "base/json.h"

/* index.version.created: major, minor, patch and build, two digits each. */
#define CREATED_1_4 1040001
#define CREATED_2 2000001
#define CREATED_2_2 2020099
#define CREATED_2_3 2030099
#define CREATED_5 5000000

/* A copy of a field's mapping: "string" becomes text or keyword; index, store and doc_values are
 * said and booleans; the names of date formats are lower case; the gap between values is
 * "position_increment_gap". Multi-fields likewise. NULL: the arena is full.
 *
 * Source: AbstractFieldMapper, StringFieldMapper of Elasticsearch 1.7.6, FieldMapper,
 * TypeParsers of 2.4.6. */
struct json *rebuild_old_mapping(const struct json *mapping, int64_t created, struct arena *mem);
/* A field's name in the index where it is another than its path: the mapping says so, of the field
 * or of the object that it is in, whose path is `prefix`. Else ptr NULL. Until Elasticsearch 2. */
struct str rebuild_old_name(struct str prefix, const struct json *object, const struct json *field,
			    struct arena *mem);

#endif
