#include "base/crc32c.h"

#include "base/crc_fold.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* bits reversed */

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[i] = crc;
	}
}

static uint32_t update_by_table(uint32_t crc, const uint8_t *bytes, size_t len)
{
	pthread_once(&once, make_table);
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t update_by_instruction(uint32_t crc,
									const uint8_t *bytes,
									size_t len)
{
	uint64_t wide = crc, word;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len > 0; len--)
		crc = __builtin_ia32_crc32qi(crc, *bytes++);
	return crc;
}
#endif

static const struct crc_fold fold = {.first = 0xdcb17aa4LL, .second = 0xb9e02b86LL};

static uint32_t update(uint32_t crc, const void *bytes, size_t len)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~update_by_instruction(~crc, bytes, len);
#endif
	return ~update_by_table(~crc, bytes, len);
}

/* The instruction takes 8 bytes in three cycles. */
uint32_t crc32c_update(uint32_t crc, const void *bytes, size_t len)
{
	return crc_fold_update(&fold, crc, bytes, len, update);
}
