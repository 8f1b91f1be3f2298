/* Where the chunks of a .fdt begin: the index of the stored fields, .fdx (and .fdm from Lucene 8.5
 * on).
 *
 * Formats, one file each: 40 (a start for each document), 41 and 50 (blocks of packed integers:
 * Lucene 4.1 to 8.4), 85 and 90 (DirectMonotonic: Lucene 8.5 on, zstd too). The header of the .fdx
 * decides. Not a byte of the .fdt is read. Values have no threads. */
#ifndef LUCENE_STORED_INDEX_H
#define LUCENE_STORED_INDEX_H

#include "lucene/directory.h"

struct stored_chunk_start {
	int32_t doc;       /* first document of the chunk */
	uint64_t position; /* of the chunk in the .fdt */
};

/* Chunks in order, the first at document 0. An index of very many chunks is thinned out: then only
 * every second, fourth, … of them is here. */
struct stored_index {
	struct stored_chunk_start *starts; /* owned */
	size_t count;
	uint64_t end;         /* in the .fdt: no chunk goes beyond */
	uint64_t file_length; /* of the .fdt */
};

/* Reads the index of <segment>. Arguments as for stored_fields_open. ERR_NOT_FOUND: there is none;
 * a pass from the start needs none. ERR_UNSUPPORTED names an unknown codec string. */
int stored_index_read(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		      int32_t max_doc, struct stored_index *out, struct err *err);
/* The last of the starts at or before `doc`. */
struct stored_chunk_start stored_index_find(const struct stored_index *index, int32_t doc);
void stored_index_release(struct stored_index *index);

#endif
