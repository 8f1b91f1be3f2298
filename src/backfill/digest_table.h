/* A hash table of 128-bit names: of documents, and of records of them. */
#ifndef BACKFILL_DIGEST_TABLE_H
#define BACKFILL_DIGEST_TABLE_H

#include "base/siphash.h"

/* SipHash with a key that all processes share: names are kept in files. */
struct id128 {
	uint64_t high, low;
};

struct id128 id128_of(struct str bytes);
/* Of two texts, told apart wherever the one ends. */
struct id128 id128_of_pair(struct str a, struct str b);
static inline bool id128_eq(struct id128 a, struct id128 b)
{
	return a.high == b.high && a.low == b.low;
}

#define ID128_TEXT 33 /* 32 hexadecimal digits and a NUL */
void id128_print(struct id128 id, char text[static ID128_TEXT]);
bool id128_parse(struct str text, struct id128 *out);

struct digest_entry {
	struct id128 id;
	int64_t time;        /* the user's */
	uint64_t file, line; /* the user's */
	bool used;
};

struct digest_table {
	struct digest_entry *slots;
	size_t count, capacity;
};

/* Starts as {0}. */
void digest_table_release(struct digest_table *table);
void digest_table_clear(struct digest_table *table);
/* NULL if absent. Valid until the next digest_table_add. */
struct digest_entry *digest_table_find(const struct digest_table *table, struct id128 id);
/* The entry of the id, a new one with everything else zero where *added. */
struct digest_entry *digest_table_add(struct digest_table *table, struct id128 id, bool *added);

#endif
