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
/* What decode_short reads at most from a sequence's start (with the next one's token), and writes
 * from its output's start. */
#define SHORT_LITERALS 32u
#define SHORT_MATCH 64u
#define SHORT_INPUT (int)(2 + SHORT_LITERALS + 2 + 1 + 1)
_Static_assert(SHORT_LITERALS + SHORT_MATCH <= LZ4_BLOCK_SLACK, "short sequences need no check");
/* From a sequence's start to its offset's end when it has no literals. */
#define BARE_SEQUENCE 3

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
	const uint8_t *from = to - offset;
	size_t stride = offset;

	for (size_t i = 0; i < 16; i++)
		to[i] = from[i];
	while (stride < 16)
		stride += offset;
	for (size_t i = 16; i < length; i += 16)
		copy_16(to + i, to + i - stride);
}

static inline void copy_match(uint8_t *to, size_t offset, size_t length)
{
	if (LIKELY(offset >= 16))
		copy_wide(to, to - offset, length);
	else
		copy_near(to, offset, length);
}

static inline size_t read_offset(const uint8_t *in)
{
	return (size_t)in[0] | (size_t)in[1] << 8;
}

struct state {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_end;
	const uint8_t *window; /* matches reach back to here */
};

/* Decodes as many sequences as are short, match further back than 16 bytes and lie before the last
 * of the input: most of them. The first other one is left for the careful way.
 *
 * A sequence waits for where it starts, and that for the token before: so what leads from one token
 * to the next is a shift and one load, whose address has the literals' length as its index. */
static inline void decode_short(struct state *s)
{
	const uint8_t *next, *last;
	uint8_t *out = s->out;
	size_t token, following;

	if (s->in_end - s->in < SHORT_INPUT)
		return;
	next = s->in + BARE_SEQUENCE;
	last = s->in_end - SHORT_INPUT + BARE_SEQUENCE;
	for (token = *s->in; next <= last; token = following) {
		const uint8_t *at = next, *from;
		size_t literals = token >> 4, length = token & 15, offset;
		uint8_t *to, *end;

		if (UNLIKELY(literals == 15)) {
			literals += at[-2];
			at++;
			if (literals > SHORT_LITERALS)
				break;
			copy_16(out + 16, at - 2 + 16);
		}
		following = at[literals];
		copy_16(out, at - 2);
		to = out + literals;
		offset = read_offset(at - 2 + literals);
		from = (const uint8_t *)((uintptr_t)to - offset);
		if (UNLIKELY(offset < 16 || (uintptr_t)from < (uintptr_t)s->window))
			break;
		copy_16(to, from);
		memcpy(to + 16, from + 16, 2);
		if (UNLIKELY(length == 15)) {
			length += following;
			at++;
			if (length > SHORT_MATCH - MIN_MATCH)
				break;
			copy_16(to + 16, from + 16);
			copy_16(to + 32, from + 32);
			copy_16(to + 48, from + 48);
			following = at[literals];
		}
		end = to + MIN_MATCH + length;
		if (UNLIKELY(end > s->out_end))
			break;
		out = end;
		next = at + literals + BARE_SEQUENCE;
	}
	s->in = next - BARE_SEQUENCE;
	s->out = out;
}

static int decode_literals(struct state *s, size_t length, struct err *err)
{
	if (length == 15 && !read_length(&s->in, s->in_end, (size_t)(s->out_end - s->out), &length))
		return err_set(err, ERR_FORMAT, "a literal length");
	if (length > (size_t)(s->in_end - s->in) || length > (size_t)(s->out_end - s->out))
		return err_set(err, ERR_FORMAT, "too many literals");
	if (LIKELY(s->in_end - s->in >= 32 && length <= 32)) {
		copy_16(s->out, s->in);
		copy_16(s->out + 16, s->in + 16);
	} else if (length > 0) {
		memcpy(s->out, s->in, length);
	}
	s->in += length;
	s->out += length;
	return 0;
}

static int decode_match(struct state *s, size_t length, struct err *err)
{
	size_t offset;

	if (s->in_end - s->in < 2)
		return err_set(err, ERR_FORMAT, "the input ends");
	offset = read_offset(s->in);
	s->in += 2;
	if (offset == 0 || offset > (size_t)(s->out - s->window))
		return err_set(err, ERR_FORMAT, "a match before the start");
	if (length == 15 && !read_length(&s->in, s->in_end, (size_t)(s->out_end - s->out), &length))
		return err_set(err, ERR_FORMAT, "a match length");
	length += MIN_MATCH;
	if (length > (size_t)(s->out_end - s->out))
		return err_set(err, ERR_FORMAT, "a match past the end");
	copy_match(s->out, offset, length);
	s->out += length;
	return 0;
}

static int decode(struct state *s, struct err *err)
{
	for (;;) {
		unsigned token;

		decode_short(s);
		if (s->in == s->in_end)
			return err_set(err, ERR_FORMAT, "the input ends");
		token = *s->in++;
		if (decode_literals(s, token >> 4, err) < 0)
			return -(int)err->kind;
		/* The last sequence is literals only, so only these complete the output. */
		if (s->out == s->out_end)
			return 0;
		if (decode_match(s, token & 15, err) < 0)
			return -(int)err->kind;
	}
}

int lz4_block_decode(const uint8_t *src, size_t src_len, uint8_t *dst, size_t prefix,
		     size_t dst_len, size_t *consumed, struct err *err)
{
	struct state s = {src, src + src_len, dst, dst + dst_len, dst - prefix};

	if (decode(&s, err) < 0)
		return err_wrap(err, "LZ4 block is damaged at its byte %zu", (size_t)(s.in - src));
	*consumed = (size_t)(s.in - src);
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
