/* What an index whose _source is stored in part has lost, in words. */
#ifndef WORKFLOW_ROUTES_FILTERED_SOURCE_H
#define WORKFLOW_ROUTES_FILTERED_SOURCE_H

#include "base/buf.h"
#include "base/json.h"

/* Appends a sentence that names what the mappings (type -> mapping) include and exclude. */
void filtered_source_words(const struct json *mappings, struct buf *out);

#endif
