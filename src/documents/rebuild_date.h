/* Instants as a date field's format writes them. */
#ifndef DOCUMENTS_REBUILD_DATE_H
#define DOCUMENTS_REBUILD_DATE_H

#include "base/json.h"

/* The first of "a||b" that is written here: a name, or a pattern of numbers, literals and zones.
 * False: none of them is. */
bool rebuild_date_pick(struct str formats, struct str *out);
/* `ms`: since 1970; `nanos`: below them; `format`: as picked, or ptr NULL for
 * strict_date_optional_time. NULL: of a year that no format writes, or the arena is full. */
struct json *rebuild_instant(int64_t ms, int64_t nanos, struct str format, struct arena *mem);
/* Of nanoseconds since 1970. */
struct json *rebuild_instant_nanos(int64_t nanos, struct str format, struct arena *mem);

#endif
