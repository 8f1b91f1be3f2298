/* Indices that belong to a product (.kibana_1, .security-7): what may be copied, and what that
 * means. */
#ifndef WORKFLOW_ROUTES_INTERNAL_INDICES_H
#define WORKFLOW_ROUTES_INTERNAL_INDICES_H

#include "cluster/cluster.h"

/* Those whose names begin with a dot, but the backing indices of data streams. */
bool index_is_internal(struct str name);
/* ERR_USAGE: it is internal and was not asked for by name (`by_name`). ERR_BLOCKED: the target has
 * no use for it; the message names what brings its content. `target` NULL: files or nowhere. */
int internal_index_check(struct str name, struct str target_name, bool by_name,
			 const struct cluster_version *target, struct err *err);
/* What whoever copies it must know, a line each. */
void internal_index_warnings(struct str name, const struct cluster_version *target,
			     struct buf *out);

#endif
