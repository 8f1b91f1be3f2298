/* How many documents of an index have values of a field that do not fit its mapping, so that they
 * were not rebuilt: what the report tells of them. Thread-safe. */
#ifndef DOCUMENTS_REBUILD_TALLY_H
#define DOCUMENTS_REBUILD_TALLY_H

#include "base/buf.h"

struct rebuild_tally;

struct rebuild_tally *rebuild_tally_new(void);
/* Accepts NULL for `tally`. Of more fields than are told by name only the number is kept. */
void rebuild_tally_add(struct rebuild_tally *tally, struct str path, struct str type,
		       uint64_t documents);
/* Appends "not rebuilt: 'a' (long) in 3 documents, ..."; nothing where there are none. */
void rebuild_tally_write(struct rebuild_tally *tally, struct buf *out);
/* Accepts NULL. */
void rebuild_tally_free(struct rebuild_tally *tally);

#endif
