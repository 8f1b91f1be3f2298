/* The tokens of JSON text, for the two that walk it: json_validate and json_parse. */
#ifndef BASE_JSON_INTERNAL_H
#define BASE_JSON_INTERNAL_H

#include "base/err.h"
#include "base/str.h"

struct json_scan {
	const char *start, *at, *end;
	const char *problem; /* once a token was refused: why, of the byte `at` */
};

static inline struct json_scan json_scan_over(struct str text)
{
	const char *start = text.ptr ? text.ptr : "";

	return (struct json_scan){.start = start, .at = start, .end = start + text.len};
}

/* Skips white space; the byte after it, not consumed, or '\0' at the end (and no token starts
 * with NUL). */
static inline char json_scan_peek(struct json_scan *s)
{
	for (; s->at < s->end; s->at++)
		if (*s->at != ' ' && *s->at != '\n' && *s->at != '\r' && *s->at != '\t')
			return *s->at;
	return '\0';
}

/* The string whose opening quote is at s->at; *raw is what stands between the quotes. */
bool json_scan_string(struct json_scan *s, struct str *raw, bool *has_escapes);
bool json_scan_number(struct json_scan *s, struct str *text);
/* true, false or null. */
bool json_scan_word(struct json_scan *s, const char *word);
/* A member's name and its colon. */
bool json_scan_key(struct json_scan *s, struct str *raw, bool *has_escapes);
/* Any value, with all that is in it. */
bool json_scan_value(struct json_scan *s);
/* Remembers why and returns false. */
bool json_scan_refuse(struct json_scan *s, const char *problem);
/* What a byte that starts no token deserves to hear. */
bool json_scan_refuse_byte(struct json_scan *s, const char *expected);
/* Nothing but white space may be left. */
bool json_scan_end(struct json_scan *s);
/* The error of a scan that was refused. */
int json_scan_fail(const struct json_scan *s, struct err *err);

/* Decodes what was scanned as a string into `to`, which has raw.len bytes: no escape is shorter
 * than what it stands for. Returns the decoded length. */
size_t json_unescape(struct str raw, char *to);

/* The value of four hexadecimal digits that were scanned before. */
static inline uint32_t json_hex4(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | ((uint32_t)(p[i] & 15) + (p[i] > '9' ? 9 : 0));
	return value;
}

#endif
