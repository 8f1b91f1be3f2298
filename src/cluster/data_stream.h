/* Whether a name of a cluster is that of a data stream, which documents are only added to. */
#ifndef CLUSTER_DATA_STREAM_H
#define CLUSTER_DATA_STREAM_H

#include "cluster/cluster.h"

/* False as well where the cluster has no data streams, or does not let us ask. Negative when it
 * does not answer. */
int cluster_is_data_stream(struct cluster *cluster, struct str name, bool *out, struct err *err);

#endif
