/* Mappings with a level of types, and what becomes of the types when there are none any more.
 *
 * Elasticsearch up to 6.x keeps {type: mapping}; snapshots keep a list of such objects. From 7.0 on
 * there is one mapping. Source: Elasticsearch 7.17 "Removal of mapping types". */
#ifndef TRANSFORM_TYPE_MAPPING_H
#define TRANSFORM_TYPE_MAPPING_H

#include "base/json.h"

/* The mappings of an item as one object, whichever of the forms they came in; the members move out
 * of a list. NULL if there are none, or at the arena's ceiling. */
struct json *type_mapping_flatten(struct json *mappings, struct arena *mem);
/* Whether a flattened one has types: no key of it is one that the root of a mapping may have. */
bool type_mapping_has_types(const struct json *mappings);
/* Merges the mapping `from` of a type into `into`, both of which go into the index or template
 * `where`. ERR_CONFLICT names a field or key that they define differently. What types 6.0 and later
 * do not know (_all, _parent …) is no conflict. */
int type_mapping_merge(struct json *into, const struct json *from, struct str where,
		       struct arena *mem, struct err *err);
/* Adds what `into` lacks of the mapping `_default_`. */
void type_mapping_add_defaults(struct json *into, const struct json *defaults, struct arena *mem);

#endif
