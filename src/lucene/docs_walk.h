/* Which documents have a value, and the how-manieth it is: a walk forward over the set in a .dvd.
 */
#ifndef LUCENE_DOCS_WALK_H
#define LUCENE_DOCS_WALK_H

#include "lucene/indexed_disi.h"
#include "lucene/monotonic_values.h"

#define DOCS_ALL (-1)
#define DOCS_NONE (-2)

struct docs_walk {
	const struct doc_values_meta *meta; /* borrowed */
	struct range_window bits;           /* a bit a document, before Lucene 7 */
	struct indexed_disi_walk disi;      /* from Lucene 7 on */
	struct monotonic_values list;       /* few documents, 5.4 to 6 */
	uint64_t passed;                    /* of the list */
};

/* Whether the set lies in the .dvd at all: else docs_walk_init needs no source. */
bool docs_walk_needs_data(const struct doc_values_meta *meta);
/* `source` (borrowed; its content ends at `end`) is the .dvd. ERR_FORMAT when the set lies outside
 * of it. Release does nothing to a zeroed walk. */
int docs_walk_init(struct docs_walk *walk, const struct doc_values_meta *meta,
		   struct bytes_source *source, uint64_t end, struct err *err);
void docs_walk_release(struct docs_walk *walk);
/* 1: the document has a value, the one of that index; 0: none. Each call's document is no smaller
 * than that of the call before. */
int docs_walk_find(struct docs_walk *walk, int32_t doc, int64_t *index, struct err *err);
/* Bytes held in memory. */
size_t docs_walk_memory(const struct docs_walk *walk);

#endif
