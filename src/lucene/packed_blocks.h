/* Blocks of small numbers as postings have them: 128 (or 256) at a time. */
#ifndef LUCENE_PACKED_BLOCKS_H
#define LUCENE_PACKED_BLOCKS_H

#include "lucene/byte_stream.h"

#define PACKED_BLOCK_MOST 256

/* Before 8.4: u8 bits, 0: vInt, all are equal; else the numbers, most significant bit first, or
 * (bits where `single` has a 1) as many whole ones as go in an i64, the first in its lowest bits.
 */
void packed_block_plain(struct byte_stream *s, uint64_t single, uint32_t *out);

/* From 8.4 on: words of 64 or 32 bits in lanes of 8, 16 or 32. */
struct packed_lanes {
	unsigned word;           /* bits of one: 64, 32 */
	unsigned count;          /* numbers in a block: 128, 256 */
	unsigned narrow, middle; /* bits up to which lanes of 8, of 16 are used */
};

void packed_block_lanes(struct byte_stream *s, const struct packed_lanes *lanes, unsigned bits,
			uint32_t *out);
/* u8 exceptions << 5 | bits (0: vLong, all are equal), the numbers, then each exception: u8 which,
 * u8 its upper bits. */
void packed_block_patched(struct byte_stream *s, const struct packed_lanes *lanes, uint32_t *out);

#endif
