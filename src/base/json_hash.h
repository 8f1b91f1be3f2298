/* A 128-bit hash of what a JSON text says, whatever it looks like: the same for members in another
 * order, other white space, escapes spelled otherwise (\u0041, A), numbers written otherwise (1,
 * 1.0, 1e0; 0 and -0; never through a double). Everything else makes a difference: order in arrays,
 * duplicate members (their order does not), digits, 1 and "1".
 *
 * One pass over the text, no tree. Each member of an object is one run of canonical text, hashed
 * where it stands if it is spelled so already; the object is a sum over its members, so none is
 * sorted, and stands as that sum in the run around it.
 * The values are XXH3's (128 bits): not meant against those who forge collisions. */
#ifndef BASE_JSON_HASH_H
#define BASE_JSON_HASH_H

#include "base/buf.h"

struct hash128 {
	uint64_t low, high;
};

/* Changes whenever the hash of anything does: what was kept of another one is no use. */
#define JSON_HASH_VERSION 2

struct json_hasher_level;

/* One thread's scratch. */
struct json_hasher {
	struct json_hasher_level *levels;
	size_t level_capacity;
	struct buf text; /* runs that stand otherwise in their source, the outermost first */
};

void json_hasher_init(struct json_hasher *hasher);
void json_hasher_release(struct json_hasher *hasher);
/* ERR_FORMAT for what is no JSON (json_validate's errors), ERR_LIMIT nested too deep. */
int json_hash(struct json_hasher *hasher, struct str text, struct hash128 *out, struct err *err);
/* Of plain bytes. */
struct hash128 bytes_hash(struct str bytes);

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
	return a.low == b.low && a.high == b.high;
}

/* Sums without order. */
static inline struct hash128 hash128_add(struct hash128 a, struct hash128 b)
{
	struct hash128 sum = {a.low + b.low, a.high + b.high};

	sum.high += sum.low < a.low;
	return sum;
}

#endif
