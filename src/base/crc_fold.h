/* Reflected CRCs of 32 bits by wide carry-less multiplications, on processors that have them
 * (AVX2 and VPCLMULQDQ). Source: Gopal et al., "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ Instruction", Intel, 2009. Within src/base. */
#ifndef BASE_CRC_FOLD_H
#define BASE_CRC_FOLD_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRC_FOLD_STEP ((size_t)256) /* bytes folded at once, in eight registers */

/* x^(8 * CRC_FOLD_STEP + 32) and x^(8 * CRC_FOLD_STEP - 32) modulo the polynomial, bits reversed:
 * what folding by a step multiplies the first and the second half of 16 bytes with. */
struct crc_fold {
	long long first, second;
};

bool crc_fold_is_possible(void);
/* Folds `steps` whole steps, at least one, into one that has the same CRC when nothing came before
 * it. Only where it is possible. */
void crc_fold_steps(const struct crc_fold *by, uint32_t crc, const uint8_t *from, size_t steps,
		    uint8_t last[CRC_FOLD_STEP]);

#endif
