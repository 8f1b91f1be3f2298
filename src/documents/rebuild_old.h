/* Values of indices that Elasticsearch made before 5: numbers are terms there, addresses numbers.
 */
#ifndef DOCUMENTS_REBUILD_OLD_H
#define DOCUMENTS_REBUILD_OLD_H

#include "documents/rebuild.h"

/* Types whose values are terms. */
bool rebuild_old_has_terms(const struct rebuild_plan *plan, struct str type);
/* What those that say all of a value begin with; empty: all do, and so of later indices. */
struct str rebuild_old_prefix(const struct rebuild_plan *plan, struct str type);
/* Of such a term. NULL: none of that type, or the arena is full. */
struct json *rebuild_old_term(const struct rebuild_plan *plan, const struct rebuild_field *field,
			      struct str term, struct arena *mem);
/* Types whose numbers are not as they are later: ip, geo_point. */
bool rebuild_old_is_other(struct str type);
struct json *rebuild_old_number(const struct rebuild_field *field, int64_t value,
				struct arena *mem);
/* "lat,lon" of a geo_point. */
struct json *rebuild_old_place(struct str text, struct arena *mem);
/* Types of which a binary doc value is all values of a document: of indices of before 1.4, and of
 * geo_points of before 2.2. */
bool rebuild_old_is_packed(struct str type);
/* Whether doc values of that kind are values of such a type. */
bool rebuild_old_fits(const struct rebuild_plan *plan, struct str type, enum doc_values_type kind);
/* Appended to `array`. False: damaged, or the arena is full. */
bool rebuild_old_packed(const struct rebuild_plan *plan, const struct rebuild_field *field,
			struct str bytes, struct json *array, struct arena *mem);

#endif
