/* SipHash-2-4 with 128 bits of output: a keyed hash whose collisions nobody can prepare who does
 * not know the key. Source: https://www.aumasson.jp/siphash/siphash.pdf and its reference code. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/str.h"

#include <stdint.h>

struct siphash_key {
	uint64_t words[2];
};

struct siphash_value {
	uint64_t words[2];
};

/* A key that nobody knows. */
struct siphash_key siphash_key_random(void);
struct siphash_value siphash(const struct siphash_key *key, struct str text);

#endif
