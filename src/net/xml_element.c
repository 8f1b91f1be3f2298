#include "net/xml_element.h"

#include <stdio.h>

#define MOST_NAME 64

static const char *find(struct str in, const char *text, size_t len)
{
	return in.len >= len ? memmem(in.ptr, in.len, text, len) : NULL;
}

/* The start of what is in the first element of that name; NULL: there is none. */
static const char *find_open(struct str xml, const char *name)
{
	char tag[MOST_NAME];
	size_t len = (size_t)snprintf(tag, sizeof(tag), "<%s", name);
	const char *at, *end = xml.ptr + xml.len;

	while ((at = find(xml, tag, len))) {
		const char *close = memchr(at, '>', (size_t)(end - at));
		const char *after = at + len;

		if (!close)
			return NULL;
		if (after == close || *after == ' ')
			return close + 1;
		xml = str_of(after, (size_t)(end - after));
	}
	return NULL;
}

struct str xml_element(struct str xml, const char *name, struct str *rest)
{
	const char *open, *close, *end;
	char tag[MOST_NAME];
	size_t len = (size_t)snprintf(tag, sizeof(tag), "</%s>", name);

	if (len >= sizeof(tag))
		BUG("a long name of an element");
	if (xml.len == 0 || !(open = find_open(xml, name)))
		return STR_NONE;
	end = xml.ptr + xml.len;
	if (!(close = find(str_of(open, (size_t)(end - open)), tag, len)))
		return STR_NONE;
	if (rest)
		*rest = str_of(close + len, (size_t)(end - close) - len);
	return str_of(open, (size_t)(close - open));
}

/* UTF-8 of a code point; the bytes written. */
static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The code point of what is between '&' and ';'; 0: none that we know. */
static uint32_t code_point(struct str name)
{
	static const struct {
		const char *name;
		char c;
	} known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	bool hex = str_starts(name, STR("#x"));
	uint32_t value = 0;

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_is(name, known[i].name))
			return (unsigned char)known[i].c;
	if (!str_starts(name, STR("#")))
		return 0;
	for (size_t i = hex ? 2 : 1; i < name.len && value < 0x110000; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		/* Below 'a' it wraps around. */
		unsigned digit = c <= '9' ? c - 48u : MIN((c | 32u) - 'a', 6u) + 10;

		if (digit >= (hex ? 16u : 10u))
			return 0;
		value = value * (hex ? 16 : 10) + digit;
	}
	return value < 0x110000 ? value : 0;
}

struct str xml_text(struct str text, struct arena *mem)
{
	char *to = arena_alloc(mem, text.len + 1);
	size_t len = 0;

	if (!to)
		return STR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		struct str rest = str_from_offset(text, i + 1), name, after;
		uint32_t c = 0;

		if (text.ptr[i] == '&' && str_split(rest, ';', &name, &after))
			c = code_point(name);
		if (c > 0) {
			/* The shortest reference to a code point is no shorter than its UTF-8. */
			len += put_utf8(to + len, c);
			i += name.len + 1;
		} else {
			to[len++] = text.ptr[i];
		}
	}
	to[len] = '\0';
	return str_of(to, len);
}
