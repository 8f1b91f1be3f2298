#include "backfill/digest_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct id128 hash(const struct siphash_key *key, struct str bytes)
{
	struct siphash_value value = siphash(key, bytes);

	return (struct id128){value.words[0], value.words[1]};
}

struct id128 id128_of(struct str bytes)
{
	static const struct siphash_key key = {{0x73686172646c6966, 0x6661696c65640000}};

	return hash(&key, bytes);
}

struct id128 id128_of_pair(struct str a, struct str b)
{
	struct id128 first = id128_of(a);
	/* The first text's hash is the key, so that where it ends counts. */
	const struct siphash_key key = {{first.high, first.low}};

	return hash(&key, b);
}

void id128_print(struct id128 id, char text[static ID128_TEXT])
{
	snprintf(text, ID128_TEXT, "%016" PRIx64 "%016" PRIx64, id.high, id.low);
}

bool id128_parse(struct str text, struct id128 *out)
{
	uint64_t half[2] = {0};

	if (text.len != ID128_TEXT - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *digits = "0123456789abcdef", *at = strchr(digits, text.ptr[i]);

		if (!at || !*at)
			return false;
		half[i / 16] = half[i / 16] << 4 | (uint64_t)(at - digits);
	}
	*out = (struct id128){half[0], half[1]};
	return true;
}

void digest_table_release(struct digest_table *table)
{
	free(table->slots);
	*table = (struct digest_table){0};
}

void digest_table_clear(struct digest_table *table)
{
	if (table->slots)
		memset(table->slots, 0, table->capacity * sizeof(*table->slots));
	table->count = 0;
}

/* Where it is, or where it would go. There always is a free slot. */
static struct digest_entry *slot_of(const struct digest_table *table, struct id128 id)
{
	size_t mask = table->capacity - 1, at = (size_t)id.low & mask;

	while (table->slots[at].used && !id128_eq(table->slots[at].id, id))
		at = (at + 1) & mask;
	return &table->slots[at];
}

struct digest_entry *digest_table_find(const struct digest_table *table, struct id128 id)
{
	struct digest_entry *slot = table->capacity ? slot_of(table, id) : NULL;

	return slot && slot->used ? slot : NULL;
}

static void grow(struct digest_table *table)
{
	struct digest_table larger = {.capacity = MAX(table->capacity * 2, (size_t)256),
				      .count = table->count};

	larger.slots = mem_zalloc(larger.capacity * sizeof(*larger.slots));
	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].used)
			*slot_of(&larger, table->slots[i].id) = table->slots[i];
	free(table->slots);
	*table = larger;
}

struct digest_entry *digest_table_add(struct digest_table *table, struct id128 id, bool *added)
{
	struct digest_entry *slot;

	if (table->count >= table->capacity / 4 * 3)
		grow(table);
	slot = slot_of(table, id);
	*added = !slot->used;
	if (*added) {
		*slot = (struct digest_entry){.id = id, .used = true};
		table->count++;
	}
	return slot;
}
