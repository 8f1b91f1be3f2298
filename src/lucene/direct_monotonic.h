/* DirectMonotonic: integers that hardly ever fall, in blocks, each a line and packed differences
 * from it.
 *
 *   meta, a block of 2^shift values:  i64 min | i32 bits of a float: average | i64 offset | u8 bits
 *   value i = min + (i64)(average * (float)i) + difference i, i counted in its block
 *   differences of a block: `bits` each, from its offset on: big-endian streams begin with the most
 *   significant bit, little-endian ones with the least
 *
 * Source: Lucene 9.12.1 util/packed/DirectMonotonicReader, DirectReader. */
#ifndef LUCENE_DIRECT_MONOTONIC_H
#define LUCENE_DIRECT_MONOTONIC_H

#include "base/rd.h"

#define DIRECT_MONOTONIC_META_LENGTH 21u /* of a block */

struct direct_monotonic {
	const uint8_t *meta; /* borrowed: DIRECT_MONOTONIC_META_LENGTH for each block */
	uint64_t count;      /* values */
	unsigned shift;
	struct str data; /* borrowed: what the offsets are in */
	bool little;
};

/* Takes the meta of `count` values off the cursor, whose byte order is that of the data. A shift
 * beyond 1 to 30 makes the cursor fail. */
struct direct_monotonic rd_direct_monotonic(struct rd *rd, uint64_t count, unsigned shift);
/* Value i, below count. False: its block is damaged, or lies outside of the data. */
bool direct_monotonic_get(const struct direct_monotonic *values, uint64_t i, int64_t *out);

#endif
