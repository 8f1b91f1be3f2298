/* Instants as a date field's format writes them. */
#ifndef DOCUMENTS_REBUILD_DATE_H
#define DOCUMENTS_REBUILD_DATE_H

#include "base/json.h"

/* Those of "a||b" that are written here, in the same form: names, and patterns of numbers, literals
 * and zones. False: none of them is, or the arena is full. */
bool rebuild_date_pick(struct str formats, struct arena *mem, struct str *out);
/* `ms`: since 1970; `nanos`: below them; `formats`: as picked, of which the first is taken that
 * leaves nothing of the instant out, else the first; or ptr NULL for strict_date_optional_time.
 * NULL: of a year that no format writes, or the arena is full. */
struct json *rebuild_instant(int64_t ms, int64_t nanos, struct str formats, struct arena *mem);
/* Of nanoseconds since 1970. */
struct json *rebuild_instant_nanos(int64_t nanos, struct str formats, struct arena *mem);

#endif
