/* Reasons of failures that differ only in ids, values and numbers, as one. */
#ifndef CLI_FAILURE_PATTERN_H
#define CLI_FAILURE_PATTERN_H

#include "base/buf.h"

#define FAILURE_PATTERN_MAX 240 /* bytes */

/* Appends the reason with "*" in the place of quoted texts and of numbers, cut at
 * FAILURE_PATTERN_MAX. Names in brackets stay: they are fields and types. */
void failure_pattern(struct buf *out, struct str reason);

#endif
