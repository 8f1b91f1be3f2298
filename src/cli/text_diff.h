/* Two texts side by side, line by line. */
#ifndef CLI_TEXT_DIFF_H
#define CLI_TEXT_DIFF_H

#include "base/buf.h"

/* Appends the lines of both: "  " before those in both, "- " before what is in `before` alone,
 * "+ " before what is in `after` alone. Of long runs of common lines, a few around each change are
 * kept and "  …" stands for the rest. What is very long is shown as wholly replaced. */
void text_diff(struct buf *out, struct str before, struct str after);

#endif
