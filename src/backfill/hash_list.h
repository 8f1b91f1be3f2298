/* Hashes of the documents of a bulk, kept until it is acknowledged: then they go into the digest of
 * their work item. Not thread-safe. */
#ifndef BACKFILL_HASH_LIST_H
#define BACKFILL_HASH_LIST_H

#include "documents/digest.h"

#define HASH_LIST_MAX 4096

/* Starts as {0}. */
struct hash_list {
	struct document_hash *hashes; /* HASH_LIST_MAX at most */
	size_t count, capacity;
	struct digest sum; /* of those before them; no buckets: there are none */
};

void hash_list_add(struct hash_list *list, const struct document_hash *hash);
void hash_list_release(struct hash_list *list);
/* Adds all of them to the digest, which has SOURCE_DIGEST_BUCKETS or fewer. */
void hash_list_add_to(const struct hash_list *list, struct digest *digest);

#endif
