#include "backfill/ids_under_way.h"

#include "base/json_hash.h"

#include <stdlib.h>

#define SLOTS ((size_t)1 << 17) /* of 8 bytes */
#define MOST (SLOTS / 2)

/* A hash that two share makes one of them wait, and no more. */
bool ids_under_way_add(struct ids_under_way *ids, struct str index, struct str id)
{
	struct hash128 of_id = bytes_hash(id), of_index = bytes_hash(index);
	uint64_t hash = of_id.low ^ (of_index.low << 1 | of_index.low >> 63);
	size_t at = (size_t)(hash ^ hash >> 32) % SLOTS;

	if (!ids->slots)
		ids->slots = mem_zalloc(SLOTS * sizeof(*ids->slots));
	hash += hash == 0;
	while (ids->slots[at] && ids->slots[at] != hash)
		at = (at + 1) % SLOTS;
	if (ids->slots[at] == hash || ids->count == MOST)
		return false;
	ids->slots[at] = hash;
	ids->count++;
	return true;
}

void ids_under_way_clear(struct ids_under_way *ids)
{
	if (ids->count > 0)
		memset(ids->slots, 0, SLOTS * sizeof(*ids->slots));
	ids->count = 0;
}

void ids_under_way_release(struct ids_under_way *ids)
{
	free(ids->slots);
	*ids = (struct ids_under_way){0};
}
