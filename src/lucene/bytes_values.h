/* Byte strings by their index, in a .dvd: the values of a binary field, the terms of sorted ones.
 * What stands in blocks is decoded a block at a time. */
#ifndef LUCENE_BYTES_VALUES_H
#define LUCENE_BYTES_VALUES_H

#include "base/buf.h"
#include "lucene/monotonic_values.h"

struct bytes_values {
	const struct bytes_meta *meta; /* borrowed */
	uint64_t end;                  /* of the content of the file */
	struct monotonic_values addresses;
	struct range_window window;
	struct buf raw; /* a value or a block too large for the window */
	/* The block at hand. Entry i is [starts[i], starts[i + 1]) of `entries`. */
	int64_t block; /* -1: none */
	struct buf entries, inflated;
	uint32_t *starts;
};

/* `source` (borrowed; its content ends at `end`) is the .dvd. ERR_FORMAT when the meta is
 * impossible. Release does nothing to zeroed values. */
int bytes_values_init(struct bytes_values *values, const struct bytes_meta *meta, bool little,
		      struct bytes_source *source, uint64_t end, struct err *err);
void bytes_values_release(struct bytes_values *values);
/* Value `index`, borrowed until the next call. */
int bytes_values_get(struct bytes_values *values, int64_t index, struct str *out, struct err *err);
/* Bytes held in memory. */
size_t bytes_values_memory(const struct bytes_values *values);

/* Decodes the `count` entries of a block whose bytes are `raw` into values->entries and starts. */
int bytes_block_decode(struct bytes_values *values, struct str raw, uint32_t count,
		       struct err *err);

#endif
