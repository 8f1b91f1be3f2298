/* The API of Kubernetes, as a pod reaches it: with the token of its service account, which is read
 * again as it is renewed, and the certificate authority beside it. One thread at a time.
 *
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ and the OpenAPI of 1.34. */
#ifndef NET_KUBERNETES_H
#define NET_KUBERNETES_H

#include "base/json.h"

#include <stdatomic.h>

struct kubernetes;

/* Strings are borrowed. All may be NULL. */
struct kubernetes_options {
	const char *namespace; /* NULL: the pod's own, else "ma" */
	const char *url;       /* NULL: $SHARDLIFT_KUBERNETES_URL, else what a pod is told */
	const char *folder;    /* of token, ca.crt and namespace; NULL:
				  $SHARDLIFT_KUBERNETES_FOLDER, else where a pod has them */
	const atomic_bool *stop;
};

struct kubernetes_call {
	const char *verb;        /* get list create update patch delete, as a Role has them */
	const char *group;       /* "" (pods, services, …), "apps", "batch" */
	const char *resource;    /* "pods" */
	const char *name;        /* NULL: all of them, or the one that `body` names */
	const char *subresource; /* "log", "scale"; NULL: none */
	struct str query;        /* "labelSelector=…", encoded; STR_NONE: none */
	const struct json *body; /* NULL: none. Of a patch: merged (RFC 7396) */
};

/* ERR_USAGE: this is no pod, or one without a token. Connects to nothing yet. */
int kubernetes_open(const struct kubernetes_options *options, struct kubernetes **out,
		    struct err *err);
/* Accepts NULL. */
void kubernetes_close(struct kubernetes *kubernetes);
const char *kubernetes_namespace(const struct kubernetes *kubernetes);

/* *out is in `mem`. Every message names verb, resource and namespace:
 * - ERR_UNREACHABLE, ERR_TIMEOUT, or ERR_HTTP with `retry`: no answer, 429 or 5xx;
 * - ERR_AUTH: 401, or 403 with the rule that the Role lacks;
 * - ERR_LIMIT: a quota is reached;
 * - ERR_NOT_FOUND; ERR_CONFLICT: 409, or 410 where a list must be begun anew;
 * - ERR_USAGE: what was sent is refused (400, 422), in the API's words. */
int kubernetes_send(struct kubernetes *kubernetes, const struct kubernetes_call *call,
		    struct arena *mem, struct json **out, struct err *err);
/* As kubernetes_send, for what is no JSON: logs. Appends to `out`. */
int kubernetes_text(struct kubernetes *kubernetes, const struct kubernetes_call *call,
		    struct buf *out, struct err *err);
/* Whether waiting may help: what a person mends at the cluster while we go on asking. */
bool kubernetes_may_pass(const struct err *err);

#endif
