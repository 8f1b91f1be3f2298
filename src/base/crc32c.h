/* CRC-32C (Castagnoli), as in iSCSI and Kafka. Source: RFC 3720, appendix B.4. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/compiler.h"

/* Goes on from `crc` (0 at the start) over len bytes. */
uint32_t crc32c_update(uint32_t crc, const void *bytes, size_t len);

#endif
