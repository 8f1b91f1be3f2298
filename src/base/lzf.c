/* One chunk after another, up to the end of the input:
 *
 *   'Z' 'V' 0   length BE16, as many bytes as they are
 *   'Z' 'V' 1   packed length BE16, plain length BE16, packed bytes
 *
 *   packed bytes    000lllll                     l + 1 bytes follow as they are
 *                   lllooooo         oooooooo    l + 2 bytes from o + 1 bytes back, l from 1 to 6
 *                   111ooooo llllllll oooooooo   l + 9 bytes from o + 1 bytes back
 *
 * Matches stay within their chunk. Source: compress-lzf 1.0.2 LZFChunk, VanillaChunkDecoder. */
#include "base/lzf.h"

#include "base/rd.h"

#define PLAIN_CHUNK 0
#define PACKED_CHUNK 1

static int damaged(size_t at, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "LZF is damaged: %s at byte %zu", what, at);
}

/* A match nearer than its length repeats itself, so byte by byte. */
static void copy_match(uint8_t *to, size_t distance, size_t length)
{
	const uint8_t *from = to - distance;

	if (distance >= length) {
		memcpy(to, from, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		to[i] = from[i];
}

/* Decodes to exactly `len` bytes at `to`; false when the cursor's bytes are no such thing. */
static bool unpack(struct rd *in, uint8_t *to, size_t len)
{
	size_t done = 0;

	while (rd_left(in) > 0) {
		uint8_t control = rd_u8(in);
		size_t length = control >> 5, distance;
		const uint8_t *literals;

		if (length == 0) {
			length = (size_t)control + 1;
			literals = rd_bytes(in, length);
			if (!literals || length > len - done)
				return false;
			memcpy(to + done, literals, length);
		} else {
			length += length == 7 ? rd_u8(in) + 2u : 2u;
			distance = ((control & 0x1fu) << 8 | rd_u8(in)) + 1;
			if (in->failed || distance > done || length > len - done)
				return false;
			copy_match(to + done, distance, length);
		}
		done += length;
	}
	return done == len;
}

static int decode_packed(struct buf *out, struct rd *rd, struct err *err)
{
	size_t packed_len = rd_be16(rd), plain_len = rd_be16(rd), start = rd->pos;
	const uint8_t *packed = rd_bytes(rd, packed_len);
	struct rd in = rd_over(str_of(packed, packed_len));
	uint8_t *to;

	if (!packed || rd->failed)
		return damaged(rd->pos, "a chunk is cut short", err);
	to = buf_reserve(out, plain_len);
	if (!to)
		return buf_check(out, "LZF, unpacked,", err);
	if (!unpack(&in, to, plain_len))
		return damaged(start + in.pos, "a literal or match that cannot be", err);
	out->len += plain_len;
	return 0;
}

static int decode_plain(struct buf *out, struct rd *rd, struct err *err)
{
	size_t len = rd_be16(rd);
	const uint8_t *bytes = rd_bytes(rd, len);

	if (!bytes || rd->failed)
		return damaged(rd->pos, "a chunk is cut short", err);
	buf_append(out, bytes, len);
	return buf_check(out, "LZF, unpacked,", err);
}

int lzf_decode(struct buf *out, struct str bytes, struct err *err)
{
	struct rd rd = rd_over(bytes);
	int rc = 0;

	while (rc == 0 && rd_left(&rd) > 0) {
		size_t start = rd.pos;

		if (!lzf_is_chunked(str_from_offset(bytes, start)))
			return damaged(start, "no chunk starts", err);
		rd_skip(&rd, 2);
		rc = rd_u8(&rd) == PACKED_CHUNK ? decode_packed(out, &rd, err)
						: decode_plain(out, &rd, err);
	}
	return rc;
}
