#include "backfill/hash_list.h"

#include <stdlib.h>

void hash_list_add(struct hash_list *list, const struct document_hash *hash)
{
	if (list->count == list->capacity) {
		list->capacity = MAX(list->capacity * 2, (size_t)64);
		list->hashes = mem_realloc(list->hashes, list->capacity * sizeof(*list->hashes));
	}
	list->hashes[list->count++] = *hash;
}

void hash_list_release(struct hash_list *list)
{
	free(list->hashes);
	*list = (struct hash_list){0};
}

void hash_list_add_to(const struct hash_list *list, struct digest *digest)
{
	for (size_t i = 0; i < list->count; i++)
		digest_add(digest, &list->hashes[i]);
}
