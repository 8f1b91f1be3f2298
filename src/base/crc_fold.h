/* Reflected CRCs of 32 bits by wide carry-less multiplications, on processors that have them
 * (AVX2 and VPCLMULQDQ; quicker with AVX-512). Source: Gopal et al., "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009. Within src/base. */
#ifndef BASE_CRC_FOLD_H
#define BASE_CRC_FOLD_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes folded at once, in eight registers or four wide ones. */
#define CRC_FOLD_STEP 256

/* x^(8 * CRC_FOLD_STEP + 32) and x^(8 * CRC_FOLD_STEP - 32) modulo the polynomial, bits reversed:
 * what folding by a step multiplies the first and the second half of 16 bytes with. */
struct crc_fold {
	long long first, second;
};

typedef uint32_t crc_update(uint32_t crc, const void *bytes, size_t len);

/* The CRC of what `crc` is of and `len` bytes more: long ones are folded, where that is possible,
 * and what is left is given to `rest`. */
uint32_t crc_fold_update(const struct crc_fold *by, uint32_t crc, const void *bytes, size_t len,
			 crc_update *rest);

#endif
