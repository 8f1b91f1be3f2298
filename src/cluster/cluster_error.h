/* The errors that clusters answer with, in words. */
#ifndef CLUSTER_CLUSTER_ERROR_H
#define CLUSTER_CLUSTER_ERROR_H

#include "cluster/cluster_internal.h"

/* Type and reason of {"type", "reason", "caused_by"}, or of the text that Elasticsearch before 2
 * has in its place (then type is empty). With the root cause where it says more, and without what
 * the server quotes of our request. In `mem` or in the tree; a reason is always there, on one line
 * and of 2 KiB at most. */
void cluster_error_parts(const struct json *error, int status, struct arena *mem, struct str *type,
			 struct str *reason);
/* Why the answer in cluster->response is what it is, in `mem`. */
struct str cluster_response_reason(const struct cluster *cluster, struct arena *mem);
/* 401, or a 403 that is no block of the cluster or an index. */
bool cluster_response_is_refusal(const struct cluster *cluster);

/* Whether that error says that an index, or the whole cluster, is read-only because its disk is
 * past the flood stage: over once there is room again. */
bool cluster_error_is_full_disk(const struct json *error);
/* Whether the answer in cluster->response says so for the whole request. */
bool cluster_response_is_full_disk(const struct cluster *cluster);

/* -ERR_AUTH: who was refused, and the flags to look at. */
int cluster_refusal(const struct cluster *cluster, const struct http_request *request,
		    struct err *err);
/* -ERR_HTTP: `what` ("gave up after 3 tries"), status and reason. */
int cluster_bad_status(const struct cluster *cluster, const struct http_request *request,
		       const char *what, struct err *err);

#endif
