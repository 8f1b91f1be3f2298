#include "base/json_internal.h"
#include "base/utf8.h"

static char unescaped(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* The code point of a \uXXXX at p, joined with the one after it if they are a surrogate pair. */
static const char *decode_u(const char *p, const char *end, uint32_t *code_point)
{
	uint32_t low;

	*code_point = json_hex4(p + 2);
	p += 6;
	if (*code_point < 0xd800 || *code_point > 0xdbff || end - p < 6 || p[0] != '\\' ||
	    p[1] != 'u')
		return p;
	low = json_hex4(p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return p;
	*code_point = 0x10000 + ((*code_point - 0xd800) << 10 | (low - 0xdc00));
	return p + 6;
}

size_t json_unescape(struct str raw, char *to)
{
	const char *at = raw.ptr, *end = raw.ptr + raw.len, *escape, *start = to;
	uint32_t code_point;

	while ((escape = memchr(at, '\\', (size_t)(end - at)))) {
		memcpy(to, at, (size_t)(escape - at));
		to += escape - at;
		if (escape[1] == 'u') {
			at = decode_u(escape, end, &code_point);
			to += utf8_encode(code_point, to);
		} else {
			*to++ = unescaped(escape[1]);
			at = escape + 2;
		}
	}
	memcpy(to, at, (size_t)(end - at));
	return (size_t)(to + (end - at) - start);
}
