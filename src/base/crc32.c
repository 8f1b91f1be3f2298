#include "base/crc32.h"

#include <libdeflate.h>
#include <zlib.h>

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define STEP ((size_t)256) /* bytes folded at once, in eight registers or four wide ones */
/* x^(8 * STEP + 32) and x^(8 * STEP - 32) modulo the polynomial, bits reversed: what folding by
 * STEP multiplies the first and the second half of 16 bytes with. */
#define FOLD_FIRST 0x11542778aLL
#define FOLD_SECOND 0x1322d1430LL
#ifndef CRC32_WIDEST
#define CRC32_WIDEST 512 /* bits; tests know less, to run what older processors do */
#endif
#define WITH_256 __attribute__((target("avx2,vpclmulqdq")))
#define WITH_512 __attribute__((target("avx512f,vpclmulqdq")))

WITH_256 static inline __m256i fold_256(__m256i sum, __m256i next)
{
	const __m256i by = _mm256_set_epi64x(FOLD_SECOND, FOLD_FIRST, FOLD_SECOND, FOLD_FIRST);

	return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(sum, by, 0x00),
						 _mm256_clmulepi64_epi128(sum, by, 0x11)),
				next);
}

WITH_256 static inline __m256i load_256(const uint8_t *from)
{
	return _mm256_loadu_si256((const __m256i_u *)from);
}

/* Folds whole steps into one that has the same CRC when nothing came before it. At least one. */
WITH_256 static void fold_steps_256(uint32_t crc, const uint8_t *from, size_t steps, uint8_t *last)
{
	__m256i sums[8];

	for (size_t i = 0; i < 8; i++)
		sums[i] = load_256(from + 32 * i);
	sums[0] = _mm256_xor_si256(sums[0], _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)~crc)));
	for (from += STEP; --steps; from += STEP)
		for (size_t i = 0; i < 8; i++)
			sums[i] = fold_256(sums[i], load_256(from + 32 * i));
	memcpy(last, sums, STEP);
}

WITH_512 static inline __m512i fold_512(__m512i sum, __m512i next)
{
	const __m512i by = _mm512_set4_epi64(FOLD_SECOND, FOLD_FIRST, FOLD_SECOND, FOLD_FIRST);

	return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(sum, by, 0x00),
					 _mm512_clmulepi64_epi128(sum, by, 0x11), next,
					 0x96); /* each xor the others */
}

/* As fold_steps_256. */
WITH_512 static void fold_steps_512(uint32_t crc, const uint8_t *from, size_t steps, uint8_t *last)
{
	__m512i sums[4];

	/* Unrolled, they stay in registers. */
#pragma GCC unroll 4
	for (size_t i = 0; i < 4; i++)
		sums[i] = _mm512_loadu_si512(from + 64 * i);
	sums[0] = _mm512_xor_si512(sums[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
	for (from += STEP; --steps; from += STEP)
#pragma GCC unroll 4
		for (size_t i = 0; i < 4; i++)
			sums[i] = fold_512(sums[i], _mm512_loadu_si512(from + 64 * i));
	memcpy(last, sums, STEP);
}

/* libdeflate folds 16 bytes an instruction; newer processors take 32 or 64. False: this one does
 * not. */
static bool fold_wide(uint32_t crc, const uint8_t *from, size_t steps, uint8_t *last)
{
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("vpclmulqdq"))
		return false;
	if (CRC32_WIDEST >= 512 && __builtin_cpu_supports("avx512f"))
		fold_steps_512(crc, from, steps, last);
	else
		fold_steps_256(crc, from, steps, last);
	return true;
}
#endif

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

#ifdef __x86_64__
	uint8_t last[STEP];

	if (len >= 4 * STEP && fold_wide(crc, from, len / STEP, last)) {
		crc = libdeflate_crc32(UINT32_MAX, last, STEP);
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
