/* Bulk bodies: built once, sent as they are, and item by item accounted for. */
#ifndef CLUSTER_BULK_H
#define CLUSTER_BULK_H

#include "base/buf.h"
#include "cluster/cluster.h"

enum bulk_operation {
	BULK_INDEX,
	BULK_CREATE, /* a 409 means that it is there already, and is a success */
	BULK_DELETE, /* without a source; a 404 of the document (not of its index) is a success */
};

struct bulk_item {
	size_t action_start; /* offset of the action line in the body */
	size_t source_start; /* offset of the source line; that of the end for a delete */
	size_t end;          /* past its newline */
	enum bulk_operation operation;
	bool external; /* with a version of its own */
};

/* A bulk under construction or on its way. One thread at a time. */
struct bulk {
	struct buf body; /* NDJSON */
	struct bulk_item *items;
	size_t count, capacity;
};

struct bulk_document {
	struct str index, id;     /* id.ptr NULL: the target makes one */
	struct str routing, type; /* ptr NULL: not sent */
	struct str source;
	/* Sent with "version_type":"external_gte" where above -1; a 409 then means that something
	 * newer is there. Not with BULK_CREATE, for which clusters refuse versions. */
	int64_t version;
	enum bulk_operation operation;
	bool external; /* version is to be sent */
};

/* A bulk whose body never exceeds `limit` bytes. */
void bulk_init(struct bulk *bulk, size_t limit);
void bulk_release(struct bulk *bulk);
/* Empties it and keeps the memory. */
void bulk_reset(struct bulk *bulk);
/* Bytes that bulk_add will take at most for this document. */
size_t bulk_size_of(const struct bulk_document *document);
/* Appends {"index":{…}} (or "create", "delete") and the source, if any, whose line breaks (white
 * space between JSON tokens) become spaces on the way. -ERR_LIMIT when it does not fit: nothing is
 * added. */
int bulk_add(struct bulk *bulk, const struct bulk_document *document, struct err *err);

/* The two lines of an item, without their line breaks; a delete's second is empty (ptr NULL). */
static inline struct str bulk_item_action(const struct bulk *bulk, size_t item)
{
	const struct bulk_item *at = &bulk->items[item];

	return str_of(bulk->body.ptr + at->action_start, at->source_start - 1 - at->action_start);
}

static inline struct str bulk_item_source(const struct bulk *bulk, size_t item)
{
	const struct bulk_item *at = &bulk->items[item];

	if (at->end == at->source_start)
		return STR_NONE;
	return str_of(bulk->body.ptr + at->source_start, at->end - 1 - at->source_start);
}

/* What became of the items the target did not take. */
struct bulk_failure {
	size_t item;             /* index into bulk->items */
	int status;              /* HTTP status of the item */
	struct str type, reason; /* in the result's arena; type is empty where none was said */
};

struct bulk_result {
	struct arena mem;
	size_t succeeded;
	struct bulk_failure *failures;
	size_t failure_count;
	size_t retries;    /* requests sent beyond the first */
	size_t superseded; /* of succeeded: the target had something newer, or it already */
	size_t refusals;   /* answers and items that said "not now": 429, 503 … */
};

void bulk_result_init(struct bulk_result *result);
void bulk_result_release(struct bulk_result *result);
/* Sends until every item succeeded or failed for good, and starts *result anew.
 * - Items that came back 429, 502, 503 or 504 are sent again alone, with backoff; after
 *   retry->max_total_ms without a single item taken they have failed ("gave up after N tries: …").
 * - A 413 or 400 for the whole request is split in halves until the one document that causes it is
 *   found; a 500 or the like too, after a few tries.
 * - What is kept out because a disk of the target is full is sent again, too, and the cluster's
 *   watch told; after its block_wait_ms (at least max_total_ms) that ends it all (ERR_HTTP): no
 *   document fails for it.
 *
 * Negative only when the target cannot be used at all: unreachable or overloaded beyond
 * retry->max_total_ms, 401, 403, another status for the whole request, an answer that does not
 * account for every item (ERR_HTTP), cancelled. Then *result tells of the items that were answered
 * for, and nothing is known of the others. `compress`: gzip bodies. Documents without an id may be
 * there twice after a connection was lost. */
int bulk_send(struct cluster *cluster, const struct bulk *bulk, bool compress,
	      struct bulk_result *result, struct err *err);

#endif
