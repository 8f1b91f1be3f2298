#include "transform/script_program/text16.h"

#include "base/utf8.h"

#define REPLACEMENT 0xfffd
/* Characters that are looked at together. */
#define BLOCK 16

static bool is_ascii_block(const char *p)
{
	uint64_t words[BLOCK / 8];

	memcpy(words, p, sizeof(words));
	return !((words[0] | words[1]) & UINT64_C(0x8080808080808080));
}

/* A character of `length` bytes, 2 to 4. */
static uint32_t code_point_at(const uint8_t *b, size_t length)
{
	if (length == 2)
		return (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
	if (length == 3)
		return (uint32_t)(b[0] & 0x0f) << 12 | (uint32_t)(b[1] & 0x3f) << 6 | (b[2] & 0x3f);
	return (uint32_t)(b[0] & 0x07) << 18 | (uint32_t)(b[1] & 0x3f) << 12 |
	       (uint32_t)(b[2] & 0x3f) << 6 | (b[3] & 0x3f);
}

static uint16_t *put_code_point(uint16_t *to, uint32_t code_point)
{
	if (code_point < 0x10000) {
		*to++ = (uint16_t)code_point;
		return to;
	}
	*to++ = (uint16_t)(0xd7c0 + (code_point >> 10));
	*to++ = (uint16_t)(0xdc00 | (code_point & 0x3ff));
	return to;
}

size_t text16_from_utf8(struct str text, uint16_t *out)
{
	const char *p = text.ptr, *end = p + text.len;
	uint16_t *to = out;

	while (p < end) {
		size_t length;

		for (; end - p >= BLOCK && is_ascii_block(p); p += BLOCK, to += BLOCK)
			for (size_t i = 0; i < BLOCK; i++)
				to[i] = (uint8_t)p[i];
		for (; p < end && (uint8_t)*p < 0x80; p++)
			*to++ = (uint8_t)*p;
		if (p == end)
			break;
		length = utf8_length(p, (size_t)(end - p));
		to = put_code_point(to, length ? code_point_at((const uint8_t *)p, length)
					       : REPLACEMENT);
		p += length ? length : 1;
	}
	return (size_t)(to - out);
}

static bool is_ascii_block16(const uint16_t *p)
{
	uint64_t words[BLOCK / 4];

	memcpy(words, p, sizeof(words));
	return !((words[0] | words[1] | words[2] | words[3]) & UINT64_C(0xff80ff80ff80ff80));
}

/* The character at *at, and *at after it. */
static uint32_t next_code_point(const uint16_t **at, const uint16_t *end)
{
	uint32_t unit = *(*at)++;

	if ((unit & 0xf800) != 0xd800)
		return unit;
	if (unit >= 0xdc00 || *at == end || (**at & 0xfc00) != 0xdc00)
		return REPLACEMENT;
	return 0x10000 + ((unit & 0x3ff) << 10 | (*(*at)++ & 0x3ff));
}

void text16_to_utf8(struct buf *out, const uint16_t *units, size_t count)
{
	const uint16_t *p = units, *end = p + count;
	char *to = buf_reserve(out, 3 * count), *from = to;

	if (!to)
		return;
	while (p < end) {
		for (; end - p >= BLOCK && is_ascii_block16(p); p += BLOCK, to += BLOCK)
			for (size_t i = 0; i < BLOCK; i++)
				to[i] = (char)p[i];
		for (; p < end && *p < 0x80; p++)
			*to++ = (char)*p;
		if (p < end) {
			char bytes[4];
			size_t length = utf8_encode(next_code_point(&p, end), bytes);

			memcpy(to, bytes, length);
			to += length;
		}
	}
	out->len += (size_t)(to - from);
}
