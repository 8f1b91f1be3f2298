/* Who answers: what GET / and its helpers say, without asking. */
#ifndef CLUSTER_CLUSTER_VERSION_H
#define CLUSTER_CLUSTER_VERSION_H

#include "cluster/cluster.h"

/* Reads the answer to GET /. False when it is not that of a cluster. Numbers as said there. */
bool cluster_version_read_root(const struct json *root, struct cluster_version *out);
/* Whether the numbers of that answer may be those of compatibility mode: 7.10.2, by something that
 * does not call itself a distribution. */
bool cluster_version_is_doubtful(const struct json *root, const struct cluster_version *version);
/* Whether GET /_cluster/settings?include_defaults&flat_settings says that 7.10.2 is a disguise. */
bool cluster_version_is_overridden(const struct json *settings);
/* Puts the lowest version of GET /_nodes in place of the numbers. False when there is none. */
bool cluster_version_read_nodes(const struct json *nodes, struct cluster_version *out);
/* "OpenSearch 2.19.6", "OpenSearch Serverless" */
void cluster_version_print(const struct cluster_version *version, char *text, size_t size);

#endif
