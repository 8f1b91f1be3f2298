/* What the files of this room share. */
#ifndef CLUSTER_CLUSTER_INTERNAL_H
#define CLUSTER_CLUSTER_INTERNAL_H

#include "base/backoff.h"
#include "cluster/cluster.h"

struct cluster {
	struct http_client *client;
	struct http_options options; /* its strings are the caller's */
	struct backoff_policy retry;
	struct cluster_watch watch;
	struct cluster_version version;
	char version_text[64];
	struct http_response response; /* of the last request */
	int64_t try_began_ms;          /* of its request */
	struct alarm_clock alarm;
};

/* Sends until there is an answer in cluster->response whose status is none of 429, 502, 503 and
 * 504 (but a 429 for a full disk, which lasts), or until `backoff` has no time left. A request that
 * is not repeatable is sent again only after 429, which says that nothing was done. ERR_AUTH,
 * ERR_HTTP, or what http_client_send says.
 */
int cluster_send(struct cluster *cluster, const struct http_request *request, bool repeatable,
		 struct backoff *backoff, struct err *err);
/* Tells the watch that there was a "not now". */
void cluster_tell_refused(const struct cluster *cluster);
/* Overloaded or on its way: the same may be taken later. Also for the items of a bulk. */
bool cluster_status_is_passing(int status);

#endif
