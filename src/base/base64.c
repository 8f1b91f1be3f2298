#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, struct str bytes)
{
	const uint8_t *b = (const uint8_t *)bytes.ptr;

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t group = (uint32_t)b[i] << 16 | (left > 1 ? (uint32_t)b[i + 1] << 8 : 0) |
				 (left > 2 ? b[i + 2] : 0);
		char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
				left > 1 ? digits[group >> 6 & 63] : '=',
				left > 2 ? digits[group & 63] : '='};

		buf_append(out, text, sizeof(text));
	}
}

static struct str without_trailing_space(struct str text)
{
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
		text.len--;
	return text;
}

bool base64_decode(struct buf *out, struct str text)
{
	text = without_trailing_space(text);
	if (text.len % 4 != 0)
		return false;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t significant = 4;
		uint32_t group = 0;

		if (i + 4 == text.len)
			while (significant > 2 && text.ptr[i + significant - 1] == '=')
				significant--;
		for (size_t j = 0; j < significant; j++) {
			const char *digit = memchr(digits, text.ptr[i + j], 64);

			if (!digit)
				return false;
			group |= (uint32_t)(digit - digits) << (18 - 6 * j);
		}
		for (size_t j = 0; j + 1 < significant; j++)
			buf_append_byte(out, (char)(group >> (16 - 8 * j)));
	}
	return true;
}
