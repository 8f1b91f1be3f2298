/* The tokens of JSON text, for the two that walk it: json_validate and json_parse. */
#ifndef BASE_JSON_INTERNAL_H
#define BASE_JSON_INTERNAL_H

#include "base/buf.h"
#include "base/str.h"

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static inline bool json_is_plain(char c)
{
	return (uint8_t)c >= 0x20 && (uint8_t)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte that is not plain within a string: quote, backslash, control or non-ASCII. */
static inline const char *json_plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i bytes, special;
		unsigned mask;

		memcpy(&bytes, p, sizeof(bytes));
		/* As signed bytes those above 0x7f are below a space, too. */
		special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
				       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
		special = _mm_or_si128(special, _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
		mask = (unsigned)_mm_movemask_epi8(special);
		if (mask)
			return p + __builtin_ctz(mask);
	}
#endif
	for (; end - p >= 8; p += 8) {
		uint64_t word, quote, backslash, special;

		memcpy(&word, p, sizeof(word));
		word = le64toh(word);
		quote = word ^ EVERY_BYTE('"');
		backslash = word ^ EVERY_BYTE('\\');
		/* A byte's top bit comes out set if it is special; a borrow may set those above it
		 * too, so only the lowest counts. */
		special = (word - EVERY_BYTE(0x20)) | (quote - EVERY_BYTE(1)) |
			  (backslash - EVERY_BYTE(1)) | word;
		special &= EVERY_BYTE(0x80);
		if (special)
			return p + __builtin_ctzll(special) / 8;
	}
	while (p < end && json_is_plain(*p))
		p++;
	return p;
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

/* The one spelling of a scanned string or number that all others of the same meaning share, without
 * quotes (appended). Strings: characters as they are, but for \" \\ \b \f \n \r \t and \u00xx;
 * numbers: 1500, 0.25 or, where that would be long, 15e98. */
void json_canonical_string(struct buf *out, struct str raw);
void json_canonical_number(struct buf *out, struct str text);
/* Whether a number is spelled so already, told without looking closely: false says nothing. */
bool json_number_is_canonical(struct str text);

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
