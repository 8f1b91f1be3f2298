/* The terms of one field of a segment, turned round: what each document has.
 *
 * The block tree of Lucene 4.1 to 10 (codecs/blocktree, lucene90 and lucene103); its index (.tip)
 * is not needed but for where it begins. docs/formats/indexed.md draws it. */
#ifndef LUCENE_TERMS_H
#define LUCENE_TERMS_H

#include "lucene/inversion.h"
#include "lucene/segment_reader.h"

/* `positions`: each occurrence with its position, where the index has them; else each document that
 * has a term once. `prefix`: terms that do not begin with it are left out, their postings unread.
 * *out (the caller's) is NULL where the segment has no terms of that field.
 * `most`: bytes that the inversion may take. ERR_UNSUPPORTED names a format that is not read;
 * ERR_FORMAT file and reason; ERR_LIMIT the field. */
int terms_invert(const struct segment_reader *segment, struct str field, bool positions,
		 struct str prefix, size_t most, struct inversion **out, struct err *err);

#endif
