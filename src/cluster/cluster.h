/* An Elasticsearch or OpenSearch cluster: who it is, and requests to it with retries. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "base/json.h"
#include "net/http_client.h"

enum cluster_flavour { CLUSTER_ELASTICSEARCH, CLUSTER_OPENSEARCH };

struct cluster_version {
	enum cluster_flavour flavour;
	int major, minor, patch;
	bool serverless;         /* no root, but indices: modelled as OpenSearch 2 */
	bool compatibility_mode; /* OpenSearch that calls itself 7.10.2; the numbers are the real
				    ones */
};

struct cluster_retry {
	int64_t initial_delay_ms, max_delay_ms; /* doubling, with jitter */
	int64_t max_total_ms;                   /* gives up after; the reason is in the error */
};

/* One thread's way to a cluster. */
struct cluster;

/* What is told while a request is still being tried again, by the thread that sends it. Any may be
 * NULL. */
struct cluster_watch {
	/* "not now", of a request or of items: 429, 502, 503, 504; of a try that took so long. */
	void (*refused)(void *user, int64_t elapsed_ms);
	/* Writes wait: the index, or the whole cluster, is read-only for a full disk (flood stage).
	 * With every try; `reason` lives as long as the call. */
	void (*blocked)(void *user, struct str reason);
	void (*unblocked)(void *user); /* once after blocked: documents are taken again */
	void *user;
	int64_t block_wait_ms; /* how long a bulk waits for that; at least retry's max_total_ms */
};

/* Connects, authenticates and detects flavour and version (GET /, then compatibility mode via
 * _nodes where 7.10.2 is said). Gives up after two seconds of tries, whatever `retry` says. The
 * strings in `options` are borrowed until the cluster and its clones are closed. ERR_AUTH names the
 * user and the flags; ERR_UNREACHABLE the host, and what answers if it is no cluster. */
int cluster_connect(const struct http_options *options, const struct cluster_retry *retry,
		    struct cluster **out, struct err *err);
/* Another thread's way to the same cluster; does not ask who it is again. */
int cluster_clone(const struct cluster *cluster, struct cluster **out, struct err *err);
/* Accepts NULL. */
void cluster_close(struct cluster *cluster);
/* For cleanup(). */
void cluster_closep(struct cluster **cluster);
const struct cluster_version *cluster_version(const struct cluster *cluster);
/* "OpenSearch 2.19.6"; lives as long as the cluster. */
const char *cluster_version_text(const struct cluster *cluster);
/* Copied. Clones made from now on have it too. */
void cluster_set_watch(struct cluster *cluster, const struct cluster_watch *watch);
/* As http_client_cancel. */
void cluster_cancel(struct cluster *cluster);

/* One request, repeated with backoff on 429, 502, 503, 504 and connection loss until
 * retry->max_total_ms have passed (ERR_HTTP, or what http_client_send says). One that is not
 * `repeatable` (a POST that would act twice) only on 429, which says that nothing was done.
 * *status and *answer (a JSON tree in `mem`; NULL if no JSON) of the last answer; any other status
 * is a success here, but 401 and 403 are ERR_AUTH (a 403 of an index or cluster block is not, nor
 * is a 429 for a full disk repeated).
 * `path` is encoded. */
int cluster_request(struct cluster *cluster, const char *method, const char *path, struct str body,
		    bool repeatable, struct arena *mem, int *status, struct json **answer,
		    struct err *err);
/* As cluster_request, with the answer as it came: borrowed until the next request. */
int cluster_request_text(struct cluster *cluster, const char *method, const char *path,
			 struct str body, bool repeatable, int *status, struct str *answer,
			 struct err *err);
/* "type: reason" out of an error answer, in `mem`; falls back to the status. */
struct str cluster_error_reason(const struct json *answer, int status, struct arena *mem);

#endif
