#include "base/json_internal.h"
#include "base/utf8.h"

bool json_scan_refuse(struct json_scan *s, const char *problem)
{
	s->problem = problem;
	return false;
}

bool json_scan_refuse_byte(struct json_scan *s, const char *expected)
{
	return json_scan_refuse(s, s->at == s->end ? "the text ends too early" : expected);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* s->at is at the backslash. */
static bool scan_escape(struct json_scan *s)
{
	if (s->end - s->at < 2)
		return json_scan_refuse(s, "the text ends within an escape");
	if (s->at[1] == 'u') {
		for (int i = 2; i < 6; i++)
			if (s->end - s->at <= i || !is_hex(s->at[i]))
				return json_scan_refuse(s, "\\u needs four hexadecimal digits");
		s->at += 6;
		return true;
	}
	if (!s->at[1] || !strchr("\"\\/bfnrt", s->at[1]))
		return json_scan_refuse(s, "no such escape");
	s->at += 2;
	return true;
}

bool json_scan_string(struct json_scan *s, struct str *raw, bool *has_escapes)
{
	const char *from = ++s->at;

	*has_escapes = false;
	for (;;) {
		s->at = json_plain_end(s->at, s->end);
		if (UNLIKELY(s->at == s->end))
			return json_scan_refuse(s, "the text ends within a string");
		if (*s->at == '"') {
			*raw = str_of(from, (size_t)(s->at++ - from));
			return true;
		}
		if (*s->at == '\\') {
			*has_escapes = true;
			if (!scan_escape(s))
				return false;
			continue;
		}
		if ((uint8_t)*s->at < 0x20)
			return json_scan_refuse(s, "a control character must be escaped");
		do {
			size_t length = utf8_length(s->at, (size_t)(s->end - s->at));

			if (!length)
				return json_scan_refuse(s, "invalid UTF-8");
			s->at += length;
		} while (s->at < s->end && (uint8_t)*s->at >= 0x80);
	}
}

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* At least one digit from s->at on. */
static bool scan_digits(struct json_scan *s)
{
	const char *end = digits_end(s->at, s->end);

	if (end == s->at)
		return json_scan_refuse_byte(s, "a digit is missing");
	s->at = end;
	return true;
}

static bool at_any_of(const struct json_scan *s, char a, char b)
{
	return s->at < s->end && (*s->at == a || *s->at == b);
}

bool json_scan_number(struct json_scan *s, struct str *text)
{
	const char *from = s->at;

	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!scan_digits(s))
		return false;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!scan_digits(s))
			return false;
	}
	if (at_any_of(s, 'e', 'E')) {
		s->at++;
		if (at_any_of(s, '+', '-'))
			s->at++;
		if (!scan_digits(s))
			return false;
	}
	*text = str_of(from, (size_t)(s->at - from));
	return true;
}

bool json_scan_word(struct json_scan *s, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
		return json_scan_refuse(s, "neither true, false nor null");
	s->at += length;
	return true;
}

bool json_scan_key(struct json_scan *s, struct str *raw, bool *has_escapes)
{
	if (json_scan_peek(s) != '"')
		return json_scan_refuse_byte(s, "a name in quotes must stand here");
	if (!json_scan_string(s, raw, has_escapes))
		return false;
	if (json_scan_peek(s) != ':')
		return json_scan_refuse_byte(s, "a colon must follow the name");
	s->at++;
	return true;
}

bool json_scan_end(struct json_scan *s)
{
	json_scan_peek(s);
	return s->at == s->end || json_scan_refuse(s, "the value has ended before");
}

int json_scan_fail(const struct json_scan *s, struct err *err)
{
	return err_set(err, ERR_FORMAT, "not JSON at byte %zu of %zu: %s",
		       (size_t)(s->at - s->start), (size_t)(s->end - s->start), s->problem);
}
