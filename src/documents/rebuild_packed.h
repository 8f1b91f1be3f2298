/* Types of which one doc value is not one value: several in one, or a part of one. */
#ifndef DOCUMENTS_REBUILD_PACKED_H
#define DOCUMENTS_REBUILD_PACKED_H

#include "documents/rebuild.h"

/* binary, flattened, flat_object, dense_vector, histogram, the ranges; not wildcard, of which the
 * kind of its doc values decides */
bool rebuild_is_packed(struct str type);
/* Appended to `array`; of flattened fields all is one object, which grows. False: damaged, or the
 * arena is full. */
bool rebuild_packed(const struct rebuild_plan *plan, const struct rebuild_field *field,
		    struct str bytes, struct json *array, struct arena *mem);

/* `values` as an array had them: `order` counts its elements, and says of each which value it is,
 * or none (null). vInts in zigzag. NULL: damaged. */
struct json *rebuild_in_order(const struct json *values, struct str order, struct arena *mem);

/* Of counted_keyword, of which each value is there once, and beside them how often. */
bool rebuild_is_counted(struct str type);
/* `values`, each as often as `counts` says: vInt number, vInts. NULL: damaged. */
struct json *rebuild_repeated(const struct json *values, struct str counts, struct arena *mem);

/* The relation `name` of a join field leads to the parents of the hidden field "<join>#<parent>".
 */
bool rebuild_is_child(const struct json *relations, const struct rebuild_field *hidden,
		      struct str name);

#endif
