/* The values of a numeric field, by their index among those that are stored. */
#ifndef LUCENE_PACKED_VALUES_H
#define LUCENE_PACKED_VALUES_H

#include "lucene/doc_values_meta.h"
#include "lucene/range_window.h"

struct packed_values {
	const struct numeric_values *meta; /* borrowed */
	bool little;
	uint64_t end; /* in the file, of all values */
	struct range_window window;
	/* The block at hand, where there are blocks; `size` 0: none yet. */
	struct packed_block {
		int64_t number;
		uint64_t size, data, next; /* values; where their bits are; the next block */
		int64_t min;
		uint8_t bits;
	} block;
};

/* `source` (borrowed; its content ends at `end`) is the .dvd. NULL does for values whose meta has
 * no bits and no blocks. ERR_FORMAT when the meta is impossible. */
int packed_values_init(struct packed_values *values, const struct numeric_values *meta, bool little,
		       struct bytes_source *source, uint64_t end, struct err *err);
void packed_values_release(struct packed_values *values);
/* Value `index`. Cheap for ascending indices. ERR_FORMAT when there are not so many. */
int packed_values_get(struct packed_values *values, int64_t index, int64_t *out, struct err *err);
/* Value i of a stream of `bits` (at most 64) bits each that starts at `data` in the window's file.
 */
int packed_bits_read(struct range_window *window, bool little, uint64_t data, uint8_t bits,
		     uint64_t i, uint64_t *out, struct err *err);

#endif
