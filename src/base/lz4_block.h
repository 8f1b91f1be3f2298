/* LZ4 blocks as Lucene writes them, which liblz4 does not read: up to 8.6 nobody wrote down how
 * long a block is, so decoding ends where the wanted output is complete and tells how much input
 * that took; and in every version the last match may start later than 12 bytes before the end,
 * which liblz4 takes for damage. Thread-safe. */
#ifndef BASE_LZ4_BLOCK_H
#define BASE_LZ4_BLOCK_H

#include "base/err.h"

/* Bytes past the wanted output that a decode may scribble over, for the sake of wide copies. */
#define LZ4_BLOCK_SLACK 96u

/* The most bytes a block of n bytes can take. */
static inline uint64_t lz4_block_bound(uint64_t n)
{
	return n + n / 255 + 16;
}

/* Decodes the block at `src`, of at most src_len bytes, to exactly dst_len bytes at `dst`, which
 * has room for dst_len + LZ4_BLOCK_SLACK. Matches may reach back into the `prefix` bytes before
 * dst. *consumed: bytes of the block. ERR_FORMAT names the byte; nothing outside
 * [src, src + src_len) is read and nothing beyond the room is written. */
int lz4_block_decode(const uint8_t *src, size_t src_len, uint8_t *dst, size_t prefix,
		     size_t dst_len, size_t *consumed, struct err *err);
/* How long a block is that decodes to dst_len bytes, without decoding it. */
int lz4_block_skip(const uint8_t *src, size_t src_len, size_t dst_len, size_t *consumed,
		   struct err *err);

#endif
