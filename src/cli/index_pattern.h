/* Indices as a cluster's users name them: in "logs-*" a * stands for anything. */
#ifndef CLI_INDEX_PATTERN_H
#define CLI_INDEX_PATTERN_H

#include "base/arena.h"

/* The pattern as an entry of --index-allowlist, in `mem` or as it is; NULL: it is too long. */
const char *index_pattern_entry(const char *pattern, struct arena *mem);

#endif
