/* Source: RFC 4627, section 3; Unicode 15, byte order marks. */
#include "documents/json_text.h"

#include "base/utf8.h"

static const struct {
	struct str start;
	struct text_encoding encoding;
} starts[] = {
	/* UTF-32 before UTF-16, of which its beginnings are beginnings too. */
	{{"\xff\xfe\0\0", 4}, {4, true, 4}},  {{"\0\0\xfe\xff", 4}, {4, false, 4}},
	{{"{\0\0\0", 4}, {4, true, 0}},       {{"\0\0\0{", 4}, {4, false, 0}},
	{{"\xff\xfe", 2}, {2, true, 2}},      {{"\xfe\xff", 2}, {2, false, 2}},
	{{"{\0", 2}, {2, true, 0}},           {{"\0{", 2}, {2, false, 0}},
	{{"\xef\xbb\xbf", 3}, {1, false, 3}},
};

struct text_encoding json_text_encoding(struct str bytes)
{
	for (size_t i = 0; i < COUNT_OF(starts); i++)
		if (str_starts(bytes, starts[i].start))
			return starts[i].encoding;
	return (struct text_encoding){0};
}

static uint32_t unit_at(const char *p, struct text_encoding encoding)
{
	uint32_t unit = 0;

	for (int i = 0; i < encoding.width; i++) {
		uint8_t byte = (uint8_t)p[encoding.little ? encoding.width - 1 - i : i];

		unit = unit << 8 | byte;
	}
	return unit;
}

static bool is_low_surrogate(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* The code point at the start of `bytes`, which are whole units, and the bytes it takes; 0: it
 * is none. */
static size_t code_point_of(struct str bytes, struct text_encoding encoding, uint32_t *code_point)
{
	size_t width = encoding.width;
	uint32_t unit = unit_at(bytes.ptr, encoding), low;

	*code_point = unit;
	if (unit > 0x10ffff || is_low_surrogate(unit))
		return 0;
	if (unit < 0xd800 || unit >= 0xdc00)
		return width;
	low = width == 2 && bytes.len >= 4 ? unit_at(bytes.ptr + 2, encoding) : 0;
	if (!is_low_surrogate(low))
		return 0;
	*code_point = 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
	return 4;
}

int json_text_to_utf8(struct buf *out, struct str bytes, struct text_encoding encoding,
		      struct err *err)
{
	size_t at = encoding.mark, used;
	uint32_t code_point;
	char text[4];

	if (encoding.width == 1) {
		buf_append_str(out, str_from_offset(bytes, at));
		return buf_check(out, "JSON text", err);
	}
	for (; bytes.len - at >= encoding.width; at += used) {
		used = code_point_of(str_from_offset(bytes, at), encoding, &code_point);
		if (used == 0)
			break;
		buf_append(out, text, utf8_encode(code_point, text));
	}
	if (at < bytes.len)
		return err_set(err, ERR_FORMAT, "UTF-%d is damaged at byte %zu of %zu",
			       encoding.width * 8, at, bytes.len);
	return buf_check(out, "JSON text", err);
}
