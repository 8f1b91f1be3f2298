/* Whether a stored _source can stand in a bulk body at all. */
#ifndef BACKFILL_SOURCE_CHECK_H
#define BACKFILL_SOURCE_CHECK_H

#include "base/str.h"

/* NULL: it begins and ends as a JSON object. Else why it is not sent. Looks at its ends only; the
 * target parses it. */
const char *source_check(struct str source);

#endif
