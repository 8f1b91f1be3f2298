#include "base/crc_fold.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

__attribute__((target("avx2,vpclmulqdq"))) static inline __m256i fold(__m256i sum, __m256i next,
								      __m256i by)
{
	return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(sum, by, 0x00),
						 _mm256_clmulepi64_epi128(sum, by, 0x11)),
				next);
}

__attribute__((target("avx2,vpclmulqdq"))) static inline __m256i load(const uint8_t *from)
{
	return _mm256_loadu_si256((const __m256i_u *)from);
}

__attribute__((target("avx2,vpclmulqdq"))) void crc_fold_steps(const struct crc_fold *by,
							       uint32_t crc, const uint8_t *from,
							       size_t steps,
							       uint8_t last[CRC_FOLD_STEP])
{
	const __m256i factors = _mm256_set_epi64x(by->second, by->first, by->second, by->first);
	__m256i sums[8];

	for (size_t i = 0; i < 8; i++)
		sums[i] = load(from + 32 * i);
	sums[0] = _mm256_xor_si256(sums[0], _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)~crc)));
	for (from += CRC_FOLD_STEP; --steps; from += CRC_FOLD_STEP)
		for (size_t i = 0; i < 8; i++)
			sums[i] = fold(sums[i], load(from + 32 * i), factors);
	memcpy(last, sums, CRC_FOLD_STEP);
}

bool crc_fold_is_possible(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq");
}
#else
bool crc_fold_is_possible(void)
{
	return false;
}

void crc_fold_steps(const struct crc_fold *by, uint32_t crc, const uint8_t *from, size_t steps,
		    uint8_t last[CRC_FOLD_STEP])
{
	(void)by, (void)crc, (void)from, (void)steps, (void)last;
	BUG("wide multiplications where there are none");
}
#endif
