#include "base/crc32.h"

#include <libdeflate.h>
#include <zlib.h>

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len)
{
	/* libdeflate folds with carry-less multiplication: several times zlib's speed. */
	return libdeflate_crc32(crc, bytes, len);
}

uint32_t crc32_join(uint32_t crc, uint32_t other, uint64_t other_len)
{
	return (uint32_t)crc32_combine(crc, other, (z_off_t)other_len);
}

uint32_t crc32_rest(uint32_t all, uint32_t before, uint64_t len)
{
	/* Joining is linear: what `before` adds to the whole is what it adds to nothing. */
	return all ^ crc32_join(before, 0, len);
}
