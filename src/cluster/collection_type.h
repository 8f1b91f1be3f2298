/* The type of an OpenSearch Serverless collection, which decides whether documents may bring ids.
 */
#ifndef CLUSTER_COLLECTION_TYPE_H
#define CLUSTER_COLLECTION_TYPE_H

#include "cluster/cluster.h"

enum collection_type {
	COLLECTION_NONE, /* no collection: a cluster */
	COLLECTION_SEARCH,
	COLLECTION_TIMESERIES,
	COLLECTION_VECTORSEARCH,
	COLLECTION_UNKNOWN, /* the answer said none of these */
};

/* Asks by an index with an impossible vector field, which each type refuses in its own words;
 * should it be taken, it is deleted again. A cluster is not asked.
 * Source: opensearch-migrations OpenSearchClientFactory.detectServerlessCollectionType. */
int cluster_collection_type(struct cluster *cluster, enum collection_type *out, struct err *err);
/* Whether documents may not bring ids there: TIMESERIES and VECTORSEARCH. */
bool collection_needs_generated_ids(enum collection_type type);
/* "TIMESERIES", for messages */
const char *collection_type_name(enum collection_type type);

#endif
