/* The setting that says which clusters a cluster may reindex from: patterns of HOST:PORT, in which
 * * stands for anything. It is static: nodes read it when they start. */
#ifndef WORKFLOW_ROUTES_REINDEX_ALLOWLIST_H
#define WORKFLOW_ROUTES_REINDEX_ALLOWLIST_H

#include "cluster/cluster.h"
#include "net/url.h"

/* What the server compares: host and port, in `mem`; of IPv6 with brackets. */
struct str reindex_source_address(const struct url *source, struct arena *mem);
/* Whether a pattern accepts it, as the server would say. */
bool reindex_pattern_accepts(struct str pattern, struct str address);
/* Its name on this version: OpenSearch 2 has a new one, and 3 no other. */
const char *reindex_allowlist_name(const struct cluster_version *target);
/* Whether an answer of the server means that the address is not in it. */
bool reindex_is_refused(struct str reason);

/* The patterns that are set now: a JSON array in `mem`; NULL: the user may not see them. */
int reindex_allowlist_read(struct cluster *target, struct arena *mem, const struct json **patterns,
			   struct err *err);
/* What to set, and where, a line each, with what is set already: a new value replaces the old. */
void reindex_allowlist_advice(const struct cluster_version *target, const struct json *patterns,
			      struct str address, bool tls, struct buf *out);

#endif
