#include "base/crc32.h"

#include <libdeflate.h>
#include <zlib.h>

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define STEP ((size_t)256) /* bytes folded at once, in eight registers */
/* x^(8 * STEP + 32) and x^(8 * STEP - 32) modulo the polynomial, bits reversed: what folding by
 * STEP multiplies the first and the second half of 16 bytes with. */
#define FOLD_FIRST 0x11542778aLL
#define FOLD_SECOND 0x1322d1430LL

__attribute__((target("avx2,vpclmulqdq"))) static inline __m256i fold(__m256i sum, __m256i next)
{
	const __m256i by = _mm256_set_epi64x(FOLD_SECOND, FOLD_FIRST, FOLD_SECOND, FOLD_FIRST);

	return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(sum, by, 0x00),
						 _mm256_clmulepi64_epi128(sum, by, 0x11)),
				next);
}

__attribute__((target("avx2,vpclmulqdq"))) static inline __m256i load(const uint8_t *from)
{
	return _mm256_loadu_si256((const __m256i_u *)from);
}

/* Folds whole steps into one that has the same CRC when nothing came before it. At least one. */
__attribute__((target("avx2,vpclmulqdq"))) static uint32_t fold_steps(uint32_t crc,
								      const uint8_t *from,
								      size_t steps)
{
	uint8_t last[STEP];
	__m256i sums[8];

	for (size_t i = 0; i < 8; i++)
		sums[i] = load(from + 32 * i);
	sums[0] = _mm256_xor_si256(sums[0], _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)~crc)));
	for (from += STEP; --steps; from += STEP)
		for (size_t i = 0; i < 8; i++)
			sums[i] = fold(sums[i], load(from + 32 * i));
	memcpy(last, sums, STEP);
	return libdeflate_crc32(UINT32_MAX, last, STEP);
}

static bool folds_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq");
}
#endif

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

#ifdef __x86_64__
	/* libdeflate folds 16 bytes an instruction; newer processors take 32. */
	if (len >= 4 * STEP && folds_wide()) {
		crc = fold_steps(crc, from, len / STEP);
		from += len - len % STEP;
		len %= STEP;
	}
#endif
	return libdeflate_crc32(crc, from, len);
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
