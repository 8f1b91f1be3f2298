#include "backfill/hash_list.h"

#include "backfill/source_digests.h"

#include <stdlib.h>

/* A shard of documents that are not sent has no bulk for them to go with. */
static void sum_up(struct hash_list *list)
{
	if (!list->sum.buckets)
		digest_init(&list->sum, SOURCE_DIGEST_BUCKETS);
	for (size_t i = 0; i < list->count; i++)
		digest_add(&list->sum, &list->hashes[i]);
	list->count = 0;
}

void hash_list_add(struct hash_list *list, const struct document_hash *hash)
{
	if (list->count == HASH_LIST_MAX)
		sum_up(list);
	if (list->count == list->capacity) {
		list->capacity = MAX(list->capacity * 2, (size_t)64);
		list->hashes = mem_realloc(list->hashes, list->capacity * sizeof(*list->hashes));
	}
	list->hashes[list->count++] = *hash;
}

void hash_list_release(struct hash_list *list)
{
	digest_release(&list->sum);
	free(list->hashes);
	*list = (struct hash_list){0};
}

void hash_list_add_to(const struct hash_list *list, struct digest *digest)
{
	if (list->sum.buckets)
		digest_merge(digest, &list->sum);
	for (size_t i = 0; i < list->count; i++)
		digest_add(digest, &list->hashes[i]);
}
