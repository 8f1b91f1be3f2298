/* Compound files: <segment>.cfe (entries) and .cfs (data), formats 40, 50 and 90, as a directory.
 */
#ifndef LUCENE_COMPOUND_H
#define LUCENE_COMPOUND_H

#include "lucene/directory.h"

/* Opens the pair as a directory whose files have their full names ("_0.fdt", "_0_Lucene90_0.dvd").
 * `parent` is borrowed and outlives it. `id` as for segment_info_read. */
int compound_open(struct lucene_directory *parent, struct str segment, const uint8_t *id,
		  struct lucene_directory **out, struct err *err);

#endif
