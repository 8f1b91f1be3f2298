/* CRC-32 of zlib and of Lucene's footers. */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include "base/compiler.h"

/* Goes on from `crc` (0 at the start) over len bytes. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len);
/* The CRC of bytes followed by other_len others, out of the CRCs of both. */
uint32_t crc32_join(uint32_t crc, uint32_t other, uint64_t other_len);
/* The other way round: the CRC of the last `len` bytes, out of that of all and that of those before
 * them. */
uint32_t crc32_rest(uint32_t all, uint32_t before, uint64_t len);

#endif
