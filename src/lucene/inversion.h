/* The values of one field of a segment, which the index has value by value, turned round: document
 * by document. One pass over the values, one over the pairs of value and document; memory for all
 * of them, up to a ceiling. */
#ifndef LUCENE_INVERSION_H
#define LUCENE_INVERSION_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct inversion;

struct inverted_value {
	struct str bytes;
	int32_t position; /* of a token among those of its field; -1 where none is kept */
};

/* What one document has, by position, else in the order of the values. */
struct inverted_values {
	size_t count;
	const struct inverted_value *list; /* borrowed until the next call */
};

/* For documents [0, max_doc) and as many pairs; `most`: bytes that it may take. ERR_LIMIT when that
 * is too little. `pairs` is a number that nobody vouches for. */
int inversion_new(int32_t max_doc, int64_t pairs, size_t most, struct inversion **out,
		  struct err *err);
/* The next value. */
int inversion_value(struct inversion *inversion, struct str bytes, struct err *err);
/* The value at hand is in that document. ERR_FORMAT for one beyond max_doc, or more pairs than were
 * spoken of. */
int inversion_add(struct inversion *inversion, int32_t doc, int32_t position, struct err *err);
/* After the last one; from then on documents can be asked for. */
void inversion_finish(struct inversion *inversion);
void inversion_get(struct inversion *inversion, int32_t doc, struct inverted_values *out);
/* Bytes held. */
size_t inversion_memory(const struct inversion *inversion);
/* Accepts NULL. */
void inversion_free(struct inversion *inversion);

#endif
