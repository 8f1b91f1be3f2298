#include "base/siphash.h"

#include <endian.h>
#include <sys/random.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void rounds(struct state *s, unsigned count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t result(const struct state *s)
{
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash_key siphash_key_random(void)
{
	struct siphash_key key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		BUG("the system gives no random bytes");
	return key;
}

struct siphash_value siphash(const struct siphash_key *key, struct str text)
{
	uint64_t k0 = key->words[0], k1 = key->words[1], word;
	struct state s = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
	struct siphash_value value;
	size_t i = 0;

	for (; text.len - i >= 8; i += 8) {
		memcpy(&word, text.ptr + i, 8);
		absorb(&s, le64toh(word));
	}
	word = 0;
	if (i < text.len)
		memcpy(&word, text.ptr + i, text.len - i);
	absorb(&s, le64toh(word) | (uint64_t)text.len << 56);
	s.v2 ^= 0xee;
	rounds(&s, 4);
	value.words[0] = result(&s);
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	value.words[1] = result(&s);
	return value;
}
