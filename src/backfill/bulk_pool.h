/* The bulks of a run: filled, sent, and filled again, within one ceiling of memory. Thread-safe.
 *
 * Waiting is first come, first served, so that a document which needs a bulk of its own is not
 * overtaken for ever. Before another bulk is made, one that may come back at once is waited for. A
 * reader hands on the bulk it holds before it takes another one: then a ceiling of one bulk is
 * enough to go on. */
#ifndef BACKFILL_BULK_POOL_H
#define BACKFILL_BULK_POOL_H

#include "backfill/bulk_sink.h"
#include "backfill/item.h"

struct bulk_pool;

struct pooled_bulk {
	struct bulk bulk;
	struct bulk_origin origin;
	struct item *item;         /* of whose documents it is, held */
	struct doc_range covers;   /* of the item, documents that are not sent included */
	struct item_counts counts; /* of these, as read */
	struct hash_list hashes;   /* of these, where digests are taken; not of the ceiling */
	size_t reserved;           /* bytes of the ceiling it holds */
	struct pooled_bulk *next;  /* while unused */
};

/* Bulks of `limit` bytes, `ceiling` bytes in all; limit <= ceiling. */
struct bulk_pool *bulk_pool_new(size_t limit, size_t ceiling);
/* All bulks have been given back. Accepts NULL. */
void bulk_pool_free(struct bulk_pool *pool);
/* An empty bulk that holds `size` bytes: one of `limit` bytes, or where that is less one of its
 * own, for which unused ones are given up. Waits for room; a size above the ceiling waits until
 * nothing else is held. NULL once the pool is closed. */
struct pooled_bulk *bulk_pool_take(struct bulk_pool *pool, size_t size);
/* Accepts NULL. */
void bulk_pool_give(struct bulk_pool *pool, struct pooled_bulk *bulk);
/* Wakes all who wait. */
void bulk_pool_close(struct bulk_pool *pool);
/* The most bytes ever reserved at once. */
size_t bulk_pool_peak(struct bulk_pool *pool);

#endif
