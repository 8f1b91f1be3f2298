#include "cli/failure_pattern.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Past the quoted text that begins at `at`; at + 1 where the quote is an apostrophe. */
static size_t quoted_end(struct str reason, size_t at)
{
	const char *end = memchr(reason.ptr + at + 1, reason.ptr[at], reason.len - at - 1);

	if (!end || (at > 0 && is_letter(reason.ptr[at - 1])))
		return at + 1;
	return (size_t)(end - reason.ptr) + 1;
}

static size_t digits_end(struct str reason, size_t at)
{
	while (at < reason.len && is_digit(reason.ptr[at]))
		at++;
	return at;
}

void failure_pattern(struct buf *out, struct str reason)
{
	size_t limit = out->len + FAILURE_PATTERN_MAX;

	for (size_t at = 0; at < reason.len && out->len < limit;) {
		char c = reason.ptr[at];
		size_t end = at + 1;

		if (c == '\'' || c == '"')
			end = quoted_end(reason, at);
		if (end > at + 1) {
			buf_printf(out, "%c*%c", c, c);
		} else if (is_digit(c) && (at == 0 || !is_letter(reason.ptr[at - 1]))) {
			end = digits_end(reason, at);
			buf_append_byte(out, '*');
		} else {
			buf_append_byte(out, c);
		}
		at = end;
	}
	/* Not in the middle of a character. */
	while (out->len >= limit && ((unsigned char)out->ptr[out->len - 1] & 0xc0) == 0x80)
		out->len--;
	if (out->len >= limit && (unsigned char)out->ptr[out->len - 1] >= 0xc0)
		out->len--;
}
