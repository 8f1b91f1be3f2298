/* A cursor over bytes in memory that nobody vouches for.
 *
 * Reads past the end return 0 (or NULL) and make the cursor `failed`; everything after returns 0
 * too, so a structure is read in one go and checked once with rd_check. Inline, for hot loops. */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/err.h"
#include "base/str.h"

struct rd {
	const uint8_t *bytes; /* borrowed */
	size_t pos, len;
	bool failed;
	bool little; /* rd_i16, rd_i32, rd_i64: little-endian; else big-endian */
};

static inline struct rd rd_over(struct str s)
{
	return (struct rd){.bytes = (const uint8_t *)s.ptr, .len = s.len};
}

static inline size_t rd_left(const struct rd *r)
{
	return r->failed ? 0 : r->len - r->pos;
}

/* The next n bytes, borrowed; NULL when fewer are left. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *p = r->bytes + r->pos;

	if (UNLIKELY(n > rd_left(r))) {
		r->failed = true;
		return NULL;
	}
	r->pos += n;
	return p;
}

static inline void rd_skip(struct rd *r, uint64_t n)
{
	if (UNLIKELY(n > rd_left(r)))
		r->failed = true;
	else
		r->pos += (size_t)n;
}

static inline void rd_seek(struct rd *r, uint64_t pos)
{
	if (UNLIKELY(pos > r->len))
		r->failed = true;
	else
		r->pos = (size_t)pos;
}

static inline uint8_t rd_u8(struct rd *r)
{
	if (UNLIKELY(rd_left(r) < 1)) {
		r->failed = true;
		return 0;
	}
	return r->bytes[r->pos++];
}

#define RD_FIXED(name, type, swap)                            \
	static inline type name(struct rd *r)                 \
	{                                                     \
		const uint8_t *p = rd_bytes(r, sizeof(type)); \
		type v = 0;                                   \
                                                              \
		if (p)                                        \
			memcpy(&v, p, sizeof(v));             \
		return (type)swap(v);                         \
	}
RD_FIXED(rd_be16, uint16_t, __builtin_bswap16)
RD_FIXED(rd_be32, uint32_t, __builtin_bswap32)
RD_FIXED(rd_be64, uint64_t, __builtin_bswap64)
RD_FIXED(rd_le16, uint16_t, )
RD_FIXED(rd_le32, uint32_t, )
RD_FIXED(rd_le64, uint64_t, )
#undef RD_FIXED

static inline int16_t rd_i16(struct rd *r)
{
	return (int16_t)(r->little ? rd_le16(r) : rd_be16(r));
}

static inline int32_t rd_i32(struct rd *r)
{
	return (int32_t)(r->little ? rd_le32(r) : rd_be32(r));
}

static inline int64_t rd_i64(struct rd *r)
{
	return (int64_t)(r->little ? rd_le64(r) : rd_be64(r));
}

/* Lucene's vLong: 7-bit groups, least significant first, at most 10 bytes. */
static inline uint64_t rd_vlong(struct rd *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = rd_u8(r);

		value |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
		if (!(b & 0x80))
			return value;
	}
	r->failed = true;
	return 0;
}

/* The vLong of Lucene's BlockPacked: of nine bytes at most, the ninth has eight bits. */
static inline uint64_t rd_vlong_of_nine(struct rd *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 56; shift += 7) {
		uint8_t b = rd_u8(r);

		value |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return value;
	}
	return value | (uint64_t)rd_u8(r) << 56;
}

/* Lucene's vInt: as vLong, in at most 5 bytes of 32 bits; -1 is FF FF FF FF 0F. */
static inline uint32_t rd_vint(struct rd *r)
{
	uint32_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t b = rd_u8(r);

		value |= (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return value;
	}
	r->failed = true;
	return 0;
}

static inline int64_t rd_zigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Lucene's string: vInt byte length, then UTF-8; borrowed. */
static inline struct str rd_string(struct rd *r)
{
	size_t len = rd_vint(r);
	const uint8_t *p = rd_bytes(r, len);

	return p ? (struct str){(const char *)p, len} : STR_NONE;
}

/* 0, or -ERR_FORMAT: "what is truncated at byte N". */
static inline int rd_check(const struct rd *r, const char *what, struct err *err)
{
	if (LIKELY(!r->failed))
		return 0;
	return err_set(err, ERR_FORMAT, "%s is damaged or truncated at byte %zu of %zu", what,
		       r->pos, r->len);
}

#endif
