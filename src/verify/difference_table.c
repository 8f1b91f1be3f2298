#include "verify/difference_table.h"

#include <pthread.h>
#include <stdlib.h>

#define TEXTS_MAX MIB(64) /* sources of changed documents, in all */

struct difference_table {
	pthread_mutex_t lock;
	struct arena mem;
	struct difference_entry **chains;
	size_t chain_count, count, most, text_bytes;
};

struct difference_table *difference_table_new(size_t most)
{
	struct difference_table *table = mem_zalloc(sizeof(*table));

	pthread_mutex_init(&table->lock, NULL);
	table->mem = ARENA_INIT(SIZE_MAX / 2);
	table->most = most;
	for (table->chain_count = 1024; table->chain_count < most && table->chain_count < MIB(1);)
		table->chain_count *= 2;
	table->chains = mem_zalloc(table->chain_count * sizeof(struct difference_entry *));
	return table;
}

static void free_texts(struct difference_entry *entry, void *user)
{
	(void)user;
	free(entry->texts[0]);
	free(entry->texts[1]);
}

void difference_table_free(struct difference_table *table)
{
	if (!table)
		return;
	difference_table_each(table, free_texts, NULL);
	arena_release(&table->mem);
	free(table->chains);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static struct difference_entry **chain_of(struct difference_table *table, struct str id)
{
	return &table->chains[bytes_hash(id).low & (table->chain_count - 1)];
}

static struct difference_entry *find(struct difference_table *table, struct str id)
{
	struct difference_entry *entry = *chain_of(table, id);

	while (entry && !str_eq(entry->id, id))
		entry = entry->next;
	return entry;
}

static struct difference_entry *add_entry(struct difference_table *table, struct str id)
{
	struct difference_entry **chain = chain_of(table, id), *entry;

	if (table->count == table->most)
		return NULL;
	entry = arena_zalloc(&table->mem, 1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->id = arena_str(&table->mem, id);
	if (!entry->id.ptr)
		return NULL;
	entry->next = *chain;
	*chain = entry;
	table->count++;
	return entry;
}

bool difference_table_add(struct difference_table *table, int side, struct str id,
			  struct hash128 hash)
{
	struct difference_entry *entry;

	pthread_mutex_lock(&table->lock);
	entry = find(table, id);
	if (!entry)
		entry = add_entry(table, id);
	if (entry) {
		entry->counts[side]++;
		entry->sums[side] = hash128_add(entry->sums[side], hash);
	}
	pthread_mutex_unlock(&table->lock);
	return entry != NULL;
}

void difference_table_each(struct difference_table *table,
			   void (*visit)(struct difference_entry *entry, void *user), void *user)
{
	for (size_t i = 0; i < table->chain_count; i++)
		for (struct difference_entry *entry = table->chains[i]; entry; entry = entry->next)
			visit(entry, user);
}

struct difference_entry *difference_table_find(struct difference_table *table, struct str id)
{
	return find(table, id);
}

bool difference_is_changed(const struct difference_entry *entry)
{
	return entry->counts[0] == 1 && entry->counts[1] == 1 &&
	       !hash128_equal(entry->sums[0], entry->sums[1]);
}

void difference_table_keep(struct difference_table *table, int side, struct str id,
			   struct str source)
{
	struct difference_entry *entry;

	pthread_mutex_lock(&table->lock);
	entry = find(table, id);
	if (entry && difference_is_changed(entry) && !entry->texts[side] && source.ptr &&
	    table->text_bytes + source.len <= TEXTS_MAX) {
		entry->texts[side] = str_dup(source);
		entry->text_lengths[side] = source.len;
		table->text_bytes += source.len;
	}
	pthread_mutex_unlock(&table->lock);
}
