/* The nested documents before a range that begins among those of one document. */
#ifndef DOCUMENTS_NESTED_LEAD_H
#define DOCUMENTS_NESTED_LEAD_H

#include "documents/rebuild.h"

/* Gives the rebuilder what comes between the last document with an id before `first` and `first`.
 * Reads the chunks that hold these, of a reader of its own. */
int nested_lead_read(struct lucene_directory *dir, const struct segment_commit *commit,
		     int32_t first, struct rebuilder *rebuilder, struct err *err);

#endif
