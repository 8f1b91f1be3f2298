/* How many documents of an index have values of a field that do not fit its mapping, so that they
 * were not rebuilt: what the report tells of them. Thread-safe. */
#ifndef DOCUMENTS_REBUILD_TALLY_H
#define DOCUMENTS_REBUILD_TALLY_H

#include "base/buf.h"

struct rebuild_tally;

struct rebuild_tally *rebuild_tally_new(void);
/* A document of a shard, by its number there, that a source met which reads from document `first`
 * on: several may read ranges of one shard at a time. Whatever is read again, after a failure or
 * since a shard was begun anew, was counted already and is not again: then false, and else its
 * fields are to be added. Accepts NULL for `tally`. */
bool rebuild_tally_begin(struct rebuild_tally *tally, int32_t shard, int64_t first, int64_t doc);
/* One more document has such a value. Accepts NULL for `tally`. Of more fields than are told by
 * name only the number is kept. */
void rebuild_tally_add(struct rebuild_tally *tally, struct str path, struct str type);
/* Appends "not rebuilt: 'a' (long) in 3 documents, ..."; nothing where there are none. */
void rebuild_tally_write(struct rebuild_tally *tally, struct buf *out);
/* Accepts NULL. */
void rebuild_tally_free(struct rebuild_tally *tally);

#endif
