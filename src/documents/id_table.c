/* Open addressing, linear probing, three quarters full at most. */
#include "documents/id_table.h"

#include <stdlib.h>

#define EMPTY UINT32_MAX
#define LEAST 16

static size_t capacity_for(size_t count)
{
	return MAX(count, (size_t)LEAST) / 3 * 4 + 4;
}

size_t id_table_room(size_t bytes)
{
	return MAX(bytes / sizeof(struct id_entry) / 4 * 3, (size_t)LEAST);
}

static void empty(struct id_table *table, size_t capacity)
{
	table->entries = mem_alloc(capacity * sizeof(*table->entries));
	memset(table->entries, 0xff, capacity * sizeof(*table->entries));
	table->capacity = capacity;
	table->count = 0;
}

void id_table_start(struct id_table *table, size_t count)
{
	id_table_release(table);
	empty(table, capacity_for(count));
}

void id_table_release(struct id_table *table)
{
	free(table->entries);
	*table = (struct id_table){0};
}

/* Where the id is, or the empty place where it would be. */
static struct id_entry *place(const struct id_table *table, const uint32_t hash[4])
{
	size_t i = (size_t)(((uint64_t)hash[0] << 32 | hash[1]) % table->capacity);

	while (table->entries[i].doc != EMPTY &&
	       memcmp(table->entries[i].hash, hash, sizeof(table->entries[i].hash)) != 0)
		i = i + 1 < table->capacity ? i + 1 : 0;
	return &table->entries[i];
}

static void grow(struct id_table *table)
{
	struct id_table old = *table;

	empty(table, old.capacity * 2);
	for (size_t i = 0; i < old.capacity; i++)
		if (old.entries[i].doc != EMPTY)
			*place(table, old.entries[i].hash) = old.entries[i];
	table->count = old.count;
	free(old.entries);
}

static void split_hash(struct siphash_value hash, uint32_t out[4])
{
	out[0] = (uint32_t)(hash.words[0] >> 32);
	out[1] = (uint32_t)hash.words[0];
	out[2] = (uint32_t)(hash.words[1] >> 32);
	out[3] = (uint32_t)hash.words[1];
}

void id_table_put(struct id_table *table, struct siphash_value hash, uint32_t doc)
{
	struct id_entry entry = {.doc = doc}, *at;

	if (table->count + 1 > table->capacity / 4 * 3)
		grow(table);
	split_hash(hash, entry.hash);
	at = place(table, entry.hash);
	table->count += at->doc == EMPTY;
	*at = entry;
}

int64_t id_table_find(const struct id_table *table, struct siphash_value hash)
{
	uint32_t words[4];
	const struct id_entry *at;

	split_hash(hash, words);
	at = place(table, words);
	return at->doc == EMPTY ? -1 : (int64_t)at->doc;
}
