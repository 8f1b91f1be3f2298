#include "base/utf8.h"

#include <string.h>

/* C0, DEL, and C1, which terminals obey as well. */
static bool is_control(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;

	return b[0] < 0x20 || b[0] == 0x7f || (b[0] == 0xc2 && b[1] < 0xa0);
}

void utf8_clean(char *text)
{
	size_t left = strlen(text), length;

	for (; left; text += length, left -= length) {
		length = utf8_length(text, left);
		if (length == 0) {
			*text = '?';
			length = 1;
		} else if (is_control(text)) {
			memset(text, ' ', length);
		}
	}
}
