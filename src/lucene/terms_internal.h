/* The parts of terms.h: which block a field's terms begin with, and the walk from there. */
#ifndef LUCENE_TERMS_INTERNAL_H
#define LUCENE_TERMS_INTERNAL_H

#include "lucene/postings.h"

/* How a terms dictionary is written. */
struct terms_format {
	bool meta_file;  /* .tmd, from 8.6 on; before, all is at the end of the .tim */
	bool trie;       /* 10.3 on: where the root is, its .tip says */
	bool most_first; /* numbers of the index: 9.4 on */
	bool longs;      /* how many numbers of metadata there are, up to 8.3 */
	bool compressed; /* suffixes and stats of blocks, 8.4 on */
	bool bounds;     /* least and greatest term, but before 4.9 */
};

struct terms_field {
	uint64_t terms;
	uint64_t total, postings; /* occurrences, documents of all terms together */
	uint64_t root;            /* where in the .tim */
	uint64_t trie_start, trie_root;
	struct str prefix; /* of the terms that are wanted */
	bool found;
};

/* The fields of a .tmd from behind its headers on, or of a .tim's end; DOCS of `infos` decides what
 * is there of each. */
int terms_field_find(struct rd *rd, const struct terms_format *format,
		     const struct field_infos *infos, int32_t number, struct terms_field *out,
		     struct err *err);
/* Where the block of a trie's root node is: its bytes in the .tip, from it on. */
uint64_t terms_trie_output(struct rd *rd);
/* All terms from the root on, in their order. */
int terms_walk(struct byte_stream *tim, const struct terms_format *format,
	       const struct terms_field *field, struct postings *postings,
	       struct inversion *inversion, struct err *err);

#endif
