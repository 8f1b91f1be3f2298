#include "base/crc32.h"

#include "base/crc_fold.h"

#include <libdeflate.h>
#include <zlib.h>

static const struct crc_fold fold = {.first = 0x11542778aLL, .second = 0x1322d1430LL};

/* libdeflate folds 16 bytes an instruction; newer processors take 32 or 64. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len)
{
	return crc_fold_update(&fold, crc, bytes, len, libdeflate_crc32);
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
