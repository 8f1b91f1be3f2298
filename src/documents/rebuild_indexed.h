/* One value of what is indexed of a field, its points or terms, as the JSON that a client may have
 * sent. */
#ifndef DOCUMENTS_REBUILD_INDEXED_H
#define DOCUMENTS_REBUILD_INDEXED_H

#include "documents/rebuild.h"

struct inverted_values;

/* Types whose values are points, from Elasticsearch 5 on. */
bool rebuild_has_points(struct str type);
/* Types whose values are terms, whole. */
bool rebuild_has_terms(struct str type);
/* Of all dimensions, as the index has it. NULL: none of that type, or the arena is full. */
struct json *rebuild_point(const struct rebuild_plan *plan, const struct rebuild_field *field,
			   struct str bytes, struct arena *mem);
/* Appends the values of a document to `array`: as rebuild_parts has them. False: damaged. */
bool rebuild_indexed(const struct rebuild_plan *plan, const struct rebuild_field *field,
		     const struct inverted_values *values, struct json *array, struct arena *mem);

#endif
