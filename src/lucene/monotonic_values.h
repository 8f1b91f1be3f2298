/* Integers that hardly ever fall, in a file: addresses and lists of documents, through a window.
 *
 * DirectMonotonic (Lucene 5.4 on) has its blocks in the metadata; of MonotonicBlockPacked the
 * blocks' beginnings are read when it is opened:
 *
 *   zigzag vLong min | i32 bits of a float: average | vInt bits | packed values
 *
 * Source: Lucene 9.12.1 util/packed/DirectMonotonicReader; 5.3.2 MonotonicBlockPackedReader. */
#ifndef LUCENE_MONOTONIC_VALUES_H
#define LUCENE_MONOTONIC_VALUES_H

#include "lucene/doc_values_meta.h"
#include "lucene/range_window.h"

struct monotonic_values {
	const struct monotonic_meta *meta; /* borrowed */
	bool little;
	uint64_t base, end; /* in the file: what the blocks' data count from; end of the content */
	struct monotonic_block *blocks;
	struct monotonic_block *own; /* those that were read, or NULL */
	struct range_window window;
};

/* `source` (borrowed; its content ends at `end`) is the .dvd. ERR_FORMAT when blocks lie outside.
 */
int monotonic_values_init(struct monotonic_values *values, const struct monotonic_meta *meta,
			  bool little, struct bytes_source *source, uint64_t end, struct err *err);
void monotonic_values_release(struct monotonic_values *values);
/* Cheap for ascending i. ERR_FORMAT when there are not so many, or the block is damaged. */
int monotonic_values_get(struct monotonic_values *values, uint64_t i, int64_t *out,
			 struct err *err);
/* Bytes held in memory. */
size_t monotonic_values_memory(const struct monotonic_values *values);

#endif
