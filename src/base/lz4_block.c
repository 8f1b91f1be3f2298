/* One sequence after another, the last one without a match:
 *
 *   token       u8: literal length << 4 | match length - 4; 15 in either: more bytes follow
 *   more        u8 ..., added up, until one is not 255
 *   literals
 *   offset      LE16, 1 to 65535 bytes back
 *   more        as above, for the match
 *
 * Source: LZ4 block format description (lz4 1.9.4 doc/lz4_Block_format.md). */
#include "base/lz4_block.h"

#include <string.h>

#define MIN_MATCH 4u
/* A token, 14 literals read 16 at a time, an offset: what the short way takes for granted. */
#define SHORT_INPUT 19u

static int broken(size_t at, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "LZ4 block is damaged: %s at its byte %zu", what, at);
}

/* The bytes after a length of 15; false at the end of the input or past `most`. */
static bool read_length(const uint8_t **in, const uint8_t *end, size_t most, size_t *length)
{
	const uint8_t *p = *in;
	uint8_t b;

	do {
		if (p == end || *length > most)
			return false;
		b = *p++;
		*length += b;
	} while (b == 255);
	*in = p;
	return *length <= most;
}

static inline void copy_16(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, 16);
}

/* Copies in steps of 16, so up to 15 bytes too many. */
static inline void copy_wide(uint8_t *to, const uint8_t *from, size_t length)
{
	uint8_t *end = to + length;

	do {
		copy_16(to, from);
		to += 16;
		from += 16;
	} while (to < end);
}

/* A match nearer than 16 bytes repeats itself: lay down its first 16 bytes one by one, then copy
 * from a whole number of periods back, at least 16. */
static inline void copy_near(uint8_t *to, size_t offset, size_t length)
{
	size_t stride = offset;

	for (size_t i = 0; i < 16; i++)
		to[i] = to[i - offset];
	while (stride < 16)
		stride += offset;
	for (size_t i = 16; i < length; i += 16)
		copy_16(to + i, to + i - stride);
}

static inline void copy_match(uint8_t *to, size_t offset, size_t length)
{
	if (LIKELY(offset >= 16)) {
		copy_wide(to, to - offset, length);
	} else if (offset >= 8) {
		uint8_t *end = to + length;

		for (; to < end; to += 8)
			memcpy(to, to - offset, 8);
	} else {
		copy_near(to, offset, length);
	}
}

int lz4_block_decode(const uint8_t *src, size_t src_len, uint8_t *dst, size_t prefix,
		     size_t dst_len, size_t *consumed, struct err *err)
{
	const uint8_t *in = src, *in_end = src + src_len;
	uint8_t *out = dst, *out_end = dst + dst_len, *window = dst - prefix;

	for (;;) {
		size_t length, offset;
		uint8_t token;

		if (in == in_end)
			return broken(src_len, "the input ends", err);
		token = *in++;
		length = token >> 4;
		if (LIKELY(length < 15 && (size_t)(in_end - in) >= SHORT_INPUT &&
			   length < (size_t)(out_end - out))) {
			copy_16(out, in);
		} else {
			if (length == 15 &&
			    !read_length(&in, in_end, (size_t)(out_end - out), &length))
				return broken((size_t)(in - src), "a literal length", err);
			if (length > (size_t)(in_end - in) || length > (size_t)(out_end - out))
				return broken((size_t)(in - src), "too many literals", err);
			if (length > 0)
				memcpy(out, in, length);
		}
		in += length;
		out += length;
		if (out == out_end)
			break;
		if (in_end - in < 2)
			return broken((size_t)(in - src), "the input ends", err);
		offset = (size_t)in[0] | (size_t)in[1] << 8;
		in += 2;
		if (UNLIKELY(offset == 0 || offset > (size_t)(out - window)))
			return broken((size_t)(in - src), "a match before the start", err);
		length = token & 15u;
		if (length == 15 && !read_length(&in, in_end, (size_t)(out_end - out), &length))
			return broken((size_t)(in - src), "a match length", err);
		length += MIN_MATCH;
		/* The last sequence has literals only, so a match never completes the output. */
		if (UNLIKELY(length > (size_t)(out_end - out)))
			return broken((size_t)(in - src), "a match past the end", err);
		copy_match(out, offset, length);
		out += length;
	}
	*consumed = (size_t)(in - src);
	return 0;
}

int lz4_block_skip(const uint8_t *src, size_t src_len, size_t dst_len, size_t *consumed,
		   struct err *err)
{
	const uint8_t *in = src, *in_end = src + src_len;
	size_t left = dst_len;

	for (;;) {
		size_t length;
		uint8_t token;

		if (in == in_end)
			return broken(src_len, "the input ends", err);
		token = *in++;
		length = token >> 4;
		if (length == 15 && !read_length(&in, in_end, left, &length))
			return broken((size_t)(in - src), "a literal length", err);
		if (length > left || length > (size_t)(in_end - in))
			return broken((size_t)(in - src), "too many literals", err);
		in += length;
		left -= length;
		if (left == 0)
			break;
		if (in_end - in < 2)
			return broken((size_t)(in - src), "the input ends", err);
		in += 2;
		length = token & 15u;
		if (length == 15 && !read_length(&in, in_end, left, &length))
			return broken((size_t)(in - src), "a match length", err);
		length += MIN_MATCH;
		if (length > left)
			return broken((size_t)(in - src), "a match past the end", err);
		left -= length;
	}
	*consumed = (size_t)(in - src);
	return 0;
}
