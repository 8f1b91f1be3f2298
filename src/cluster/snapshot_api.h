/* The snapshot API of a cluster: requests that change something are made first and sent apart, so
 * that a plan shows exactly what would be sent; what only reads is one call.
 *
 * Source: GET/PUT/POST/DELETE _snapshot of Elasticsearch 1 to 8 and OpenSearch 1 to 3. Not
 * thread-safe, as the cluster is. */
#ifndef CLUSTER_SNAPSHOT_API_H
#define CLUSTER_SNAPSHOT_API_H

#include "cluster/cluster.h"

/* One that changes something. In the arena it was made with. */
struct snapshot_request {
	const char *method;
	const char *path;        /* encoded */
	const struct json *body; /* NULL: none */
	bool repeatable;         /* sent twice it does what it does once */
};

/* Names are as the user wrote them; ERR_LIMIT when they do not fit into a path. */
int snapshot_request_register(struct str repository, const struct json *body, struct arena *mem,
			      struct snapshot_request *out, struct err *err);
int snapshot_request_verify(struct str repository, struct arena *mem, struct snapshot_request *out,
			    struct err *err);
int snapshot_request_unregister(struct str repository, struct arena *mem,
				struct snapshot_request *out, struct err *err);
int snapshot_request_create(struct str repository, struct str snapshot, const struct json *body,
			    struct arena *mem, struct snapshot_request *out, struct err *err);
int snapshot_request_restore(struct str repository, struct str snapshot, const struct json *body,
			     struct arena *mem, struct snapshot_request *out, struct err *err);
int snapshot_request_delete(struct str repository, struct str snapshot, struct arena *mem,
			    struct snapshot_request *out, struct err *err);
/* ERR_NOT_FOUND for 404, ERR_CONFLICT for 409, ERR_HTTP for other refusals, with the cluster's
 * reason. *answer is in `mem`. */
int snapshot_request_send(struct cluster *cluster, const struct snapshot_request *request,
			  struct arena *mem, struct json **answer, struct err *err);

/* {name: {type, settings}} of all repositories. */
int snapshot_api_repositories(struct cluster *cluster, struct arena *mem, struct json **out,
			      struct err *err);
/* {type, settings} of one; ERR_NOT_FOUND. */
int snapshot_api_repository(struct cluster *cluster, struct str repository, struct arena *mem,
			    struct json **out, struct err *err);
/* The entry of one snapshot (state, version, indices, …); ERR_NOT_FOUND. */
int snapshot_api_get(struct cluster *cluster, struct str repository, struct str snapshot,
		     struct arena *mem, struct json **out, struct err *err);

struct snapshot_progress {
	/* STARTED, SUCCESS, PARTIAL, …; lives as long as the arena. SUCCESS once the repository
	 * lists it, so that who reads the repository finds it. */
	struct str state;
	int64_t shards_total, shards_done, shards_failed;
	int64_t bytes_total, bytes_done; /* of files this snapshot writes itself */
	int64_t started_ms, elapsed_ms;
};
/* *indices, where it is asked for: {name: {shards_stats, shards}} as the cluster tells it. */
int snapshot_api_status(struct cluster *cluster, struct str repository, struct str snapshot,
			struct arena *mem, struct snapshot_progress *out, struct json **indices,
			struct err *err);
/* Entries of all snapshots, asked for in parts, for answers about thousands of them fail. */
int snapshot_api_list(struct cluster *cluster, struct str repository, struct arena *mem,
		      struct json **out, struct err *err);
/* How far a restore of that snapshot is, in shards; state is empty once none is under way. */
int snapshot_api_restore_status(struct cluster *cluster, struct str repository, struct str snapshot,
				struct arena *mem, struct snapshot_progress *out, struct err *err);

/* Whether the target can read the indices of the snapshot `entry` (of snapshot_api_get), as far as
 * its version tells; ERR_BLOCKED says why not. Indices made by an older version than the
 * snapshot's are left to the server. */
int snapshot_check_version(const struct json *entry, const struct cluster *target, struct err *err);
/* The same of a snapshot made by that version. */
bool snapshot_version_is_readable(const struct cluster_version *by,
				  const struct cluster_version *target);
/* Two repositories ({type, settings}) that lie in one place, as far as their settings tell. */
bool snapshot_repository_is_same(const struct json *a, const struct json *b);
/* Where it lies, in words: path, URL or bucket/prefix; in `mem`. */
struct str snapshot_repository_place(const struct json *repository, struct arena *mem);

#endif
