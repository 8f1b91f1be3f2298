/* _reindex on a cluster, as tasks that go on when nobody waits for them. */
#ifndef CLUSTER_REINDEX_API_H
#define CLUSTER_REINDEX_API_H

#include "cluster/cluster.h"

/* Another cluster that the target reads. All borrowed. */
struct reindex_remote {
	struct str
		url; /* "https://host:9200/prefix": with scheme and port, as the target sees it */
	const char *username, *password, *api_key; /* NULL: none */
	int64_t socket_timeout_ms;                 /* 0: the target's own */
};

struct reindex_request {
	struct str from, to;                 /* indices */
	const struct reindex_remote *remote; /* NULL: `from` is on the target, too */
	struct str query;                    /* JSON of a query clause; ptr NULL: all documents */
	int64_t size;                        /* documents a page; 0: the target's own */
	int64_t requests_per_second;         /* documents, in truth; 0: as fast as it can */
	int64_t slices;                      /* 0 or 1: one; not with `remote` */
	bool create_only;                    /* a data stream takes nothing but creates */
};

enum reindex_state { REINDEX_RUNNING, REINDEX_DONE, REINDEX_LOST };

/* Strings and trees in the arena of the look. */
struct reindex_task {
	enum reindex_state state; /* lost: the target knows nothing of it, not even a result */
	int64_t total, created, updated, deleted, noops, conflicts;
	const struct json *failures; /* array; NULL: none */
	struct str error;            /* why it ended early; ptr NULL: it did not */
};

/* *task, in `mem`, is its id. -ERR_UNREACHABLE and -ERR_TIMEOUT: it may have been started all the
 * same. -ERR_HTTP: refused, for the reason in the message. */
int reindex_start(struct cluster *target, const struct reindex_request *request, struct arena *mem,
		  struct str *task, struct err *err);
/* Asks for no document, so that what stands in the way is told before anything is written: empty,
 * or the target's reason, in `mem`. Negative when the target does not answer. */
int reindex_probe(struct cluster *target, const struct reindex_request *request, struct arena *mem,
		  struct str *refusal, struct err *err);
int reindex_look(struct cluster *target, struct str task, struct arena *mem,
		 struct reindex_task *out, struct err *err);
/* A task that reads `from` into `to` and runs: its id, in `mem`; ptr NULL: there is none. */
int reindex_find(struct cluster *target, struct str from, struct str to, struct arena *mem,
		 struct str *task, struct err *err);
/* Cancels what reads `from` into `to` and waits until it has ended. ERR_TIMEOUT: it has not. */
int reindex_stop(struct cluster *target, struct str from, struct str to, struct err *err);
/* Why the target cannot reindex from such a source; NULL: it can. */
const char *reindex_cannot(const struct cluster_version *source,
			   const struct cluster_version *target);

#endif
