/* UTF-8, one character at a time. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/compiler.h"

/* Bytes of the character at p, of which `left` (at least 1) bytes are there; 0 when it is cut off
 * or none: stray continuation, overlong form, surrogate, above U+10FFFF. */
static inline size_t utf8_length(const char *p, size_t left)
{
	const uint8_t *b = (const uint8_t *)p;
	uint8_t lead = b[0];

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || left < 2 || (b[1] & 0xc0) != 0x80)
		return 0;
	if (lead < 0xe0)
		return 2;
	if (left < 3 || (b[2] & 0xc0) != 0x80)
		return 0;
	if (lead < 0xf0)
		return (lead == 0xe0 && b[1] < 0xa0) || (lead == 0xed && b[1] > 0x9f) ? 0 : 3;
	if (left < 4 || (b[3] & 0xc0) != 0x80)
		return 0;
	return (lead == 0xf0 && b[1] < 0x90) || (lead == 0xf4 && b[1] > 0x8f) ? 0 : 4;
}

/* Writes the 1 to 4 bytes of a code point up to U+10FFFF and returns their number. A lone
 * surrogate becomes its three bytes (WTF-8), which utf8_length then refuses. */
static inline size_t utf8_encode(uint32_t code_point, char out[static 4])
{
	size_t length = code_point < 0x80      ? 1
			: code_point < 0x800   ? 2
			: code_point < 0x10000 ? 3
					       : 4;
	static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code_point & 0x3f));
		code_point >>= 6;
	}
	out[0] = (char)(leads[length] | code_point);
	return length;
}

/* For messages, which quote what others wrote: a byte that is of no character becomes '?', a
 * control character, which could break the line or steer a terminal, a space. */
void utf8_clean(char *text);

#endif
