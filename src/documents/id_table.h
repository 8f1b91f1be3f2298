/* Ids of documents, as hashes of 128 bits, and which document of a shard each is of. */
#ifndef DOCUMENTS_ID_TABLE_H
#define DOCUMENTS_ID_TABLE_H

#include "base/siphash.h"

struct id_entry {
	uint32_t hash[4];
	uint32_t doc; /* Lucene document id in the shard; UINT32_MAX: empty */
};

struct id_table {
	struct id_entry *entries;
	size_t capacity, count;
};

/* How many ids a table of so many bytes holds; never less than 16. */
size_t id_table_room(size_t bytes);
/* Empties it, and makes room for about `count` ids; it grows where that was too few. */
void id_table_start(struct id_table *table, size_t count);
void id_table_release(struct id_table *table);
void id_table_put(struct id_table *table, struct siphash_value hash, uint32_t doc);
/* The document of that id; -1: none. */
int64_t id_table_find(const struct id_table *table, struct siphash_value hash);

#endif
