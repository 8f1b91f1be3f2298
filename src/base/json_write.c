#include "base/base64.h"
#include "base/json.h"
#include "base/json_internal.h"
#include "base/utf8.h"

/* The letter after the backslash, 'u' for \u00XX; 0: passes as it is. */
static char escape_of(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return c < 0x20 ? 'u' : 0;
	}
}

/* A surrogate half in its three bytes, as the parser keeps those that came alone. */
static bool is_surrogate(struct str text, size_t at)
{
	const uint8_t *b = (const uint8_t *)text.ptr + at;

	return b[0] == 0xed && text.len - at >= 3 && (b[1] & 0xe0) == 0xa0 && (b[2] & 0xc0) == 0x80;
}

static void write_u(struct buf *out, unsigned code_unit)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = {'\\',
			'u',
			digits[code_unit >> 12 & 15],
			digits[code_unit >> 8 & 15],
			digits[code_unit >> 4 & 15],
			digits[code_unit & 15]};

	buf_append(out, text, sizeof(text));
}

/* Writes the escape of the character at `at`, which needs one; returns the bytes it took. */
static size_t write_escape(struct buf *out, struct str text, size_t at)
{
	const uint8_t *b = (const uint8_t *)text.ptr + at;
	char letter = escape_of(*b);

	if (is_surrogate(text, at)) {
		write_u(out, 0xd000 | (unsigned)(b[1] & 0x3f) << 6 | (b[2] & 0x3f));
		return 3;
	}
	if (*b >= 0x80) {
		buf_append_str(out, STR("\xef\xbf\xbd"));
		return 1;
	}
	if (letter == 'u')
		write_u(out, *b);
	else
		buf_append(out, (char[]){'\\', letter}, 2);
	return 1;
}

/* The bytes from `at` on that pass as they are: a character, with all that is plain behind it. 0:
 * what is there needs an escape. */
static size_t plain_length(struct str text, size_t at)
{
	const char *p = text.ptr + at, *end = text.ptr + text.len;
	size_t length = escape_of((uint8_t)*p) ? 0 : utf8_length(p, (size_t)(end - p));

	return length > 0 ? (size_t)(json_plain_end(p + length, end) - p) : 0;
}

void json_write_string(struct buf *out, struct str text)
{
	size_t plain_from = 0, at = 0;

	buf_append_byte(out, '"');
	while (at < text.len) {
		size_t length = plain_length(text, at);

		if (length > 0) {
			at += length;
			continue;
		}
		buf_append(out, text.ptr + plain_from, at - plain_from);
		at += write_escape(out, text, at);
		plain_from = at;
	}
	if (text.len)
		buf_append(out, text.ptr + plain_from, at - plain_from);
	buf_append_byte(out, '"');
}

#define COMPACT SIZE_MAX

static void new_line(struct buf *out, size_t indent)
{
	if (indent == COMPACT)
		return;
	buf_append_byte(out, '\n');
	for (size_t i = 0; i < indent; i++)
		buf_append(out, "  ", 2);
}

static void write_value(struct buf *out, const struct json *v, size_t indent);

static void write_children(struct buf *out, const struct json *v, size_t indent)
{
	bool object = v->type == JSON_OBJECT;
	size_t inner = indent == COMPACT ? COMPACT : indent + 1;

	buf_append_byte(out, object ? '{' : '[');
	json_each (child, v) {
		if (child != v->first)
			buf_append_byte(out, ',');
		new_line(out, inner);
		if (object) {
			json_write_string(out, child->key);
			buf_append(out, ": ", indent == COMPACT ? 1 : 2);
		}
		write_value(out, child, inner);
	}
	if (v->first)
		new_line(out, indent);
	buf_append_byte(out, object ? '}' : ']');
}

static void write_value(struct buf *out, const struct json *v, size_t indent)
{
	switch (v->type) {
	case JSON_NULL:
		buf_append_str(out, STR("null"));
		break;
	case JSON_FALSE:
		buf_append_str(out, STR("false"));
		break;
	case JSON_TRUE:
		buf_append_str(out, STR("true"));
		break;
	case JSON_NUMBER:
		buf_append_str(out, v->text);
		break;
	case JSON_STRING:
		json_write_string(out, v->text);
		break;
	case JSON_BINARY:
		buf_append_byte(out, '"');
		base64_encode(out, v->text);
		buf_append_byte(out, '"');
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		write_children(out, v, indent);
		break;
	}
}

void json_write(struct buf *out, const struct json *v)
{
	write_value(out, v, COMPACT);
}

void json_write_pretty(struct buf *out, const struct json *v)
{
	write_value(out, v, 0);
}
