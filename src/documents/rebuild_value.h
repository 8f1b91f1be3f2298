/* One value of a column or stored field, as the JSON that a client may have sent. */
#ifndef DOCUMENTS_REBUILD_VALUE_H
#define DOCUMENTS_REBUILD_VALUE_H

#include "documents/rebuild.h"

/* Of doc values. NULL: the bytes are none of that type, or the arena is full. */
struct json *rebuild_number(const struct rebuild_plan *plan, const struct rebuild_field *field,
			    int64_t value, struct arena *mem);
struct json *rebuild_bytes(const struct rebuild_field *field, struct str bytes, struct arena *mem);
/* Whether doc values of that kind can be those of a field that is so mapped. */
bool rebuild_fits(struct str type, enum doc_values_type kind);
bool rebuild_is_utf8(struct str s);
/* Copied. NULL: it is no UTF-8, or the arena is full. */
struct json *rebuild_text(struct str bytes, struct arena *mem);
/* Of the bits of a number, as IEEE has them. */
struct json *rebuild_double(int64_t bits, struct arena *mem);
struct json *rebuild_float(int32_t bits, struct arena *mem);
/* As base64. */
struct json *rebuild_base64(struct str bytes, struct arena *mem);
/* Of a stored field. */
struct json *rebuild_stored(const struct rebuild_plan *plan, const struct rebuild_field *field,
			    const struct stored_field *stored, struct arena *mem);

#endif
