/* The filter of a mapping's _source: which paths are surely in what is stored of it. */
#ifndef DOCUMENTS_REBUILD_FILTER_H
#define DOCUMENTS_REBUILD_FILTER_H

#include "base/json.h"

/* `source`: "_source" of a mapping, or NULL. True where it filters, and leaves `path` in. Patterns
 * are those of XContentMapValues.filter of Elasticsearch: '*' is any text, and what matches an
 * object matches all in it. */
bool rebuild_filter_keeps(const struct json *source, struct str path);

#endif
