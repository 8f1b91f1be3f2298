/* What the files of the coordinator in a cluster's index share.
 *
 * One document is one work item, as the Java tool has it: id base64url(index)__shard__first_doc,
 * times in seconds since 1970, `expiration` (0: free), `completedAt` when done, `leaseHolderId`
 * while leased, `nextAcquisitionLeaseExponent`, `successor_items`. What is ours alone lies in
 * `bytes`, `parked` and in the object `shardlift`, which is not indexed. Every change is a write of
 * the whole document on condition that it is the one that was read. */
#ifndef BACKFILL_COORDINATOR_CLUSTER_INTERNAL_H
#define BACKFILL_COORDINATOR_CLUSTER_INTERNAL_H

#include "backfill/coordinator_internal.h"
#include "base/process_identity.h"
#include "cluster/cluster.h"

#include <pthread.h>

#define STATE_SETUP_ID "shard_setup"
/* One document, its state of at most LIMIT_WORK_STATE escaped. */
#define LIMIT_STATE_DOCUMENT MIB(16)
/* The answers to one operation. */
#define LIMIT_STATE_ANSWERS MIB(256)
/* The expiration of parked items: 9999-12-31, so that no worker of the Java tool takes them. */
#define STATE_NEVER_S INT64_C(253402300799)

/* Which write of a document. */
struct state_revision {
	int64_t seq_no, primary_term, version;
};

/* A document that this process has the lease of. */
struct held_item {
	struct held_item *next;
	char token[COORDINATOR_TOKEN_SIZE];
	char *id;
	struct state_revision revision;
	struct buf source; /* as last written */
};

struct cluster_coordinator {
	struct coordinator base;
	struct coordinator_options options; /* its strings are those below */
	struct coordinator_clock clock;
	char session[COORDINATOR_SESSION_MAX + 1];
	char worker[COORDINATOR_WORKER_SIZE];
	char index[COORDINATOR_SESSION_MAX + 40];
	enum coordinator_compat compat;
	struct process_identity process;
	bool has_types;        /* Elasticsearch before 7 */
	bool has_seq_no;       /* conditions by sequence number; else by version */
	pthread_mutex_t mutex; /* of what is below */
	struct cluster *cluster;
	struct held_item *held;
};

static inline struct cluster_coordinator *cluster_of(struct coordinator *c)
{
	return (struct cluster_coordinator *)c;
}

/* As coordinator_cluster_open, for tests. */
int coordinator_cluster_open_with(struct cluster *cluster, enum coordinator_compat compat,
				  const struct coordinator_options *options,
				  const struct coordinator_clock *clock, struct coordinator **out,
				  struct err *err);

/* coordinator_cluster_store.c: requests. All need the mutex; answers live in `mem`. */

/* Makes the index unless it is there. */
int state_make_index(struct cluster_coordinator *cc, struct arena *mem, struct err *err);
/* What was written until now is found by searches from now on. */
int state_refresh(struct cluster_coordinator *cc, struct arena *mem, struct err *err);
/* *source: NULL if there is none. */
int state_get(struct cluster_coordinator *cc, struct str id, struct arena *mem,
	      struct json **source, struct state_revision *revision, struct err *err);
/* Writes `source` (and a mark of this write into it) in place of `revision`, which becomes the new
 * one; revision NULL: as a new document. *written: false when something else is there. */
int state_put(struct cluster_coordinator *cc, struct str id, struct json *source,
	      struct state_revision *revision, struct arena *mem, bool *written, struct err *err);
/* The hits. */
int state_search(struct cluster_coordinator *cc, struct str body, struct arena *mem,
		 struct json **hits, struct err *err);
/* Calls `visit` with every document. Strings live in `mem`. *torn, of a failure: a page is lost,
 * and all may be read anew. */
int state_scan(struct cluster_coordinator *cc, struct arena *mem,
	       int (*visit)(void *user, struct str id, struct json *source, struct err *err),
	       void *user, bool *torn, struct err *err);
/* Creates documents that are not there yet: lines of a bulk's body, two each. */
int state_bulk_create(struct cluster_coordinator *cc, struct str lines, struct arena *mem,
		      struct err *err);

/* coordinator_cluster_document.c: the documents. */

struct item_document {
	struct work_item item;
	struct work_progress progress;
	int64_t expiration_s, exponent, lease_ms;
	int32_t failures, deaths; /* deaths: of processes, without progress */
	bool completed, parked, divided, progressed;
	struct str holder; /* leaseHolderId */
	struct str worker; /* of Shardlift, that holds or held it */
	struct str lease, reason, successors;
	struct json *dividing;
	struct process_identity process; /* of `worker`; boot_id "": not known */
};
const char *document_script_version(enum coordinator_compat compat);
/* -ERR_USAGE when the document was made by others than `compat` says. */
int document_check_version(const struct cluster_coordinator *cc, const struct json *source,
			   struct err *err);
/* Appends the id of an item. */
void document_append_id(struct buf *out, const struct work_item *item);
/* Appends both lines of its creation. */
void document_append_create(const struct cluster_coordinator *cc, struct buf *out,
			    const struct work_item *item, bool divided, struct arena *mem);
/* Strings live as long as source and mem. False: the id is no item's. */
bool document_read(struct str id, const struct json *source, struct arena *mem,
		   struct item_document *out);
/* The object that is ours alone; made when it is not there. */
struct json *document_own(struct json *source, struct arena *mem);
void document_set_int(struct json *object, const char *key, int64_t value, struct arena *mem);
void document_set_bool(struct json *object, const char *key, bool value, struct arena *mem);
/* ptr NULL: null. The text is copied. */
void document_set_text(struct json *object, const char *key, struct str value, struct arena *mem);
void document_set_progress(struct json *source, const struct work_progress *progress,
			   struct arena *mem);
void document_set_process(struct json *source, const struct process_identity *process,
			  struct arena *mem);
/* Whether the lease is one of ours, on this host, whose process is no more. */
bool document_holder_is_gone(const struct cluster_coordinator *cc,
			     const struct item_document *item);
/* Seconds, rounded up. */
int64_t seconds_up(int64_t ms);

/* coordinator_cluster_create.c */
int cluster_create(struct coordinator *c, struct str fingerprint, const struct work_item *items,
		   size_t count, bool *created, struct err *err);

/* coordinator_cluster_claim.c */
int cluster_claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		  int64_t *wait_ms, struct err *err);

/* coordinator_cluster_progress.c */
int cluster_checkpoint(struct coordinator *c, struct work_claim *claim,
		       const struct work_progress *progress, struct err *err);
int cluster_complete(struct coordinator *c, struct work_claim *claim,
		     const struct work_progress *progress, struct err *err);
int cluster_release(struct coordinator *c, struct work_claim *claim, struct err *err);
int cluster_fail(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
		 struct err *err);
void document_park(struct json *source, struct arena *mem);
/* Gives back whatever is held. */
void cluster_release_all(struct cluster_coordinator *cc);

/* coordinator_cluster_divide.c */
int cluster_divide(struct coordinator *c, struct work_claim *claim, const struct work_item *ranges,
		   size_t count, struct err *err);
/* Does what a division that was cut short has left to do. */
int cluster_finish_division(struct cluster_coordinator *cc, struct held_item *held,
			    struct arena *mem, bool *lost, struct err *err);

/* coordinator_cluster_held.c: the leases of this process. */
struct held_item *held_add(struct cluster_coordinator *cc, struct str id,
			   const char token[static COORDINATOR_TOKEN_SIZE],
			   const struct state_revision *revision, const struct json *source);
/* NULL when it was lost. */
struct held_item *held_find(struct cluster_coordinator *cc, const struct work_claim *claim);
void held_remove(struct cluster_coordinator *cc, struct held_item *held);
/* The document, to be changed. */
int held_read(const struct held_item *held, struct arena *mem, struct json **source,
	      struct err *err);
/* Writes what it was changed into. *lost: another one has the lease. */
int held_write(struct cluster_coordinator *cc, struct held_item *held, struct json *source,
	       struct arena *mem, bool *lost, struct err *err);

/* coordinator_cluster_tuning.c */
int cluster_tuning_take(struct coordinator *c, struct arena *mem, bool *ours, struct str *saved,
			struct err *err);
int cluster_tuning_keep(struct coordinator *c, struct str saved, struct err *err);
int cluster_tuning_look(struct coordinator *c, struct arena *mem, struct str *saved,
			struct err *err);

/* coordinator_cluster_list.c */
int cluster_list(struct coordinator *c, struct arena *mem, struct work_status **out, size_t *count,
		 struct err *err);
int cluster_unpark(struct coordinator *c, size_t *count, struct err *err);

#endif
