/* The documents of buckets that differ: what each side has under an id. Thread-safe. */
#ifndef VERIFY_DIFFERENCE_TABLE_H
#define VERIFY_DIFFERENCE_TABLE_H

#include "documents/digest.h"
#include "verify/verify.h"

struct difference_entry {
	struct difference_entry *next; /* of its chain */
	struct str id;
	uint32_t counts[2]; /* times on the source, on the target */
	struct hash128 sums[2];
	char *texts[2]; /* sources of changed documents, kept in the third pass; owned, or NULL */
	size_t text_lengths[2];
	int64_t versions[2]; /* where it was read again (settle.c); else 0 */
	bool in_motion;      /* it differs, and was written to between two readings */
};

struct difference_table;

/* Holds at most `most` documents. */
struct difference_table *difference_table_new(size_t most);
void difference_table_free(struct difference_table *table);
/* side: 0 source, 1 target. False: it is full, and the document is not in it. */
bool difference_table_add(struct difference_table *table, int side, struct str id,
			  struct hash128 hash);
/* Calls for every entry; not while others add. */
void difference_table_each(struct difference_table *table,
			   void (*visit)(struct difference_entry *entry, void *user), void *user);
/* The entry of an id, or NULL. Entries stay where they are. */
struct difference_entry *difference_table_find(struct difference_table *table, struct str id);
/* Keeps the source of an entry that wants it (a changed one), the first time, within `limit` bytes
 * of all. */
void difference_table_keep(struct difference_table *table, int side, struct str id,
			   struct str source);
bool difference_is_changed(const struct difference_entry *entry);

#endif
