#include "base/crc_fold.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#ifndef CRC_FOLD_WIDEST
#define CRC_FOLD_WIDEST 512 /* bits; tests know less, to run what older processors do */
#endif
#define FOLD_LEAST 1024 /* bytes for which it pays */
#define WITH_256 __attribute__((target("avx2,vpclmulqdq")))
#define WITH_512 __attribute__((target("avx512f,vpclmulqdq")))

WITH_256 static inline __m256i fold_256(__m256i sum, __m256i next, __m256i by)
{
	return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(sum, by, 0x00),
						 _mm256_clmulepi64_epi128(sum, by, 0x11)),
				next);
}

WITH_256 static inline __m256i load_256(const uint8_t *from)
{
	return _mm256_loadu_si256((const __m256i_u *)from);
}

WITH_256 static void steps_256(const struct crc_fold *by, uint32_t crc, const uint8_t *from,
			       size_t steps, uint8_t last[CRC_FOLD_STEP])
{
	const __m256i factors = _mm256_set_epi64x(by->second, by->first, by->second, by->first);
	__m256i sums[8];

	for (size_t i = 0; i < 8; i++)
		sums[i] = load_256(from + 32 * i);
	sums[0] = _mm256_xor_si256(sums[0], _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)~crc)));
	for (from += CRC_FOLD_STEP; --steps; from += CRC_FOLD_STEP)
		for (size_t i = 0; i < 8; i++)
			sums[i] = fold_256(sums[i], load_256(from + 32 * i), factors);
	memcpy(last, sums, CRC_FOLD_STEP);
}

WITH_512 static inline __m512i fold_512(__m512i sum, __m512i next, __m512i by)
{
	return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(sum, by, 0x00),
					 _mm512_clmulepi64_epi128(sum, by, 0x11), next,
					 0x96); /* each xor the others */
}

WITH_512 static inline __m512i load_512(const uint8_t *from)
{
	return _mm512_loadu_si512(from);
}

/* No array of sums: GCC 12's sanitizer lays one out for 32 bytes and moves it as if for 64. */
WITH_512 static void steps_512(const struct crc_fold *by, uint32_t crc, const uint8_t *from,
			       size_t steps, uint8_t last[CRC_FOLD_STEP])
{
	const __m512i factors = _mm512_set4_epi64(by->second, by->first, by->second, by->first);
	__m512i a = load_512(from), b = load_512(from + 64), c = load_512(from + 128),
		d = load_512(from + 192);

	a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
	for (from += CRC_FOLD_STEP; --steps; from += CRC_FOLD_STEP) {
		a = fold_512(a, load_512(from), factors);
		b = fold_512(b, load_512(from + 64), factors);
		c = fold_512(c, load_512(from + 128), factors);
		d = fold_512(d, load_512(from + 192), factors);
	}
	_mm512_storeu_si512(last, a);
	_mm512_storeu_si512(last + 64, b);
	_mm512_storeu_si512(last + 128, c);
	_mm512_storeu_si512(last + 192, d);
}

/* Folds `steps` whole steps, at least one, into one that has the same CRC when nothing came before
 * it. */
static void fold_steps(const struct crc_fold *by, uint32_t crc, const uint8_t *from, size_t steps,
		       uint8_t last[CRC_FOLD_STEP])
{
	if (CRC_FOLD_WIDEST >= 512 && __builtin_cpu_supports("avx512f"))
		steps_512(by, crc, from, steps, last);
	else
		steps_256(by, crc, from, steps, last);
}

static bool is_possible(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq");
}

uint32_t crc_fold_update(const struct crc_fold *by, uint32_t crc, const void *bytes, size_t len,
			 crc_update *rest)
{
	const uint8_t *from = bytes;
	uint8_t last[CRC_FOLD_STEP];

	if (len >= FOLD_LEAST && is_possible()) {
		fold_steps(by, crc, from, len / CRC_FOLD_STEP, last);
		crc = rest(UINT32_MAX, last, CRC_FOLD_STEP);
		from += len - len % CRC_FOLD_STEP;
		len %= CRC_FOLD_STEP;
	}
	return rest(crc, from, len);
}
#else
uint32_t crc_fold_update(const struct crc_fold *by, uint32_t crc, const void *bytes, size_t len,
			 crc_update *rest)
{
	(void)by;
	return rest(crc, bytes, len);
}
#endif
