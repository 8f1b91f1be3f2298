/* Copies against the zones of a target that wants them balanced: with
 * cluster.routing.allocation.awareness.balance OpenSearch refuses an index whose copies are no
 * multiple of the zones it is forced to. */
#ifndef METADATA_CHECK_AWARENESS_H
#define METADATA_CHECK_AWARENESS_H

#include "base/json.h"

/* Out of GET /_cluster/settings?include_defaults=true&flat_settings=true: the largest number of
 * values of an attribute; 0: it does not matter. `answer` may be NULL. */
int64_t awareness_zones(const struct json *answer);
/* `content` holds "settings" as a tree. One that says nothing of replicas is not refused. */
bool awareness_refuses(const struct json *content, int64_t zones);

#endif
