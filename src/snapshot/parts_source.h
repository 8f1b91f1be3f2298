/* One file in several blobs: `base`.part0, `base`.part1, … */
#ifndef SNAPSHOT_PARTS_SOURCE_H
#define SNAPSHOT_PARTS_SOURCE_H

#include "store/blob_store.h"

/* A file of `length` bytes, more than `part_size`. Parts are opened when they are read, and few of
 * them are open at a time; one whose size is not `part_size` (what is left, for the last) is
 * ERR_FORMAT, naming the blob, the size it has and the one it should have. Reads are thread-safe.
 * `store` outlives the source; the names are copied. */
struct bytes_source *parts_source_new(struct blob_store *store, struct str base, uint64_t length,
				      uint64_t part_size, struct str name);

#endif
