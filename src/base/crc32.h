/* CRC-32 of zlib and of Lucene's footers. */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include "base/compiler.h"

/* Goes on from `crc` (0 at the start) over len bytes. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len);

#endif
