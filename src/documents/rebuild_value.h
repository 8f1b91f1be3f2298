/* One value of a column or stored field, as the JSON that a client may have sent. */
#ifndef DOCUMENTS_REBUILD_VALUE_H
#define DOCUMENTS_REBUILD_VALUE_H

#include "documents/rebuild.h"

/* Of doc values. NULL: the bytes are none of that type, or the arena is full. */
struct json *rebuild_number(const struct rebuild_plan *plan, const struct rebuild_field *field,
			    int64_t value, struct arena *mem);
struct json *rebuild_bytes(const struct rebuild_field *field, struct str bytes, struct arena *mem);
/* The values of a binary field, which are one in Lucene, appended to `array`. False: damaged. */
bool rebuild_binary(struct str bytes, struct json *array, struct arena *mem);
/* Of a stored field. */
struct json *rebuild_stored(const struct rebuild_plan *plan, const struct rebuild_field *field,
			    const struct stored_field *stored, struct arena *mem);

#endif
